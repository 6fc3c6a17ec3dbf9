"""A crowd that sends all at once and does not give up, and the ledger of what it was told.

A broken connection says nothing about what became of a submission, so the sender sends the same bytes under
the same idempotency key again until there is an answer. The last one that was acknowledged is sent once more
after every break: the answer must be the same.
"""

import base64
import http.client
import io
import json
import random
import threading
import time
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

from tests.blueprints.intake.sending import FORM, form

SENDERS = 8
TIMEOUT_SECONDS = 30.0
# A submission that finds no answer for as long as this is reported, not tried for ever.
PATIENCE_SECONDS = 120.0
COLORS = ((200, 40, 40), (40, 160, 60), (40, 60, 200), (220, 180, 30))
FORMATS = ("PNG", "JPEG", "WEBP")
MARKS = [{"kind": "rectangle", "points": [[10, 10], [60, 40]], "color": "#ff0000"}]
TEXT = "Die Größe stimmt nicht: 尺寸 ≠ 40×30 — the total is wrong after a reload. "


@dataclass(frozen=True)
class Letter:
    """One submission: the bytes that are sent each time, and what must be found afterwards."""

    key: str
    description: str
    content_type: str
    body: bytes
    marked: bool = False
    has_picture: bool = False
    color: tuple[int, int, int] | None = None  # of the picture's middle; None for one that is broken


@dataclass
class Ledger:
    """What the crowd was told. Its condition is notified at each acknowledgement."""

    acknowledged: dict[str, tuple[Letter, str]] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)
    breaks: int = 0
    recovered: int = 0  # kept before the break, and acknowledged only after it
    repeated: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def acknowledge(self, letter: Letter, public_id: str, duplicate: bool, broken: bool) -> None:
        with self.changed:
            self.acknowledged[letter.key] = (letter, public_id)
            self.recovered += duplicate
            if duplicate and not broken:
                self.surprises.append(f"{letter.key}: a duplicate at the first try")
            self.changed.notify_all()

    def surprise(self, text: str) -> None:
        with self.changed:
            self.surprises.append(text)

    def count_break(self) -> None:
        with self.changed:
            self.breaks += 1

    def count_repeat(self) -> None:
        with self.changed:
            self.repeated += 1

    def wait_for_more(self, count: int, seconds: float = 90.0) -> None:
        """Wait until so many more are acknowledged."""
        with self.changed:
            wanted = len(self.acknowledged) + count
            found = self.changed.wait_for(lambda: len(self.acknowledged) >= wanted, seconds)
        assert found, f"no {count} acknowledgements within {seconds:.0f} s"


class Crowd:
    """Threads that send until they are dismissed; held back while the server is known to be down."""

    def __init__(self, port: int, project_key: str, seed: int, *, senders: int = SENDERS) -> None:
        self.ledger = Ledger()
        self.up = threading.Event()
        self.sends_picture = threading.Event()
        self.dismissed = threading.Event()
        self._senders = [
            Sender(self, port, project_key, random.Random(f"{seed}-{number}"), f"{seed}-{number}")
            for number in range(senders)
        ]
        self._threads = [threading.Thread(target=sender.run, daemon=True) for sender in self._senders]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def dismiss(self) -> None:
        """Let everybody deliver what is in hand, and wait for that; the server is up meanwhile."""
        self.dismissed.set()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS + TIMEOUT_SECONDS)
        assert not any(thread.is_alive() for thread in self._threads), "a sender never came back"


class Sender:
    """One of the crowd, with a connection of its own that is kept open between submissions."""

    def __init__(self, crowd: Crowd, port: int, project_key: str, chance: random.Random, name: str) -> None:
        self._crowd = crowd
        self._ledger = crowd.ledger
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
        self._project_key = project_key
        self._chance = chance
        self._name = name
        self._last: tuple[Letter, str] | None = None

    def run(self) -> None:
        number = 0
        while not self._crowd.dismissed.is_set():
            number += 1
            self.deliver(write_letter(self._project_key, f"{self._name}-{number}", self._chance))
        self.close()

    def close(self) -> None:
        self._connection.close()

    def deliver(self, letter: Letter) -> None:
        """Send until there is an answer, and write down which."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        broken = False
        while time.monotonic() < deadline:
            answer = self._try(letter)
            if answer is None:
                self._ledger.count_break()
                broken = True
                self._repeat_last()
            elif answer[0] in (200, 201):
                public_id = answer[1]["data"]["id"]
                self._ledger.acknowledge(letter, public_id, answer[0] == 200, broken)
                self._last = (letter, public_id)
                return
            elif answer[0] in (409, 503):
                time.sleep(0.05)  # asked to come back; a second would only make the test longer
            else:
                self._ledger.surprise(f"{letter.key}: {answer}")
                return
        self._ledger.surprise(f"{letter.key}: no answer in {PATIENCE_SECONDS:.0f} s")

    def _repeat_last(self) -> None:
        if self._last is None:
            return
        letter, public_id = self._last
        answer = self._try(letter)
        if answer is None or answer[0] in (409, 503):
            return  # the outage goes on, and the next break asks again
        self._ledger.count_repeat()
        if answer[0] != 200 or answer[1]["data"]["id"] != public_id:
            self._ledger.surprise(f"{letter.key} was {public_id} and is now {answer}")

    def _try(self, letter: Letter) -> tuple[int, dict] | None:
        """One attempt: status and JSON, or None where nobody can know what became of it."""
        self._crowd.up.wait(PATIENCE_SECONDS)
        if letter.has_picture:
            self._crowd.sends_picture.set()
        headers = {"Content-Type": letter.content_type, "Idempotency-Key": letter.key}
        try:
            self._connection.request("POST", "/api/feedback", letter.body, headers)
            response = self._connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return None


def write_letter(project_key: str, name: str, chance: random.Random, *, picture: bool = False) -> Letter:
    """Make up one submission: JSON or a form, long or short, one in sixteen with a picture."""
    description = f"{name}: {TEXT * chance.randint(1, 20)}".strip()
    marked = chance.random() < 0.3
    fields = {"project": project_key, "description": description, "category": chance.choice(["bug", "idea"])}
    if marked:
        fields["annotation_coords"] = MARKS
    kind = "form picture" if picture else chance.choice(KINDS)
    color = None if "broken" in kind else chance.choice(COLORS)
    image = None
    if "picture" in kind:
        image = BROKEN if color is None else PICTURES[color, chance.choice(FORMATS)]
    content_type, body = _written(kind, fields, image)
    return Letter(name, description, content_type, body, marked, image is not None, color)


# Out of 64: what the widget, servers and scripts send. The worker decodes some ten pictures a second, so
# more of them would only lengthen the wait at the end.
KINDS = ["json"] * 32 + ["form"] * 28 + ["form picture"] * 2 + ["json picture", "form broken picture"]


def _written(kind: str, fields: dict, image: bytes | None) -> tuple[str, bytes]:
    if kind.startswith("json"):
        if image is not None:
            fields["screenshot"] = "data:image/png;base64," + base64.b64encode(image).decode()
        return "application/json", json.dumps(fields).encode()
    parts = [('form-data; name="feedback"', json.dumps(fields).encode())]
    if image is not None:
        parts.append(('form-data; name="screenshot"; filename="page.png"', image))
    return FORM, form(*parts)


def _draw(color: tuple[int, int, int], kind: str) -> bytes:
    """Draw a page of 480 × 320 pixels: a bar, lines of words, and one large field of the color."""
    image = Image.new("RGB", (480, 320), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 480, 40), fill=(30, 30, 40))
    for line in range(5):
        pen.text((20, 50 + 12 * line), TEXT.encode("ascii", "ignore").decode(), fill="black")
    pen.rectangle((120, 120, 360, 300), fill=color)
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


PICTURES = {(color, kind): _draw(color, kind) for color in COLORS for kind in FORMATS}
# Its header is whole, so it passes the quick check; the worker finds out.
BROKEN = PICTURES[COLORS[0], "PNG"][:300]
