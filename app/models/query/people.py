"""Whom a query names, by e-mail, session or reporter id, and the same query without the name.

In the place of a name stands a value that finds nobody, so that the rest of a filter goes on finding what it
found. An e-mail is a name wherever it stands; an id is one only as the value of its own filter, for a word
such as `17` may mean anything.
"""

import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from app.models.addresses import lowered
from app.models.query.errors import QueryError
from app.models.query.parser import parse
from app.models.query.query import Query
from app.models.query.tree import All, Either, Node, Not, Term, Words

ERASED, WITHHELD = "[erased]", "[withheld]"
EMAIL, SESSION, REPORTER = "email", "session", "reporter"
_OWN = (EMAIL, SESSION, REPORTER)  # the filters whose whole value is a name
IsMeant = Callable[[str, str], bool]  # of a kind of name and its value
# What ends an address in running text, in a pattern and in the query of a URL.
_ADDRESS = re.compile(r"""[^\s@<>()\[\]"',;:*?&=/\\]+@[^\s@<>()\[\]"',;:*?&=/\\]+""")


def read(text: str) -> Query:
    """Read a query that is stored; one that cannot be read any more is one phrase, which may name people."""
    try:
        return parse(text)
    except QueryError:
        return Query(Words(text, phrase=True))


def names(query: Query, is_meant: IsMeant) -> bool:
    """Tell whether a query names whom is meant, wherever in its tree."""
    return query.tree is not None and any(is_meant(*name) for name in _names_below(query.tree))


def without(query: Query, is_meant: IsMeant, instead: str = ERASED) -> Query:
    """Return the query with a value that finds nobody in the place of each name that is meant."""
    return Query(query.tree and _replaced(query.tree, is_meant, instead))


def withheld(text: str) -> str:
    """Return a stored query as a record keeps it from which nothing is ever taken out: it names nobody."""
    return str(without(read(text), lambda _kind, _value: True, WITHHELD))


def finds_nobody(query: Query) -> bool:
    """Tell whether a query can find nothing any more, for it asks for somebody whose name was taken out."""
    return query.tree is not None and _is_vain(query.tree)


def addresses(text: str) -> Iterator[str]:
    """Yield the e-mail addresses in a text, those of a URL's query too."""
    for found in _ADDRESS.findall(unquote(text)):
        yield lowered(found.rstrip("."))


def _names_below(node: Node) -> Iterator[tuple[str, str]]:
    if isinstance(node, Not):
        yield from _names_below(node.item)
    elif isinstance(node, All | Either):
        for item in node.items:
            yield from _names_below(item)
    else:
        yield from _names(node)


def _names(leaf: Term | Words) -> Iterator[tuple[str, str]]:
    if isinstance(leaf, Words):
        yield from ((EMAIL, address) for address in addresses(leaf.text))
    elif leaf.name in _OWN:
        yield leaf.name, leaf.value
        if leaf.name == REPORTER:  # its value is an id, or an address
            yield EMAIL, leaf.value
    elif leaf.name == "url":
        yield from ((EMAIL, address) for address in addresses(leaf.value))


def _replaced(node: Node, is_meant: IsMeant, instead: str) -> Node:
    if isinstance(node, Not):
        return Not(_replaced(node.item, is_meant, instead))
    if isinstance(node, All | Either):
        return type(node)(tuple(_replaced(item, is_meant, instead) for item in node.items))
    if not any(is_meant(*name) for name in _names(node)):
        return node
    return Term(node.name if isinstance(node, Term) and node.name in _OWN else EMAIL, instead)


def _is_vain(node: Node) -> bool:
    if isinstance(node, All):
        return any(map(_is_vain, node.items))
    if isinstance(node, Either):
        return all(map(_is_vain, node.items))
    return isinstance(node, Term) and node.name in _OWN and node.value == ERASED
