"""The tree of a query: terms, words, and how they are joined. Each prints itself as it is typed."""

from dataclasses import dataclass
from typing import TypeAlias

# What ends a word, or would be read as something else than a value.
_MARKS = frozenset('()" ')


@dataclass(frozen=True)
class Term:
    """A filter with a name, `status:open`."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.name}:{quoted(self.value)}"


@dataclass(frozen=True)
class Words:
    """Text to be found: a word, or a phrase; a prefix also finds what begins so."""

    text: str
    phrase: bool = False
    prefix: bool = False

    def __str__(self) -> str:
        star = "*" if self.prefix else ""
        return (f'"{escaped(self.text)}"' if self.phrase else self.text) + star


@dataclass(frozen=True)
class Not:
    """What must not hold."""

    item: "Node"

    def __str__(self) -> str:
        return f"-{_enclosed(self.item)}"


@dataclass(frozen=True)
class All:
    """What must hold together; at least two, none of them an `All`."""

    items: tuple["Node", ...]

    def __str__(self) -> str:
        return " ".join(f"({item})" if isinstance(item, Either) else str(item) for item in self.items)


@dataclass(frozen=True)
class Either:
    """Of what one must hold; at least two, none of them an `Either`."""

    items: tuple["Node", ...]

    def __str__(self) -> str:
        return " OR ".join(map(str, self.items))


Node: TypeAlias = Term | Words | Not | All | Either


def quoted(value: str) -> str:
    """Return a value as it must be typed: in quotation marks where it would end too early."""
    plain = value and not any(char in _MARKS or char.isspace() for char in value)
    return value if plain else f'"{escaped(value)}"'


def escaped(text: str) -> str:
    """Return text as it stands between quotation marks."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _enclosed(item: Node) -> str:
    return f"({item})" if isinstance(item, All | Either) else str(item)
