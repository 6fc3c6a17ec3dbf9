"""Runs the decoder in a child process with limits, and reads what it made.

Owns the border between an upload's bytes and this process: nothing but finished WebP bytes and four numbers
come back, or one word that says why not.
"""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.pictures import MAX_PIXELS, MAX_SIDE

DECODER = Path(__file__).with_name("decode.py")
# The child has 5 s of processor time at low priority; on a busy machine that takes longer on the clock. Well
# under the lease of the row (60 s).
TIMEOUT_SECONDS = 20
LONGEST_HEAD = 1024
FAILURES = frozenset({"several_pictures", "too_large", "not_a_picture", "broken"})


class DecodeFailed(Exception):
    """The upload cannot be shown; `reason` is one of `FAILURES`, or `too_slow`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DecoderLost(Exception):
    """The child came to no answer (killed, out of time, crashed): the upload may be sound or not."""


@dataclass(frozen=True)
class Decoded:
    """A picture as it is kept: WebP bytes, and its size in pixels."""

    picture: bytes
    thumbnail: bytes
    width: int
    height: int


Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels of the picture; the ends are outside


def decode(upload: bytes, boxes: Sequence[Box] = ()) -> Decoded:
    """Decode and re-encode an upload in a child process (60 ms and what the picture takes).

    What lies in `boxes` is blackened before it is encoded. Raises DecodeFailed for a picture that cannot be
    shown, DecoderLost when that was not found out.
    """
    # Files and not pipes: the child's output is bounded by its file size limit, and nobody waits for
    # anybody.
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(upload)
        source.seek(0)
        status = _run(source, target, boxes)
        target.seek(0)
        return _read(target, status)


def _run(source: IO[bytes], target: IO[bytes], boxes: Sequence[Box]) -> int:
    command = [sys.executable, "-I", str(DECODER), str(MAX_PIXELS), str(MAX_SIDE), json.dumps(boxes)]
    try:
        done = subprocess.run(
            command,
            stdin=source,
            stdout=target,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise DecoderLost(type(error).__name__) from None
    return done.returncode


def _read(target: IO[bytes], status: int) -> Decoded:
    if status == -signal.SIGXCPU:
        raise DecodeFailed("too_slow")
    if status != 0:
        raise DecoderLost(f"status {status}")
    try:
        head = json.loads(target.readline(LONGEST_HEAD))
        failure = head.get("failure")
        if failure is not None:
            raise DecodeFailed(failure if failure in FAILURES else "broken")
        picture, thumbnail = target.read(head["picture"]), target.read(head["thumbnail"])
        return Decoded(picture, thumbnail, int(head["width"]), int(head["height"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DecoderLost("no answer that can be read") from None
