"""A JSON value as a tree that a page can fold."""

import json
from dataclasses import dataclass, replace
from typing import Any

LONGEST_VALUE = 500  # characters of one value that a leaf shows


@dataclass(frozen=True)
class Node:
    """One name with its value in words, or with children."""

    name: str
    summary: str
    children: tuple["Node", ...] = ()
    is_null: bool = False
    open: bool = False


def tree(value: Any) -> tuple[Node, ...]:
    """Return a value as nodes, the first that has children standing open."""
    made = nodes(value)
    first = next((at for at, node in enumerate(made) if node.children), None)
    return tuple(replace(node, open=at == first) for at, node in enumerate(made))


def nodes(value: Any) -> tuple[Node, ...]:
    """Return the children of an object or list as nodes."""
    return tuple(_node(name, child) for name, child in _pairs(value))


def _pairs(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list):
        return [(str(at), child) for at, child in enumerate(value)]
    return [("", value)]


def _node(name: str, value: Any) -> Node:
    if isinstance(value, dict | list):
        count = len(value)
        words = f"{count} entr{'y' if count == 1 else 'ies'}"
        return Node(name, words, nodes(value))
    return Node(name, _leaf(value), is_null=value is None)


def _leaf(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"
