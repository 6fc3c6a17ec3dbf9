"""What the made-up shop of /demo sells: the words and figures that its template shows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """One picture of the pan: paths under `app/static`; `small` is half as wide, where there is one."""

    file: str
    thumb: str
    alt: str
    small: str | None = None


@dataclass(frozen=True)
class Size:
    """A diameter in centimetres and its price in cents."""

    cm: int
    cents: int


@dataclass(frozen=True)
class Line:
    """One line of the basket that a visitor finds; prices in cents."""

    id: str
    name: str
    cents: int
    quantity: int
    thumb: str

    @property
    def price(self) -> str:
        """The price of one."""
        return money(self.cents)

    @property
    def sum(self) -> str:
        """The price of the line."""
        return money(self.cents * self.quantity)


@dataclass(frozen=True)
class StarCount:
    """How many reviews gave this many stars."""

    stars: int
    count: int


def money(cents: int) -> str:
    """Write a price as the shop does: `64.00 EUR`."""
    return f"{cents / 100:.2f} EUR"


PICTURES = (
    Picture("demo/pan-side.svg", "demo/pan-side.svg", "A black cast-iron pan, seen from the side"),
    Picture("demo/bowl.png", "demo/bowl-thumb.png", "The stoneware bowl that goes with it"),
    Picture(
        "demo/towel.webp",
        "demo/towel-thumb.webp",
        "The linen towel that goes with it",
        small="demo/towel-730.webp",
    ),
    Picture(
        "demo/pan-above.webp",
        "demo/pan-above-thumb.webp",
        "Two fried eggs in the pan, seen from above",
        small="demo/pan-above-730.webp",
    ),
)

SIZES = (Size(20, 5400), Size(24, 6400), Size(28, 7400))

# The pan is 64.00 EUR on the page: the basket is wrong on purpose, so that there is something to report.
BASKET = (
    Line("pan-24", "Cast-iron pan, 24 cm", 7400, 1, "demo/pan-side.svg"),
    Line("bowl", "Stoneware bowl", 1800, 2, "demo/bowl-thumb.png"),
    Line("towel", "Linen towel", 1200, 1, "demo/towel-thumb.webp"),
)

REVIEWS = (
    StarCount(5, 152),
    StarCount(4, 43),
    StarCount(3, 9),
    StarCount(2, 5),
    StarCount(1, 3),
)
