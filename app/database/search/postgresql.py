"""Cutting words on PostgreSQL: `words.words` and `index.indexed` again, as a function of the database.

A row that is not indexed yet is matched by it, so that it is found by the same words as once it is. Python
cuts for the index; here PostgreSQL does it for the few rows behind the watermark. That both cut alike is
tested with texts in many writings.
"""

from sqlalchemy import Connection, text

from app.database.search.index import MOST_POSITIONS
from app.database.search.words import CJK, DROPPED, LONGEST, MARKS, SIGNS

FUNCTION = "earmark_words"
# Letters and digits by Unicode whatever the database's own locale is; a server built without ICU has its own.
COLLATION = "und-x-icu"
# `\w` counts these numbers in Python, and not in PostgreSQL: superscripts, fractions, circled, Roman.
_NUMBERS = "\u00b2\u00b3\u00b9\u00bc-\u00be\u2070\u2074-\u2079\u2080-\u2089\u2150-\u2189\u2460-\u249b"
_WORD = f"[{CJK}]+|[{SIGNS}]|(?:(?![{CJK}{SIGNS}_])[\\w{MARKS}{_NUMBERS}])+"


def create(connection: Connection) -> None:
    """Make the function, inside a migration; nothing on other databases."""
    if connection.dialect.name == "postgresql":
        known = text("select exists (select from pg_collation where collname = :name)")
        there = connection.scalar(known, {"name": COLLATION})
        connection.exec_driver_sql(_definition(f'collate "{COLLATION}"' if there else ""))


def drop(connection: Connection) -> None:
    """Take the function away."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"drop function {FUNCTION} (text[], text[], text[])")


def _definition(collate: str) -> str:
    # Positions stand as in the index: a break before and behind each text, and one for each word.
    return f"""
create function {FUNCTION} (texts text[], names text[], facts text[]) returns tsvector
language sql stable parallel safe as $earmark$
with given as (
  select value, '' as fact, at from unnest(texts) with ordinality as t (value, at) where value <> ''
  union all
  select value, name || '=', 1000 + at
  from unnest(names, facts) with ordinality as f (name, value, at) where value <> ''
), pieces as (
  select value, fact, row_number() over (order by at) as piece from given
), runs as (
  select piece, fact, at, found[1] as run, found[1] ~ '^[{CJK}]' as cjk
  from pieces, regexp_matches(value {collate}, '{_WORD}', 'g') with ordinality as m (found, at)
), cut as (
  select piece, fact, at, step, case
    when cjk then substr(run, step, 2)
    else left({_folded("run", collate)}, {LONGEST})
  end as word
  from runs, generate_series(1, case when cjk then length(run) else 1 end) as step
), placed as (
  select fact || word as word, piece + row_number() over (order by piece, at, step) as place
  from cut where word <> ''
)
select coalesce(string_agg('''' || word || ''':' || place, ' '), '')::tsvector
from placed where place <= {MOST_POSITIONS}
$earmark$
"""  # noqa: S608  # constants of ours


def _folded(word: str, collate: str) -> str:
    bare = f"normalize(regexp_replace(normalize({word}, NFKD), '[{DROPPED}]', '', 'g'), NFKC)"
    # What case folding does beyond small letters (Unicode's CaseFolding.txt).
    return f"replace(replace(lower({bare} {collate}), 'ß', 'ss'), 'ς', 'σ')"
