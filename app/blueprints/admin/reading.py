"""Reading the JSON body of an API request, strictly: what is ambiguous or cannot be stored is refused."""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel

from app.errors import ClientError, FieldError

MOST_BYTES = 1024 * 1024


def given(body: BaseModel, nullable: Collection[str] = ()) -> dict[str, Any]:
    """Return the fields that a body names. Raises ClientError 422 for a null where none is taken."""
    values = body.model_dump(exclude_unset=True)
    nulls = [name for name, value in values.items() if value is None and name not in nullable]
    if nulls:
        faults = [FieldError(name, "cannot be null") for name in nulls]
        raise ClientError(422, "validation_failed", "Some fields are not right.", faults)
    return values
