"""Static files: published once per build under `/static/BUILD/…`, precompressed and immutable.

BUILD is a hash of all static files, so a page always gets modules that belong together, and caches may
keep them for ever. Builds of earlier versions stay published: a page that was open during an upgrade still
loads the modules it began with.
"""

import functools
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from flask import Flask
from rjsmin import jsmin
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

SOURCE = Path(__file__).parent / "static"
OUR_MODULES = SOURCE / "js"
ENTRY = Path("js/widget/entry.js")
BUILD_MARK = "__EARMARK_BUILD__"
KEPT_BUILDS = 5
YEAR_SECONDS = 365 * 24 * 3600
# The entry has one address for ever, so it is asked for again after five minutes.
ENTRY_SECONDS = 300


@functools.cache
def build_id() -> str:
    """Return the first 12 hex digits of the SHA-256 of all static files, names and bytes."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(str(path.relative_to(SOURCE)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def static_url(name: str) -> str:
    """Return the address of a static file; raises FileNotFoundError for one that is not there."""
    if not (SOURCE / name).is_file():
        raise FileNotFoundError(name)
    return f"/static/{build_id()}/{name}"


def init_app(app: Flask, folder: Path) -> None:
    """Publish this build into `folder` if it is new, and serve what is there."""
    publish(folder)
    files = WhiteNoise(
        app.wsgi_app,
        max_age=YEAR_SECONDS,
        allow_all_origins=True,
        add_headers_function=_add_headers,
        immutable_file_test=lambda _path, url: url.startswith("/static/"),
    )
    files.add_files(str(folder), prefix="static/")
    entry = folder / build_id() / ENTRY
    files.add_file_to_dictionary("/widget.js", str(entry), stat_cache=_stats(entry))
    app.wsgi_app = files  # type: ignore[method-assign]
    app.jinja_env.globals["static_url"] = static_url


def publish(folder: Path) -> None:
    """Copy and compress the static files to `folder/BUILD`, all or nothing; remove the oldest builds."""
    target = folder / build_id()
    if target.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".build-", dir=folder))
    try:
        _copy(draft)
        _compress(draft)
        draft.chmod(0o755)
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not target.exists():  # otherwise another process published it meanwhile
            raise
    _forget_oldest(folder)


def _sources() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*") if path.is_file() and path.name[0] != ".")


def _copy(draft: Path) -> None:
    for path in _sources():
        target = draft / path.relative_to(SOURCE)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_relative_to(OUR_MODULES) and path.suffix == ".js":
            target.write_text(_without_comments(path.read_text("utf-8")), "utf-8")
        else:
            shutil.copyfile(path, target)


def _without_comments(module: str) -> str:
    """Return a module as browsers get it: comments and spare white space are a quarter of its bytes."""
    minified: str = jsmin(module)
    return minified.replace(BUILD_MARK, build_id())


def _compress(draft: Path) -> None:
    compressor = Compressor(quiet=True)
    for path in sorted(draft.rglob("*")):
        if path.is_file() and compressor.should_compress(path.name):
            list(compressor.compress(str(path)))


def _forget_oldest(folder: Path) -> None:
    builds = [path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."]
    builds.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for old in builds[KEPT_BUILDS:]:
        shutil.rmtree(old, ignore_errors=True)


def _stats(path: Path) -> dict[str, os.stat_result]:
    files = (path, path.with_name(path.name + ".br"), path.with_name(path.name + ".gz"))
    return {str(file): file.stat() for file in files if file.exists()}


def _add_headers(headers: Any, _path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    headers["Referrer-Policy"] = "no-referrer"
    if url == "/widget.js":
        headers["Cache-Control"] = f"public, max-age={ENTRY_SECONDS}"
