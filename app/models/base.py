"""What all tables share: the declarative base, names of constraints, and STRICT tables on SQLite."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, MetaData, Table, event
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass

# Alembic can only change on both databases what has a name (alembic.sqlalchemy.org, naming conventions).
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(MappedAsDataclass, DeclarativeBase):
    """Base of every model."""

    metadata = MetaData(naming_convention=NAMING)
    # 64 bits on both databases: bytes pass 2 GiB, and ids must never run out.
    type_annotation_map: ClassVar[dict[Any, Any]] = {int: BigInteger}


@event.listens_for(Table, "after_parent_attach")
def _strict(table: Table, _parent: Any) -> None:
    # SQLite otherwise stores 12 of 19 kinds of value that PostgreSQL refuses.
    table.dialect_options["sqlite"]["strict"] = True
