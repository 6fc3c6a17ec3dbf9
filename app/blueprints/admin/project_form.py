"""A project's settings as a form: lists and texts are lines of a field, checked by the API's rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from app.blueprints.admin.settings_schemas import LOCALES, ProjectFields
from app.models import Project
from app.validation import field_errors

MEGABYTE = 1024 * 1024
WORDS = ("name", "ask_name", "ask_email", "theme", "position")
TICKS = ("ask_rating", "screenshots", "is_active")
MAYBE = ("locale", "consent", "privacy_url", "rate_limit")


@dataclass
class ProjectForm:
    """The fields as text, and what is wrong with each."""

    values: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)


def form_of(found: Project) -> ProjectForm:
    """Return a project's settings as the text of the form's fields."""
    values: dict[str, Any] = {name: getattr(found, name) for name in (*WORDS, *TICKS)}
    values |= {name: getattr(found, name) or "" for name in MAYBE}
    values["origins"] = "\n".join(found.origins)
    values["categories"] = "\n".join(_category_line(category) for category in found.categories)
    values["quota_mb"] = "" if found.byte_quota is None else f"{found.byte_quota / MEGABYTE:g}"
    for locale in LOCALES:
        texts = found.texts.get(locale, {})
        values[f"texts_{locale}"] = "\n".join(f"{key} = {text}" for key, text in texts.items())
    return ProjectForm(values)


def read_form(form: Mapping[str, str]) -> tuple[dict[str, Any] | None, ProjectForm]:
    """Check the form; return the values to keep, or None, and the form to show again."""
    names = (*WORDS, *MAYBE, "origins", "categories", "quota_mb", *(f"texts_{one}" for one in LOCALES))
    shown = ProjectForm({name: form.get(name, "") for name in names})
    shown.values |= {name: form.get(name) == "true" for name in TICKS}
    fields = _fields(shown)
    if not shown.errors:
        try:
            return ProjectFields.model_validate(fields).model_dump(exclude_unset=True), shown
        except ValidationError as error:
            for fault in field_errors(error):
                shown.errors.setdefault(*_at_field(fault.field, fault.message))
    return None, shown


def _fields(shown: ProjectForm) -> dict[str, Any]:
    text = shown.values
    fields: dict[str, Any] = {name: text[name] for name in (*WORDS, *TICKS)}
    fields |= {name: text[name].strip() or None for name in MAYBE}
    fields["origins"] = _lines(text["origins"])
    fields["categories"] = [_category(line) for line in _lines(text["categories"])]
    fields["texts"] = {}
    for locale in LOCALES:
        texts = _texts(shown, f"texts_{locale}")
        if texts:
            fields["texts"][locale] = texts
    fields["byte_quota"] = _quota(shown)
    return fields


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _category_line(category: dict[str, Any]) -> str:
    label = category.get("label")
    return f"{category['key']} = {label}" if label else str(category["key"])


def _category(line: str) -> dict[str, str | None]:
    key, _, label = line.partition("=")
    return {"key": key.strip(), "label": label.strip() or None}


def _texts(shown: ProjectForm, name: str) -> dict[str, str]:
    texts = {}
    for line in _lines(shown.values[name]):
        key, equals, text = line.partition("=")
        if not equals:
            shown.errors[name] = f"Write key = text; “{line[:40]}” has no equals sign."
        texts[key.strip()] = text.strip()
    return texts


def _quota(shown: ProjectForm) -> int | None:
    text = shown.values["quota_mb"].strip()
    if not text:
        return None
    try:
        return round(float(text) * MEGABYTE)
    except (ValueError, OverflowError):
        shown.errors["quota_mb"] = "Write a number of megabytes, or nothing."
        return None


def _at_field(path: str, message: str) -> tuple[str, str]:
    """Return the form's field for a fault of the API's, and the message as a sentence."""
    parts = path.split(".")
    name = parts[0]
    if name == "texts" and len(parts) > 1:
        name = f"texts_{parts[1]}"
    where = f"Line {int(parts[1]) + 1}: " if len(parts) > 1 and parts[1].isdigit() else ""
    renamed = "quota_mb" if name == "byte_quota" else name
    words = where + message
    return renamed, words[:1].upper() + words[1:] + ("" if words.endswith(".") else ".")
