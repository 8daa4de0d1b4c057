"""Calls with a label, among labels that are kept as JSON.

Labels are compact JSON with sorted names (``usage_rows.encoded_labels``): a name and its value stand in it behind a
brace or a comma, and neither with a quote behind it occurs in a text, where a quote has a backslash before it.
"""

from typing import Any

from msgspec import json
from sqlalchemy import ColumnElement, func, or_

from aimesh.store.engine import Connection


# A column of text, for SQLAlchemy of any type.
def has_label(db: Connection, column: ColumnElement[Any], name: str, value: str) -> ColumnElement[bool]:
    pair = json.encode({name: value}).decode()
    place = func.strpos if db.dialect.name == "postgresql" else func.instr
    return or_(place(column, pair[:-1]) == 1, place(column, f",{pair[1:-1]}") > 0)
