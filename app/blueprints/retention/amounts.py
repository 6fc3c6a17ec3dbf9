"""Numbers of things in words, for terminal and pages."""


def many(count: int, noun: str = "submission") -> str:
    """Write a number and its noun: `1 submission`, `1,200 other rows` (of `other row`)."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
