"""Where submissions come from: projects with their pages, browsers, releases, and what the page told."""

from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

# How many of 128 submissions go to each.
PROJECTS = {"Shop": 96, "Help centre": 21, "Partner portal": 11}
# How many of 891 are of each kind.
CATEGORIES = {"bug": 352, "idea": 204, "question": 181, "praise": 94, "other": 60}
RARE_CATEGORY = 30  # a category of a project's own
SITES = {
    "Shop": (
        "https://shop.example",
        {
            **{"/basket": 143, "/checkout/address": 98, "/pans/cast-iron": 71, "/orders": 64, "/": 40},
            **{
                "/checkout/payment": 47,
                "/help/returns": 52,
                "/linen": 33,
                "/search?q=pan": 28,
                "/orders/{n}": 60,
            },
            **{
                "/account/addresses": 25,
                "/gift-cards": 22,
                "/journal/oiling": 18,
                "/journal/seasoning-a-pan": 9,
            },
        },
    ),
    "Help centre": (
        "https://help.example",
        {"/help/returns": 52, "/help/delivery": 40, "/help/contact": 21, "/help/articles/{n}": 30, "/": 12},
    ),
    "Partner portal": (
        "https://partners.example",
        {"/reports/weekly": 44, "/reports/monthly": 20, "/invoices/{n}": 25, "/settings/users": 11},
    ),
}
RATED_SHARE = 0.22
RATINGS = {
    "praise": (0, 0, 2, 18, 80),
    "idea": (2, 8, 35, 40, 15),
    "question": (5, 15, 45, 25, 10),
    "bug": (38, 30, 20, 9, 3),
}
ANY_RATING = (15, 20, 30, 20, 15)
TOLD_RELEASE_SHARE = 0.94
STATE_SHARE = 0.3


@dataclass(frozen=True)
class Machine:
    """A browser on a system. `major` is its newest version; an older month had an older one."""

    weight: int
    browser: str
    major: int
    system: str
    agent: str
    screen: str
    viewport: str
    ratio: float


MACHINES = (
    Machine(
        268,
        "Mobile Safari",
        26,
        "iOS 26",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/{major}.0 Mobile/15E148 Safari/604.1",
        "390x844",
        "390x664",
        3.0,
    ),
    Machine(
        231,
        "Chrome",
        142,
        "Windows 10",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/{major}.0.0.0 Safari/537.36",
        "1920x1080",
        "1905x953",
        1.0,
    ),
    Machine(
        126,
        "Firefox",
        145,
        "Mac OS X 10",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:{major}.0) Gecko/20100101 Firefox/{major}.0",
        "1440x900",
        "1280x800",
        2.0,
    ),
    Machine(
        111,
        "Chrome Mobile",
        142,
        "Android 10",
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/{major}.0.0.0 Mobile Safari/537.36",
        "412x915",
        "412x785",
        2.625,
    ),
    Machine(
        85,
        "Edge",
        142,
        "Windows 10",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/{major}.0.0.0 Safari/537.36 Edg/{major}.0.0.0",
        "2560x1440",
        "2543x1318",
        1.5,
    ),
    Machine(
        52,
        "Safari",
        26,
        "Mac OS X 10",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/{major}.0 Safari/605.1.15",
        "1512x982",
        "1512x857",
        2.0,
    ),
    Machine(
        18,
        "Firefox",
        145,
        "Linux",
        "Mozilla/5.0 (X11; Linux x86_64; rv:{major}.0) Gecko/20100101 Firefox/{major}.0",
        "1920x1200",
        "1600x1000",
        1.0,
    ),
)
MACHINE_WEIGHTS = [machine.weight for machine in MACHINES]


def version(machine: Machine, moment: datetime, until: datetime) -> int:
    """Return the browser's version of that month; Safari has one a year, the others one a month."""
    months = (until - moment).days // 30
    return machine.major - (months // 12 if "Safari" in machine.browser else months)


def release(moment: datetime, rng: Random) -> str:
    """Return the page's release, named by its week: `web-2026.47.2`."""
    year, week, weekday = moment.isocalendar()
    return f"web-{year}.{week:02}.{min(weekday // 3, rng.randrange(3))}"


def address(project: str, rng: Random) -> str:
    """Return the page that a submission was sent from."""
    site, pages = SITES.get(project, SITES["Shop"])
    (path,) = rng.choices(list(pages), list(pages.values()))
    return site + path.replace("{n}", str(rng.randrange(10_000, 99_999)))


def rating(category: str, rng: Random) -> int | None:
    """Return one to five stars, or None as most leave them out."""
    if rng.random() > RATED_SHARE:
        return None
    return rng.choices((1, 2, 3, 4, 5), RATINGS.get(category, ANY_RATING))[0]


def state(rng: Random) -> dict[str, Any] | None:
    """Return what the page handed over of its state."""
    if rng.random() > STATE_SHARE:
        return None
    total = rng.randrange(800, 24_000) / 100
    return {
        "cart": {"items": rng.randrange(1, 9), "subtotal": total, "discount": None, "code": "AUTUMN15"},
        "flags": {"new_checkout": rng.random() < 0.5, "search": "b"},
        "errors": ["TypeError: discount is null"] if rng.random() < 0.2 else [],
    }
