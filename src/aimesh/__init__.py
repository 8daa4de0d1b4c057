"""aimesh: one address and one key for every model of every vendor.

Start reading at ``dataplane/pipeline.py``; ``docs/explain/architecture.md`` is the plan of the house.
"""

__version__ = "0.1.0"
