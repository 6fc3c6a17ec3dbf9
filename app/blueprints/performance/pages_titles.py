"""What a statement does, in words: `Count submissions by session`. Made from its tables and conditions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.blueprints.performance.pages_sql import Clause, Token, clauses, conditions, first_name, text_of

# How people name what these tables hold; any other table is called by its own name.
NOUNS = {
    "feedback_submissions": "submissions",
    "feedback_screenshots": "pictures",
    "daily_counts": "the daily counts",
    "user_sessions": "sign-ins",
    "api_tokens": "tokens",
    "sqlite_master": "the schema",
    "sqlite_schema": "the schema",
}
COLUMNS = {"public_id": "id", "public_key": "key", "created_at": "date", "rowid": "id"}
COMPARES = frozenset(("=", "<", ">", "<=", ">=", "<>", "!=", "IN", "IS", "LIKE", "BETWEEN", "GLOB"))
MOST_COLUMNS = 2
SIMPLE_VERBS = {
    "INSERT": ("Add", "Adding"),
    "UPDATE": ("Change", "Changing"),
    "DELETE": ("Delete", "Deleting"),
}


@dataclass(frozen=True)
class Title:
    """A statement's name as an order and as a doing: `Count submissions`, `Counting submissions`."""

    words: str
    doing: str


def title(sql: str) -> Title:
    """Name a statement by what it does, to which table, and by which columns it finds its rows."""
    parts = clauses(sql)
    acting = _acting(parts)
    if acting is None:
        short = " ".join(sql.split())[:40]
        return Title(f"Run {short}", f"Running {short}")
    verb, table = acting
    rest = f" {noun(table)}{_by(parts)}"
    return Title(verb[0] + rest, verb[1] + rest)


def noun(table: str) -> str:
    """Return how people name what a table holds."""
    return NOUNS.get(table, table.replace("_", " "))


def column(name: str) -> str:
    """Return how people name a column: `session` for `session_id`, `archived` for `is_archived`."""
    bare = name.strip('"`').lower()
    if bare in COLUMNS:
        return COLUMNS[bare]
    return bare.removeprefix("is_").removesuffix("_id").replace("_", " ")


def _acting(parts: Sequence[Clause]) -> tuple[tuple[str, str], str] | None:
    """Return the verb and the table of a statement, or None where it is of no kind known here."""
    for part in parts:
        for start, verb in SIMPLE_VERBS.items():
            if part.keyword.startswith(start):
                return (verb, table) if (table := first_name(part.body)) else None
    selected = next((part for part in parts if part.keyword.startswith("SELECT")), None)
    table = next((name for part in parts if part.keyword == "FROM" and (name := _table(part.body))), "")
    return (_reading(selected, parts), table) if selected and table else None


def _table(body: Sequence[Token]) -> str:
    """Return the first table of a FROM, the one inside where it reads from a select in brackets."""
    if name := first_name(body):
        return name
    inner = re.search(r"\bFROM\s+[\"`]?(\w+)", text_of(body), re.IGNORECASE)
    return inner[1] if inner else ""


def _reading(selected: Clause, parts: Sequence[Clause]) -> tuple[str, str]:
    columns = text_of(selected.body).lower()
    keywords = {part.keyword for part in parts}
    if " match " in f" {' '.join(text_of(part.body) for part in parts).lower()} ":
        return "Search", "Searching"
    if re.match(r"count\(", columns):
        return "Count", "Counting"
    if "GROUP BY" in keywords or re.match(r"(sum|avg|total|coalesce\(sum)\(", columns):
        return "Sum up", "Summing up"
    return ("List", "Listing") if keywords & {"ORDER BY", "LIMIT"} else ("Find", "Finding")


def _by(parts: Sequence[Clause]) -> str:
    """Return ` by session and status`: the first columns that rows are found by; empty for none."""
    names: list[str] = []
    for part in parts:
        if part.keyword == "WHERE":
            names += [name for one in conditions(part.body) if (name := _compared(one))]
    unlike = list(dict.fromkeys(names))[:MOST_COLUMNS]
    return f" by {' and '.join(unlike)}" if unlike else ""


def _compared(condition: Sequence[Token]) -> str:
    """Return the column that a plain condition compares; empty for anything else."""
    bare = [token for token in condition if token.kind != "space"]
    bare = bare[1:] if bare and bare[0].upper in ("AND", "OR") else bare
    while len(bare) > 2 and bare[1].text == ".":
        bare = bare[2:]
    if len(bare) < 2 or bare[0].kind not in ("word", "name"):
        return ""
    compares = bare[2] if bare[1].upper == "NOT" and len(bare) > 2 else bare[1]
    return column(bare[0].text) if (compares.upper or compares.text) in COMPARES else ""
