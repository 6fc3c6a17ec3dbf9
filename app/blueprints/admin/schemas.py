"""What the admin API takes; the pages use the same.

Types are strict: `"5"` and `true` are no numbers. A name that is not known is refused.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from app.validation import QueryMoment, Strict

MOST_NOTES = 10_000
PRINTABLE = r"^\P{Cc}*$"


def _truth(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _count(value: Any) -> Any:
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}", value) else value


QueryNumber = Annotated[int, BeforeValidator(_count)]
QueryTruth = Annotated[bool, BeforeValidator(_truth)]
Status = Literal["open", "in_progress", "resolved", "closed", "rejected", "spam", "trash"]
Role = Literal["viewer", "agent", "admin"]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=PRINTABLE)
]
Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=PRINTABLE)
]
PublicId = Annotated[str, Field(max_length=64, description="Public id.")]


class FeedbackPath(BaseModel):
    """The address of a submission."""

    public_id: PublicId


class ViewPath(BaseModel):
    """The address of a saved view."""

    public_id: PublicId


class Filters(Strict):
    """Which submissions: the filters of the list and of acts on many."""

    project: Annotated[str, Field(max_length=64, description="Public key.")] | None = None
    category: Annotated[str, Field(max_length=64)] | None = None
    status: Status | None = None
    is_read: QueryTruth | None = None
    is_archived: QueryTruth | None = None
    has_screenshot: QueryTruth | None = None
    session_id: Annotated[str, Field(max_length=200)] | None = None
    reporter: Annotated[str, Field(max_length=254, description="E-mail of the reporter.")] | None = None
    assignee: Annotated[str, Field(max_length=254, description="`me`, or a user's id or e-mail.")] | None = (
        None
    )
    tag: Annotated[str, Field(max_length=100, description="Name of a tag.")] | None = None
    since: Annotated[QueryMoment | None, Field(alias="from", description="Made at or after.")] = None
    until: Annotated[QueryMoment | None, Field(alias="to", description="Made before.")] = None
    q: Annotated[str, Field(max_length=1_000, description="A query (docs/inbox.md, Finding).")] | None = None


class ListQuery(Filters):
    """Filters, order and page of the list of submissions."""

    sort: Annotated[
        Literal["newest", "oldest", "updated", "relevance"],
        Field(description="By relevance with words in `q` only, among their newest 2,000 matches."),
    ] = "newest"
    limit: Annotated[int, Field(ge=1, le=200), BeforeValidator(_count)] = 50
    cursor: str | None = None
    page: (
        Annotated[
            int, Field(ge=1, description="Number of a page, instead of a cursor."), BeforeValidator(_count)
        ]
        | None
    ) = None


class ScreenshotQuery(Strict):
    """Which form of the picture."""

    size: Literal["full", "thumb"] = "full"
    v: Annotated[str, Field(max_length=32, description="Which picture a page means; not read.")] | None = None


SnoozedUntil = Annotated[
    QueryMoment, Field(description="A time to come; null wakes it. A day means its first moment in UTC.")
]


AssigneeName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=254),
    Field(description="`me`, `none`, or a user's id or e-mail."),
]
TagName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
TagNames = Annotated[list[TagName], Field(min_length=1, max_length=20, description="Names of tags.")]


class FeedbackChange(Strict):
    """What may be changed of a submission; what is left out stays."""

    status: Status | None = None
    is_read: bool | None = None
    is_archived: bool | None = None
    category: Word | None = None
    admin_notes: Annotated[str, StringConstraints(max_length=MOST_NOTES)] | None = None
    assignee: AssigneeName | None = None
    tags: Annotated[list[str], Field(max_length=50, description="Names; these and no others.")] | None = None
    snoozed_until: SnoozedUntil | None = None
    version: (
        Annotated[
            int,
            Field(ge=1, le=2**31, description="The version that the change was made from; older is 409."),
        ]
        | None
    ) = None


class NewMessage(Strict):
    """A reply to the reporter, or a note that only agents see."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=MOST_NOTES)]
    internal: bool = False
    status: Annotated[Status | None, Field(description="Where the submission goes with it.")] = None
    assignee: Annotated[AssigneeName | None, Field(description="Who works on it from now on.")] = None
    add_tags: Annotated[TagNames | None, Field(description="Tags that it gets as well.")] = None


class MessagesQuery(Strict):
    """A page of the thread."""

    limit: Annotated[int, Field(ge=1, le=200), BeforeValidator(_count)] = 50
    cursor: str | None = None


Pixels = Annotated[float, Field(ge=-100_000, le=100_000, allow_inf_nan=False)]


class RedactionBox(Strict):
    """A part of the picture, in CSS pixels of the page that it shows, as `annotation_coords` are."""

    x: Pixels
    y: Pixels
    width: Pixels
    height: Pixels


class Redaction(Strict):
    """What of a picture nobody is to see."""

    boxes: Annotated[list[RedactionBox], Field(min_length=1, max_length=50)]


class LinkChange(Strict):
    """What becomes of the reporter's link."""

    revoked: bool


TagColor = Annotated[int, Field(ge=1, le=8, description="One of the eight colours of the charts.")]


class TagPath(BaseModel):
    """The address of a tag."""

    public_id: PublicId


class NewTag(Strict):
    """A tag to be made."""

    name: TagName
    color: TagColor | None = None


class TagChange(Strict):
    """What may be changed of a tag."""

    name: TagName | None = None
    color: TagColor | None = None


class TagMerge(Strict):
    """Which tag another becomes."""

    into: PublicId


ViewQuery = Annotated[
    str, Field(max_length=2000, description="Query of the inbox's address: `status=open&category=bug`.")
]


class NewView(Strict):
    """A view to be kept."""

    name: Name
    query: ViewQuery
    is_shared: bool = False


class ViewChange(Strict):
    """What may be changed of a view."""

    name: Name | None = None
    query: ViewQuery | None = None
    is_shared: bool | None = None


class MergeOf(Strict):
    """Submissions that say the same."""

    ids: Annotated[list[PublicId], Field(min_length=1, max_length=100)]
    into: Annotated[PublicId | None, Field(description="The one that stays.")] = None


MacroText = Annotated[str, StringConstraints(min_length=1, max_length=MOST_NOTES)]


class MacroPath(BaseModel):
    """The address of a macro."""

    public_id: PublicId


class MacroFields(Strict):
    """A macro: a text, and what is set when it is sent; null leaves status or assignee as they are."""

    name: Name | None = None
    kind: Literal["reply", "note"] | None = None
    text: (
        Annotated[
            MacroText,
            Field(description="`{first_name}`, `{name}`, `{reference}`, `{project}`, `{agent}` are filled."),
        ]
        | None
    ) = None
    status: Status | None = None
    assignee: Annotated[AssigneeName | None, Field(description="`me`, `none`, or a user's id.")] = None
    tags: Annotated[list[TagName], Field(max_length=20, description="Names of tags to add.")] | None = None
    is_shared: bool | None = None


class NewMacro(MacroFields):
    """A macro to be kept."""

    name: Name
    kind: Literal["reply", "note"] = "reply"
    text: MacroText
    tags: Annotated[list[TagName], Field(max_length=20, default_factory=list)]
    is_shared: bool = False


class MacroChange(MacroFields):
    """What may be changed of a macro."""


class ActPath(BaseModel):
    """The address of an act."""

    public_id: PublicId


class BulkSet(Strict):
    """What is set on all of them."""

    status: Status | None = None
    is_read: bool | None = None
    is_archived: bool | None = None
    category: Word | None = None
    assignee: Annotated[str, StringConstraints(max_length=254)] | None = None
    add_tags: TagNames | None = None
    remove_tags: TagNames | None = None
    snoozed_until: SnoozedUntil | None = None


class BulkAct(Strict):
    """One act on many submissions."""

    ids: Annotated[list[PublicId], Field(min_length=1, max_length=1000)] | None = None
    filter: Filters | None = None
    set: BulkSet | None = None
    delete: bool = False
    dry_run: bool = False
    version: (
        Annotated[
            int,
            Field(ge=1, le=2**31, description="Of the one id: the version that the act was made from."),
        ]
        | None
    ) = None
