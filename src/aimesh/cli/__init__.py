"""The ``aimesh`` command."""
