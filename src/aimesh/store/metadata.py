"""What every table is registered with. The tables are in ``tables.py``, ``period_tables.py``
and ``task_tables.py``."""

from sqlalchemy import MetaData

METADATA = MetaData()
