"""What reporters write: sentences by language and kind, put together so that few texts are alike."""

from random import Random

from app.blueprints.operations.seed.languages import LANGUAGES, Language

PRODUCTS = (
    *("cast-iron pan", "stoneware bowl", "linen towel", "oak board", "bread knife", "pepper mill"),
    *("salad spinner", "copper pot", "glass carafe", "tea strainer", "wok", "rolling pin", "trivet"),
    *("apron", "spice rack", "butter dish", "kettle", "mortar", "gift card", "knife block"),
)
CODES = ("AUTUMN15", "AUTUMN10", "WELCOME", "LINEN20", "SPRING5", "FRIENDS", "PAN2026")
SHORT_SHARE = 0.04
LONG_SHARE = 0.015
LONGEST_CHARACTERS = 9_800  # intake takes 10,000
SEPARATORS = (" ", " ", "\n", "\n\n")


def languages(rng: Random, count: int) -> list[Language]:
    """Draw languages by how often they are written."""
    return rng.choices(LANGUAGES, [language.weight for language in LANGUAGES], k=count)


def write(rng: Random, language: Language, category: str) -> str:
    """Write one description: mostly one to three sentences, now and then a word or some pages."""
    draw = rng.random()
    if draw < SHORT_SHARE:
        return rng.choice(language.short)
    openings = language.sentences.get(category) or language.sentences["other"]
    sentences = [rng.choice(openings)]
    if draw > 1 - LONG_SHARE:
        # One in ten of the long ones is about as long as intake takes.
        sentences += rng.choices(language.details + openings, k=150 if rng.random() < 0.1 else 12)
        return filled(rng, rng.choice(SEPARATORS).join(sentences))[:LONGEST_CHARACTERS].strip()
    if draw < 0.75 and category != "praise":
        sentences.append(rng.choice(language.details))
    if draw < 0.35:
        sentences.append(rng.choice(language.closings))
    return filled(rng, " ".join(sentences))


def filled(rng: Random, text: str) -> str:
    """Put a product, a code, an order, a number and a sum where a sentence has room for them."""
    return text.format(
        product=rng.choice(PRODUCTS),
        code=rng.choice(CODES),
        order=rng.randrange(10_000, 99_999),
        number=rng.randrange(2, 60),
        sum=f"{rng.randrange(8, 240)}.{rng.choice(('00', '50', '90'))}",
    )
