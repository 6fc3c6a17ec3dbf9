"""Amounts in words, the same on every page and terminal: counts, numbers with their noun, sizes."""

SIZES = ("bytes", "KB", "MB", "GB", "TB", "PB")


def count(value: float | None) -> str:
    """Write a whole number: `41,206`; a dash for None."""
    return "–" if value is None else f"{value:,.0f}"


def many(value: float, one: str, more: str | None = None) -> str:
    """Write a number with its noun: `1 submission`, `3 indexes`; `more` where it is not `one` with an s."""
    return f"{count(value)} {one if round(value) == 1 else more or one + 's'}"


def size(value: float | None) -> str:
    """Write a number of bytes: `812 bytes`, `120 KB`, `3.8 MB`, `420 MB`; `unknown` for None.

    A KB is 1,024 bytes, as file managers and SQLite's own tools count.
    """
    if value is None:
        return "unknown"
    step = 0
    while abs(value) >= 999.5 and step < len(SIZES) - 1:
        value, step = value / 1024, step + 1
    short = f"{value:.1f}" if step > 1 and abs(value) < 9.95 else f"{value:,.0f}"
    return f"{short} {SIZES[step]}"
