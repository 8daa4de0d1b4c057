"""Wire protocols, sans-I/O: one folder per interface, and what they share at the top.

``interface.py`` is the contract, ``registry.py`` the list, ``faults.py`` the error shapes, ``splice.py`` the
byte surgery on request bodies.
"""
