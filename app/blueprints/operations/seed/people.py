"""Reporters: a few write often, most once; some give a name or an address, many neither."""

from dataclasses import dataclass
from random import Random

from app.blueprints.operations.seed.languages import Language

NAMED_SHARE = 0.55
SUBMISSIONS_A_REPORTER = 6
HOSTS = ("example.org", "example.com", "mail.example.net")


@dataclass(frozen=True)
class Reporter:
    """Who sent a submission, as far as told."""

    id: str | None
    name: str | None
    email: str | None


NOBODY = Reporter(None, None, None)


def reporter(language: Language, count: int, rng: Random) -> Reporter:
    """Draw a reporter of a language among as many as `count` submissions have."""
    if rng.random() > NAMED_SHARE:
        return NOBODY
    # The square makes low numbers likely: those who write often.
    number = int(rng.random() ** 2 * max(count // SUBMISSIONS_A_REPORTER, 20))
    first = language.first_names[number % len(language.first_names)]
    last = language.last_names[number // 7 % len(language.last_names)]
    email = f"{language.code}{number}@{HOSTS[number % len(HOSTS)]}" if number % 4 else None
    return Reporter(f"u-{number}" if number % 3 else None, f"{first} {last}", email)
