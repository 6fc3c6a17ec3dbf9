"""The words of the pages a reporter sees: English and German, each replaceable by the project.

Keys that the widget has too (static/js/widget/texts.js) are the same here, so what a project replaces
there is replaced here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from werkzeug.datastructures import LanguageAccept

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
PLACE = re.compile(r"\{(\w+)\}")

ENGLISH = {
    "title": "Tell {project}",
    "kind": "Kind",
    "kind.bug": "Bug",
    "kind.idea": "Idea",
    "kind.question": "Question",
    "kind.praise": "Praise",
    "kind.other": "Other",
    "ask": "What is on your mind?",
    "page": "Address of the page it is about",
    "image": "Picture",
    "image.hint": "PNG, JPEG or WebP, at most {n} MB. Hide what nobody should see before you choose it.",
    "rating": "How is it, from 1 (poor) to 5 (very good)?",
    "name": "Name",
    "email": "E-mail",
    "optional": "optional",
    "email.optional": "only if you want an answer",
    "send": "Send",
    "no.cookies": "No cookies, no JavaScript",
    "private.link": "You get a private link to follow what you send.",
    "privacy": "What happens to it",
    "trap": "Leave this empty",
    "check": "Nothing was sent yet. Check this first:",
    "image.again": "Choose the picture again before you send.",
    "empty.description": "Write a few words first.",
    "long.description": "This is too long: at most 10,000 characters can be kept.",
    "wrong.description": "This holds a character that cannot be kept.",
    "wrong.category": "Choose a kind.",
    "wrong.url": "This is not a complete address, like https://example.com/page.",
    "wrong.rating": "Choose a number from 1 to 5.",
    "empty.name": "Write your name.",
    "wrong.name": "This name cannot be kept: at most 200 characters on one line.",
    "empty.email": "Write your e-mail address.",
    "wrong.email": "This is not a complete e-mail address, like name@example.com.",
    "wrong.screenshot": "This picture cannot be taken. It must be PNG, JPEG or WebP, at most {n} MB "
    "and 24 megapixels, and not move.",
    "refused.limited": "You have sent several already. What you wrote is kept here: send it again "
    "in {n} minutes or later.",
    "refused.busy": "This could not be kept just now. What you wrote is still here: send it again "
    "in a moment.",
    "refused.sent": "You sent this form before, with other words. Send it again, and it becomes a "
    "submission of its own.",
    "refused": "This could not be sent. What you wrote is still here: try again.",
    "sent.title": "Sent",
    "thanks.name": "Thank you, {name}.",
    "thanks.short": "Thank you.",
    "kept.under": "We keep this under",
    "follow.words": "You can follow it on your own page; no account needed.",
    "follow": "Follow it here",
    "only.link": "Keep the link: it is the only way to that page.",
    "another": "Send another",
    "private": "Only people with this link can see this page",
    "reference": "Reference",
    "state.open": "We have it",
    "state.in_progress": "We are working on it",
    "state.resolved": "It is settled",
    "state.closed": "It is closed",
    "state.rejected": "We read it and closed it",
    "step.received": "Received",
    "step.in_progress": "In progress",
    "step.settled": "Settled",
    "step.closed": "Closed",
    "step.now": "now",
    "step.since": "since {when}",
    "step.later": "not yet",
    "you.wrote": "You wrote,",
    "about": "about",
    "rated": "{n} of 5",
    "picture.alt": "The picture you sent",
    "picture.large": "See the picture larger",
    "picture.close": "Smaller again",
    "picture.alone": "The picture without marks",
    "picture.pending": "Your picture is being prepared. Load this page again in a moment.",
    "picture.failed": "Your picture could not be read. Your words are kept.",
    "picture.none": "Your picture",
    "picture.one": "Your picture, with 1 mark",
    "picture.other": "Your picture, with {n} marks",
    "you": "You",
    "from": "{name} from {project}",
    "thread": "Messages",
    "earlier": "Show earlier messages",
    "answer": "Add something",
    "answer.to": "Answer {name}",
    "answer.opens": "Your answer opens this again.",
    "come.back": "This page shows where it stands whenever you come back.",
    "merged": "Others told us the same. We work on it in one place, and this page shows how far it is.",
    "kept.until": "As things stand, this is kept until {when}.",
    "copy": "Get a copy of everything",
    "delete": "Delete what I sent",
    "delete.ask": "Delete what you sent?",
    "delete.ask.words": "Your words, your picture and all messages here are deleted at once, and this "
    "page with them. This cannot be undone.",
    "delete.keep": "Keep it",
    "delete.yes": "Delete it for good",
    "delete.held": "This has to be kept for now",
    "delete.held.words": "The team has to keep it for a reason of its own, so nothing was deleted. "
    "Ask them by an answer on your page, or try again later.",
    "delete.back": "Back to your page",
    "delete.gone": "It is deleted",
    "delete.gone.words": "Your words, your picture and all messages are gone. You can close this page.",
    "day": "{day} {month} {year}",
    "date": "{day} {month} {year}, {time} UTC",
    "months": "January February March April May June July August September October November December",
}

GERMAN = {
    "title": "An {project} schreiben",
    "kind": "Art",
    "kind.bug": "Fehler",
    "kind.idea": "Idee",
    "kind.question": "Frage",
    "kind.praise": "Lob",
    "kind.other": "Anderes",
    "ask": "Worum geht es?",
    "page": "Adresse der Seite, um die es geht",
    "image": "Bild",
    "image.hint": "PNG, JPEG oder WebP, höchstens {n} MB. Verdecken Sie vorher, was niemand sehen soll.",
    "rating": "Wie ist es, von 1 (schlecht) bis 5 (sehr gut)?",
    "name": "Name",
    "email": "E-Mail",
    "optional": "freiwillig",
    "email.optional": "nur wenn Sie eine Antwort möchten",
    "send": "Senden",
    "no.cookies": "Ohne Cookies, ohne JavaScript",
    "private.link": "Sie bekommen einen privaten Link, unter dem Sie alles verfolgen können.",
    "privacy": "Was damit geschieht",
    "trap": "Bitte leer lassen",
    "check": "Noch ist nichts gesendet. Bitte zuerst prüfen:",
    "image.again": "Wählen Sie das Bild vor dem Senden noch einmal.",
    "empty.description": "Schreiben Sie zuerst ein paar Worte.",
    "long.description": "Das ist zu lang: höchstens 10.000 Zeichen werden angenommen.",
    "wrong.description": "Darin steht ein Zeichen, das nicht angenommen wird.",
    "wrong.category": "Wählen Sie eine Art.",
    "wrong.url": "Das ist keine vollständige Adresse wie https://example.com/seite.",
    "wrong.rating": "Wählen Sie eine Zahl von 1 bis 5.",
    "empty.name": "Schreiben Sie Ihren Namen.",
    "wrong.name": "Dieser Name wird nicht angenommen: höchstens 200 Zeichen in einer Zeile.",
    "empty.email": "Schreiben Sie Ihre E-Mail-Adresse.",
    "wrong.email": "Das ist keine vollständige E-Mail-Adresse wie name@example.com.",
    "wrong.screenshot": "Dieses Bild wird nicht angenommen. Es muss PNG, JPEG oder WebP sein, höchstens "
    "{n} MB und 24 Megapixel, und darf sich nicht bewegen.",
    "refused.limited": "Sie haben schon mehrmals geschrieben. Ihre Worte stehen noch hier: senden Sie "
    "sie frühestens in {n} Minuten noch einmal.",
    "refused.busy": "Das ließ sich gerade nicht aufnehmen. Ihre Worte stehen noch hier: senden Sie sie "
    "gleich noch einmal.",
    "refused.sent": "Dieses Formular haben Sie schon mit anderen Worten gesendet. Senden Sie es noch "
    "einmal, dann wird es ein eigener Eintrag.",
    "refused": "Das ließ sich nicht senden. Ihre Worte stehen noch hier: versuchen Sie es noch einmal.",
    "sent.title": "Gesendet",
    "thanks.name": "Danke, {name}.",
    "thanks.short": "Danke.",
    "kept.under": "Wir führen das unter",
    "follow.words": "Sie können es auf Ihrer eigenen Seite verfolgen, ohne Konto.",
    "follow": "Hier verfolgen",
    "only.link": "Bewahren Sie den Link auf: nur er führt zu dieser Seite.",
    "another": "Noch etwas senden",
    "private": "Nur wer diesen Link hat, sieht diese Seite",
    "reference": "Zeichen",
    "state.open": "Es ist bei uns",
    "state.in_progress": "Wir arbeiten daran",
    "state.resolved": "Es ist erledigt",
    "state.closed": "Es ist abgeschlossen",
    "state.rejected": "Wir haben es gelesen und abgeschlossen",
    "step.received": "Eingegangen",
    "step.in_progress": "In Arbeit",
    "step.settled": "Erledigt",
    "step.closed": "Abgeschlossen",
    "step.now": "jetzt",
    "step.since": "seit {when}",
    "step.later": "noch nicht",
    "you.wrote": "Sie schrieben,",
    "about": "über",
    "rated": "{n} von 5",
    "picture.alt": "Das Bild, das Sie gesendet haben",
    "picture.large": "Das Bild größer sehen",
    "picture.close": "Wieder kleiner",
    "picture.alone": "Das Bild ohne Markierungen",
    "picture.pending": "Ihr Bild wird vorbereitet. Laden Sie diese Seite gleich noch einmal.",
    "picture.failed": "Ihr Bild war nicht lesbar. Ihre Worte sind da.",
    "picture.none": "Ihr Bild",
    "picture.one": "Ihr Bild, mit 1 Markierung",
    "picture.other": "Ihr Bild, mit {n} Markierungen",
    "you": "Sie",
    "from": "{name} von {project}",
    "thread": "Nachrichten",
    "earlier": "Frühere Nachrichten zeigen",
    "answer": "Etwas hinzufügen",
    "answer.to": "{name} antworten",
    "answer.opens": "Ihre Antwort öffnet dies wieder.",
    "come.back": "Diese Seite zeigt den Stand, wann immer Sie wiederkommen.",
    "merged": "Andere haben uns dasselbe gesagt. Wir arbeiten an einer Stelle daran, und diese Seite "
    "zeigt den Stand.",
    "kept.until": "Nach jetzigem Stand aufbewahrt bis {when}.",
    "copy": "Alles als Kopie holen",
    "delete": "Löschen, was ich gesendet habe",
    "delete.ask": "Löschen, was Sie gesendet haben?",
    "delete.ask.words": "Ihre Worte, Ihr Bild und alle Nachrichten hier werden sofort gelöscht, und mit "
    "ihnen diese Seite. Das lässt sich nicht zurücknehmen.",
    "delete.keep": "Behalten",
    "delete.yes": "Endgültig löschen",
    "delete.held": "Dies muss vorerst aufbewahrt werden",
    "delete.held.words": "Das Team muss es aus einem eigenen Grund aufbewahren, darum wurde nichts gelöscht. "
    "Fragen Sie mit einer Antwort auf Ihrer Seite nach, oder versuchen Sie es später noch einmal.",
    "delete.back": "Zurück zu Ihrer Seite",
    "delete.gone": "Es ist gelöscht",
    "delete.gone.words": "Ihre Worte, Ihr Bild und alle Nachrichten sind fort. Sie können diese Seite "
    "schließen.",
    "day": "{day}. {month} {year}",
    "date": "{day}. {month} {year}, {time} UTC",
    "months": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
}

SHIPPED: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "de": GERMAN}


@dataclass(frozen=True)
class Words:
    """A page's words in one language; called with a key, it answers the text with its places filled."""

    locale: str
    texts: Mapping[str, str]

    def __call__(self, key: str, /, **places: object) -> str:
        """Return the text of a key; a place that is not given stays as it is."""
        return PLACE.sub(lambda place: str(places.get(place[1], place[0])), self.texts[key])

    @property
    def direction(self) -> str:
        """Return the value of `dir`: `ltr` or `rtl`."""
        return "rtl" if _language(self.locale) in RIGHT_TO_LEFT else "ltr"

    def moment(self, moment: datetime) -> str:
        """Write a moment with its date; in UTC and saying so, for nobody told the reader's time zone."""
        moment = moment.astimezone(UTC)
        return self(
            "date",
            day=moment.day,
            month=self.texts["months"].split(" ")[moment.month - 1],
            year=moment.year,
            time=f"{moment:%H:%M}",
        )

    def day(self, moment: datetime) -> str:
        """Write the day of a moment, in UTC."""
        moment = moment.astimezone(UTC)
        month = self.texts["months"].split(" ")[moment.month - 1]
        return self("day", day=moment.day, month=month, year=moment.year)

    def category(self, key: str, label: str | None) -> str:
        """Name a category: as the project does, else as we do, else by its key."""
        return label or self.texts.get(f"kind.{key}", key)


def words(locale: str | None, replaced: Mapping[str, Mapping[str, str]], accepted: LanguageAccept) -> Words:
    """Choose the language: the project's own, else the best the browser accepts, else English.

    `replaced` maps a locale to texts that stand in for the shipped ones.
    """
    wished = [locale] if locale else [tag for tag, _quality in accepted]
    known = {"en", "de", *replaced}
    chosen = next((name for tag in wished for name in (tag, _language(tag)) if name in known), "en")
    language = _language(chosen)
    own = {**replaced.get(language, {}), **replaced.get(chosen, {})}
    own = {key: text for key, text in own.items() if text}
    if "months" in own and len(own["months"].split(" ")) != 12:
        del own["months"]
    return Words(chosen, {**ENGLISH, **SHIPPED.get(language, {}), **own})


def _language(tag: str) -> str:
    return tag.replace("_", "-").split("-")[0].lower()
