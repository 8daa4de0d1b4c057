"""What every table is registered with. The tables are in ``tables.py`` and ``period_tables.py``."""

from sqlalchemy import MetaData

METADATA = MetaData()
