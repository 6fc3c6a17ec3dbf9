"""What agents reply and note, and what reporters answer: the team writes English, reporters their own."""

from random import Random

from app.blueprints.operations.seed.languages import Language
from app.blueprints.operations.seed.words import filled

REPLIES = (
    "Thank you for writing. We see it too and are looking into it.",
    "Thank you, that helps. Which browser do you use, and does it also happen in a private window?",
    "This is mended since this morning. Could you load the page once more?",
    "The {product} is back on Thursday; I put you on the list.",
    "I have cancelled order {order} and sent the {sum} EUR back to your card. It takes two or three days.",
    "The code {code} counts once per order. I made you a new one, {code}, good until the end of the month.",
    "We ship to Norway since last week: {sum} EUR, three to five days.",
    "Could you send the number of the order? It stands in the first line of our e-mail.",
    "Good idea. It is on our list, and I have counted your voice.",
    "I am sorry that it took {number} minutes. The page was too busy then; today it is quick again.",
    "You can send back one of the two and keep the other. The label is in your account under Returns.",
    "Thank you! I passed it on to everybody here.",
    "We could not repeat it. If it happens again, please press the button once more and mark the place.",
    "Your address is corrected for this order and the next ones.",
)
NOTES = (
    "Same cause as order {order}; the discount is null when the basket is restored.",
    "Asked the shop team, they answer on Monday.",
    "Third one this week. Worth a look at the logs of the payment page.",
    "Refund of {sum} EUR agreed with Ana.",
    "Only Safari on iOS. Repeated it on the test phone.",
    "Known since web-2026.47.2, mended in the next one.",
    "Reporter called as well; told her the same.",
)
JOTTED = ("Same cause as the discount fault.", "Asked the shop team.", "Known since web-2026.47.2.")


def reply(rng: Random) -> str:
    """Write what an agent answers."""
    return filled(rng, rng.choice(REPLIES))


def note(rng: Random) -> str:
    """Write what only agents see."""
    return filled(rng, rng.choice(NOTES))


def answer(language: Language, rng: Random) -> str:
    """Write what a reporter answers in their language."""
    said = rng.choice(language.details or language.closings)
    if rng.random() < 0.4 and language.closings:
        said = f"{said} {rng.choice(language.closings)}"
    return filled(rng, said)
