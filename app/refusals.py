"""How often a refusal of one kind is written into the audit log: an entry costs a write, and stays for years.

Of the same refusals within ten minutes the first, the tenth, the hundredth … are written with their number,
so that one who asks without end neither fills the log nor stays unseen in it. Counted over all processes,
where rate limits are counted.
"""

import hashlib

from app.limits_storage import rate_limiter

WINDOW_SECONDS = 600


def is_written(number: int) -> bool:
    """Tell whether the refusal of this number, counted from 1, is written: a power of ten."""
    return str(number).strip("0") == "1"


def count_refusal(*what: str) -> int:
    """Count a refusal of one kind and return its number within ten minutes; 1 where none can be counted."""
    key = hashlib.sha256("\n".join(what).encode("utf-8", "replace")).hexdigest()
    storage = rate_limiter().storage
    try:
        return storage.incr(f"refusals/{key}", WINDOW_SECONDS)
    except storage.base_exceptions:
        return 1
