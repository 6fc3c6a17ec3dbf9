"""The kinds of data that there are: the registry of the data map, in the order in which it is shown."""

from dataclasses import dataclass

WITH_IT = "as long as its submission"
ARCHIVE_DAYS = "EARMARK_ARCHIVE_DAYS"


@dataclass(frozen=True)
class Kind:
    """One kind of data: a title, why it is kept, how long, its tables.

    `stays` is a kind of policy (`submissions`, `audit`, …), `ARCHIVE_DAYS`, or a sentence.
    """

    title: str
    why: str
    stays: str
    tables: tuple[str, ...]
    place: str = "database"


KINDS = (
    Kind(
        "Submissions",
        "What a reporter sent, so that somebody can act on it.",
        "submissions",
        ("feedback_submissions",),
        "database, its search index; the archive, where a policy says so",
    ),
    Kind(
        "Pictures",
        "The page as the reporter saw it, marked and redacted by them.",
        WITH_IT,
        ("feedback_screenshots",),
        "database; the pictures in the blob store",
    ),
    Kind(
        "Threads",
        "The talk with the reporter, and what was done with a submission.",
        WITH_IT,
        ("messages", "submission_events", "feedback_tags", "merges"),
    ),
    Kind(
        "Acts on many",
        "What one act changed, so that it can be taken back.",
        "a short while, until it cannot be taken back any more",
        ("acts", "act_rows", "act_tags"),
    ),
    Kind("Tags", "Words by which a team sorts its submissions.", "until somebody deletes them", ("tags",)),
    Kind(
        "Holds",
        "What keeps submissions from every deletion, and why.",
        "for good, as a record of decisions",
        ("holds", "held_submissions"),
    ),
    Kind(
        "Archive",
        "Submissions that a policy put away before deleting them.",
        ARCHIVE_DAYS,
        ("archive_parts", "archived_submissions"),
        "database; the submissions as gzip JSON in the blob store",
    ),
    Kind(
        "Accounts",
        "People of the team who sign in, and what they sign in with.",
        "until the account is deleted; sessions by policy",
        ("users", "sessions", "api_tokens", "account_links", "recovery_codes"),
    ),
    Kind(
        "Settings",
        "Projects and their widgets, views, macros, policies.",
        "until somebody deletes them",
        ("projects", "saved_views", "macros", "retention_policies"),
    ),
    Kind(
        "Audit log",
        "Who did what, and the proof that nobody changed the record.",
        "audit",
        ("audit_entries", "audit_anchors"),
    ),
    Kind(
        "Erasures",
        "That somebody was erased, without saying who: so that no old copy brings them back.",
        "for good",
        ("erasures",),
        "database; the tombstones in the blob store",
    ),
    Kind(
        "Counts",
        "Numbers of submissions by day, kind and page for lists and dashboard. They name nobody.",
        "as long as there is something to count",
        ("daily_counts", "fact_counts", "quarter_counts", "response_counts", "rollup_state"),
    ),
    Kind(
        "Search",
        "Words of submissions and threads, to find them by.",
        WITH_IT,
        ("search_state", "search_touched"),
        "the search index of the database",
    ),
    Kind(
        "Performance",
        "How long statements, requests and pages took. Values of statements are never kept.",
        "statistics",
        (
            "query_statistics",
            "query_texts",
            "request_statistics",
            "browser_statistics",
            "resource_samples",
            "processes",
        ),
    ),
    Kind(
        "Slow log",
        "Statements that took too long, without their values.",
        "slow_log",
        ("slow_queries",),
    ),
    Kind(
        "Housekeeping",
        "What a sweep or a clean-up did, and which blobs it still has to delete.",
        "the last runs; an owed deletion until it is done",
        ("retention_runs", "space_runs", "blob_outbox"),
    ),
)
