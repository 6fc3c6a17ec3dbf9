"""E-mail addresses: one form in which they are compared, and the condition that its index answers."""

from itertools import islice, product

from sqlalchemy import ColumnElement, and_, func, or_
from sqlalchemy.orm import InstrumentedAttribute

# Six letters beyond ASCII, each small or capital.
MOST_SPELLINGS = 64


def lowered(address: str) -> str:
    """Return the form in which an address is compared: two that differ in their case are one."""
    return address.strip().lower()


def is_address(column: InstrumentedAttribute[str | None], address: str) -> ColumnElement[bool]:
    """Return the SQL condition that a column holds an address, whatever its case.

    `lower` of SQLite, and of PostgreSQL in the locale C, knows ASCII alone: other letters are looked for in
    both cases. That the column is not null is said for the partial index, which `lower` alone does not meet.
    """
    letters = ((char,) if char.isascii() else (char, char.upper()) for char in lowered(address))
    spelled = {"".join(spelling) for spelling in islice(product(*letters), MOST_SPELLINGS)}
    return and_(column.is_not(None), or_(*(func.lower(column) == one for one in sorted(spelled))))
