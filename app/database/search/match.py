"""What a row must hold: phrases joined by and, or, not. Written for FTS5, for tsquery, and tried directly.

Every word stands between quotation marks: FTS5 raises on 13 of 16 strings as people type them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from app.database.search.words import asked


@dataclass(frozen=True)
class Phrase:
    """Words that follow each other; of the last one perhaps only the beginning.

    `fact` names what holds them in the place of the texts; `typed` is what was asked for.
    """

    words: tuple[str, ...]
    prefix: bool
    typed: str
    fact: str = ""

    @property
    def held(self) -> str:
        """The words as the index holds them, between spaces."""
        return " ".join(f"{self.fact}={word}" if self.fact else word for word in self.words)


@dataclass(frozen=True)
class Every:
    """What must hold together, at least one; and what must not."""

    items: tuple["Match", ...]
    without: tuple["Match", ...] = ()


@dataclass(frozen=True)
class Some:
    """Of what one must hold."""

    items: tuple["Match", ...]


Match: TypeAlias = Phrase | Every | Some


def phrase(text: str, *, prefix: bool = False, fact: str = "") -> Phrase | None:
    """Return the phrase that finds a text; None where the text has no word."""
    words, begins = asked(text)
    return Phrase(words, prefix or begins, text.strip("*"), fact) if words else None


def fts5(match: Match) -> str:
    """Write for FTS5 (sqlite.org/fts5.html, section 3)."""
    if isinstance(match, Phrase):
        return f'"{match.held}"' + (" *" if match.prefix else "")
    if isinstance(match, Some):
        return "(" + " OR ".join(map(fts5, match.items)) + ")"
    held = " AND ".join(map(fts5, match.items))
    return f"(({held}) NOT ({' OR '.join(map(fts5, match.without))}))" if match.without else f"({held})"


def tsquery(match: Match) -> str:
    """Write for tsquery (postgresql.org/docs, 8.11.2)."""
    if isinstance(match, Phrase):
        words = " <-> ".join(f"'{word}'" for word in match.held.split(" "))
        return f"({words}{':*' if match.prefix else ''})"
    if isinstance(match, Some):
        return "(" + " | ".join(map(tsquery, match.items)) + ")"
    return (
        "(" + " & ".join([*map(tsquery, match.items), *("!" + tsquery(item) for item in match.without)]) + ")"
    )


def as_json(match: Match) -> str:
    """Write for `holds`."""
    return json.dumps(_plain(match), ensure_ascii=False)


def holds(plain: Sequence[Any], held: str) -> bool:
    """Tell whether what an index holds of a row (`index.indexed`) is what `as_json` wrote."""
    kind, first, second = plain
    if kind == "phrase":
        return f" {first}{'' if second else ' '}" in held
    if kind == "some":
        return any(holds(item, held) for item in first)
    return all(holds(item, held) for item in first) and not any(holds(item, held) for item in second)


def _plain(match: Match) -> list[Any]:
    if isinstance(match, Phrase):
        return ["phrase", match.held, match.prefix]
    if isinstance(match, Some):
        return ["some", [_plain(item) for item in match.items], []]
    return ["every", [_plain(item) for item in match.items], [_plain(item) for item in match.without]]
