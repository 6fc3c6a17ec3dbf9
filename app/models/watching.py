"""The tables of query tracking, among Earmark's own, so that one migration makes all."""

from app.database.tracking.tables import define_tables
from app.models.base import Base

STATISTICS = define_tables(Base.metadata)
