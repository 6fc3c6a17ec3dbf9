"""Floor 2: what we know. Tables and their rules; no request, no template."""

from app.models.account_link import AccountLink
from app.models.act_tags import ActTag
from app.models.acts import Act, ActRow
from app.models.archive import ArchivedSubmission, ArchivePart
from app.models.audit import AuditAnchor, AuditEntry
from app.models.blob_outbox import BlobOutbox
from app.models.daily_count import DailyCount
from app.models.erasure import Erasure
from app.models.event import Event
from app.models.feedback import Feedback
from app.models.hold import HeldSubmission, Hold
from app.models.macro import Macro
from app.models.merge import Merge
from app.models.message import Message
from app.models.project import Project
from app.models.retention import RetentionPolicy, RetentionRun
from app.models.rollup import tables as rollup_tables
from app.models.saved_view import SavedView
from app.models.screenshot import Screenshot
from app.models.second_factor import RecoveryCode
from app.models.space_run import SpaceRun
from app.models.tag import FeedbackTag, Tag
from app.models.user import ApiToken, User, UserSession
from app.models.watching import STATISTICS

__all__ = [
    "STATISTICS",
    "AccountLink",
    "Act",
    "ActRow",
    "ActTag",
    "ApiToken",
    "ArchivePart",
    "ArchivedSubmission",
    "AuditAnchor",
    "AuditEntry",
    "BlobOutbox",
    "DailyCount",
    "Erasure",
    "Event",
    "Feedback",
    "FeedbackTag",
    "HeldSubmission",
    "Hold",
    "Macro",
    "Merge",
    "Message",
    "Project",
    "RecoveryCode",
    "RetentionPolicy",
    "RetentionRun",
    "SavedView",
    "Screenshot",
    "SpaceRun",
    "Tag",
    "User",
    "UserSession",
    "rollup_tables",
]
