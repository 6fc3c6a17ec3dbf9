"""Loading what belongs to entities together with them, so that no page asks once for each row."""

from typing import Any, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Mapper, RelationshipProperty, joinedload, selectinload
from sqlalchemy.orm.strategy_options import _AbstractLoad

S = TypeVar("S", bound=Select[Any])


def load_with(select: S, *paths: str) -> S:
    """Return `select` so that relationships of its entity are loaded with it.

    A path is a name, or names with dots (`"messages.author"`). Each step takes the cheaper way for its kind:
    a collection one more statement for all rows (`selectinload`), a single entity a join (`joinedload`).
    Raises ValueError for a select without an entity, or a name that is no relationship.
    """
    mapper = _mapper(select)
    return select.options(*(_option(mapper, path) for path in paths))


def _mapper(select: Select[Any]) -> Mapper[Any]:
    entity = select.column_descriptions[0].get("entity")
    mapper: Mapper[Any] | None = getattr(entity, "__mapper__", None)
    if mapper is None:
        raise ValueError("relationships are loaded with an entity; the select has none")
    return mapper


def _option(mapper: Mapper[Any], path: str) -> _AbstractLoad:
    option: _AbstractLoad | None = None
    for name in path.split("."):
        relationship = _relationship(mapper, name)
        attribute = relationship.class_attribute
        if relationship.uselist:
            option = option.selectinload(attribute) if option else selectinload(attribute)
        else:
            option = option.joinedload(attribute) if option else joinedload(attribute)
        mapper = relationship.mapper
    assert option is not None
    return option


def _relationship(mapper: Mapper[Any], name: str) -> RelationshipProperty[Any]:
    found = mapper.relationships.get(name)
    if found is None:
        known = ", ".join(sorted(mapper.relationships.keys())) or "none"
        raise ValueError(f"{mapper.class_.__name__} has no relationship {name!r}; it has {known}")
    return found
