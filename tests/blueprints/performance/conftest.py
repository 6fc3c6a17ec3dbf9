"""A table that lacks an index, and a statement that misses it."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

from app.database.tracking.scope import origin
from app.database.tracking.watch import current_watcher
from app.extensions import db

ROWS = 20_000
NUMBERS = f"with recursive n(i) as (select 1 union all select i + 1 from n where i < {ROWS})"


@pytest.fixture
def things(app: Flask) -> None:
    """A table of some size without an index on its colours, which are many."""
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("create table things (id integer primary key, colour text, size integer)"))
        connection.execute(
            text(f"{NUMBERS} insert into things select i, 'colour ' || (i % 5000), i % 7 from n")
            if db.engine.dialect.name == "postgresql"
            else text(f"insert into things {NUMBERS} select i, 'colour ' || (i % 5000), i % 7 from n")
        )
        connection.execute(text("analyze things"))


@pytest.fixture
def ask_for_things(app: Flask, things: None) -> Callable[[], None]:
    """Look for things by their colour, and have it written down."""

    def ask() -> None:
        with app.app_context():
            with origin("GET /things"), db.engine.connect() as connection:
                connection.execute(text("select size from things where colour = 'colour 3'")).all()
            assert current_watcher().flush()

    return ask
