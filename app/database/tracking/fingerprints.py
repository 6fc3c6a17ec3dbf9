"""Fingerprints: one short name for all statements that differ only in their values.

The normalised text stays a statement that the database can explain: values, IN lists and repeated rows become
one placeholder. It costs some 20 µs, so it is done once for each text; sqlglot took 650 µs.
"""

import hashlib
import re
from dataclasses import dataclass

KEPT_TEXTS = 4096
LONGEST_TEXT = 20_000
_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*.*?\*/)
    | (?P<name>"(?:[^"]|"")*"|`[^`]*`|\[[A-Za-z_][^\]]*\])
    | (?P<bound>%\([^)]*\)s|%s|(?<![:\w]):[A-Za-z_]\w*|\?\d*(?![|&?])|\$\d+)
    | (?P<text>[xXeE]?'(?:[^']|'')*')
    | (?P<number>(?<![\w$.])(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)(?![\w.]))
    | (?P<word>[^\W\d][\w$]*)
    | (?P<space>\s+)
    """,
    re.VERBOSE | re.DOTALL,
)
_SAVEPOINT = re.compile(r"\b(sa_savepoint)_\d+\b")


@dataclass(frozen=True)
class Fingerprint:
    """A statement's name (12 hexadecimal digits) and its normalised text."""

    hash: str
    text: str


class Fingerprints:
    """Finds the fingerprint of a text, and remembers it; for one thread."""

    def __init__(self, placeholder: str = "?") -> None:
        """`placeholder` is how the driver writes a value: `?` on SQLite, `%s` on PostgreSQL."""
        self._placeholder = placeholder
        self._known: dict[str, Fingerprint] = {}

    def of(self, sql: str) -> Fingerprint:
        """Return the fingerprint of a statement."""
        known = self._known.get(sql)
        if known is None:
            if len(self._known) >= KEPT_TEXTS:
                self._known.clear()  # simpler than ageing; it is full again after as many new texts
            known = self._known[sql] = fingerprint(sql, self._placeholder)
        return known


def fingerprint(sql: str, placeholder: str = "?") -> Fingerprint:
    """Normalise a statement and name it: BLAKE2s of its text (RFC 7693), 48 bits."""
    text = normalise(sql, placeholder)
    return Fingerprint(hashlib.blake2s(text.encode("utf-8", "replace"), digest_size=6).hexdigest(), text)


def normalise(sql: str, placeholder: str = "?") -> str:
    """Fold values, IN lists, rows of VALUES, comments and white space; text over 20,000 characters is cut."""

    def folded(found: re.Match[str]) -> str:
        kind = found.lastgroup
        if found[0].startswith("?") and placeholder != "?":
            return found[0]  # an operator of PostgreSQL
        if kind in ("bound", "text", "number"):
            return placeholder
        return " " if kind in ("space", "comment") else found[0]

    text = _TOKEN.sub(folded, sql[:LONGEST_TEXT]).strip().rstrip("; ")
    text = _SAVEPOINT.sub(r"\1", re.sub(r" {2,}", " ", text))
    return _folded_rows(_folded_lists(text, placeholder))


def _folded_lists(text: str, placeholder: str) -> str:
    one = re.escape(placeholder) + r"(?:::\w+(?: \w+)*)?"
    return re.sub(rf"(\bin ?)\(({one})(?: ?, ?{one})+\)", r"\1(\2)", text, flags=re.IGNORECASE)


def _folded_rows(text: str) -> str:
    return re.sub(r"(\bvalues ?)(\([^()]*\))(?: ?, ?\2)+", r"\1\2", text, flags=re.IGNORECASE)
