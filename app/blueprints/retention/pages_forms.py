"""Reading the forms of the retention pages: the same models check them as the API's bodies."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from app.blueprints.retention.policies import NewPolicy, PolicyFields, given
from app.errors import ClientError, FieldError
from app.models.retention import ANONYMISE, SUBMISSIONS, Rule
from app.validation import field_errors

MB = 1024 * 1024
KEEPS = {"days": "keep_days", "submissions": "keep_submissions", "mb": "keep_bytes"}
MOST = 10**12


def policy(form: "MultiDict[str, str]", *, new: bool) -> dict[str, Any]:
    """Read a policy's fields from a form. Raises ClientError `validation_failed` (422)."""
    values: dict[str, Any] = {
        "archive": form.get("archive") == "true",
        "is_active": form.get("is_active") == "true",
        KEEPS.get(form.get("measure", "days"), "keep_days"): _keep(form),
    }
    if form.get("kind", SUBMISSIONS) == SUBMISSIONS:
        values |= {name: form.get(name) or None for name in ("project", "category", "status", "query")}
        values |= {name: form[name] for name in ("since", "action") if form.get(name)}
        anonymises = values.get("action") == ANONYMISE
        values["fields"] = form.getlist("fields") if anonymises else []
        values["archive"] = values["archive"] and values.get("action") == "delete"
    if form.get("name", "").strip():
        values["name"] = form["name"]
    try:
        return given((NewPolicy if new else PolicyFields).model_validate(values))
    except ValidationError as error:
        faults = field_errors(error)
        raise ClientError(422, "validation_failed", "The policy was not saved.", faults) from None


def rule_of(before: Rule, values: Mapping[str, Any], project_id: int | None) -> Rule:
    """Return the rule that a policy would be with these values, for a preview."""
    known = {name: value for name, value in values.items() if name in Rule.__dataclass_fields__}
    merged = {name: getattr(before, name) for name in Rule.__dataclass_fields__}
    if any(values.get(name) for name in KEEPS.values()):
        merged |= dict.fromkeys(KEEPS.values())
    merged |= known
    if "project" in values:
        merged["project_id"] = project_id
    merged["fields"] = tuple(merged["fields"])
    return Rule(**merged)


def until(text: str) -> datetime | None:
    """Read the day up to which something is held, that day included. Raises ClientError 422."""
    if not text:
        return None
    return day(text, "until") + timedelta(days=1)


def day(text: str, field: str) -> datetime:
    """Read a day as its first moment in UTC. Raises ClientError 422."""
    try:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
    except ValueError:
        fault = [FieldError(field, "is a day such as 2026-11-21")]
        raise ClientError(422, "validation_failed", "Some fields are not right.", fault) from None


def _keep(form: Mapping[str, str]) -> Any:
    text = form.get("keep", "").strip().replace(",", "")
    if not re.fullmatch(r"[0-9]{1,12}", text):
        fault = [FieldError("keep", "is a whole number, at least 1")]
        raise ClientError(422, "validation_failed", "The policy was not saved.", fault)
    return int(text) * (MB if form.get("measure") == "mb" else 1)
