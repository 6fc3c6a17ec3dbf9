"""The one place that reads the clock; rules take `now` as an argument."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """Write a moment as the API does: `2026-11-21T09:30:00.123456Z` (RFC 3339, UTC)."""
    return moment.astimezone(UTC).isoformat()[:-6] + "Z"
