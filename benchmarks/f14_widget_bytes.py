"""F14: what the widget weighs on the wire, in Brotli bytes, beside Sentry's feedback.

Ours are the files as the server publishes them, stage by stage: what a stage imports and an earlier one has
not loaded yet. Sentry's is the npm package, bundled and minified by esbuild, compressed at the same quality.
"""

import argparse
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import brotli

from app import static_files
from benchmarks.rounds import heading, verdict
from benchmarks.servers import CACHE

MODULES = Path("js/widget")
# Static imports and re-exports, minified or not; not `import('…')`, which is a later stage.
STATIC_IMPORT = re.compile(r"""\b(?:import|export)\b(?:[\w\s{},*$]*\bfrom)?\s*['"](\.{1,2}/[^'"]+)['"]""")
STAGES = (
    ("entry", ("entry.js",)),
    ("form", ("panel.js",)),
    ("beside the form: draft, picture, outcome", ("extras.js", "outcome.js")),
    ("annotation", ("picture.js", "annotate.js", "annotate-texts.js")),
    ("capture", ("capture.js",)),
    ("capture library", ("../../vendor/snapdom-3.1.1/snapdom.mjs",)),
)
ENTRY_GOAL, FORM_GOAL, ANNOTATION_GOAL = 3.0, 10.0, 10.0
PACKAGES = ("esbuild@0.28", "@sentry/browser@11")
SENTRY = {
    "Sentry's feedback without its SDK": (
        "import { feedbackIntegration } from '@sentry/browser'; window.feedback = feedbackIntegration;",
        ("--external:@sentry/core", "--external:@sentry/browser-utils"),
    ),
    "Sentry's feedback with its SDK": (
        "import { init, feedbackIntegration } from '@sentry/browser';"
        "init({ dsn: 'https://0@127.0.0.1/1', integrations: [feedbackIntegration({})] });",
        (),
    ),
}


def main() -> None:
    """Weigh and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--files", action="store_true", help="name each file of each stage")
    each = parser.parse_args().files
    heading("F14  Brotli bytes of the widget, quality 11, KB of 1,000 bytes")
    stages = weigh_widget()
    totals = {name: sum(files.values()) for name, files in stages.items()}
    for name, size in (totals | weigh_sentry()).items():
        print(f"{name:42}  {size / 1000:6.1f} KB")
        for file, part in sorted(stages.get(name, {}).items()) if each else ():
            print(f"    {file:38}  {part / 1000:6.1f}")
    print()
    entry, form, annotation = (totals[name] / 1000 for name in ("entry", "form", "annotation"))
    verdict("entry, KB", entry, ENTRY_GOAL, at_least=False)
    verdict("form usable (entry and form), KB", entry + form, FORM_GOAL, at_least=False)
    verdict("annotation, KB more", annotation, ANNOTATION_GOAL, at_least=False)


def weigh_widget() -> dict[str, dict[str, int]]:
    """Return, for each stage, the files that it adds and their bytes."""
    with tempfile.TemporaryDirectory() as folder:
        static_files.publish(Path(folder))
        modules = Path(folder) / static_files.build_id() / MODULES
        loaded: set[Path] = set()
        weighed: dict[str, dict[str, int]] = {}
        for name, roots in STAGES:
            fresh = _closure(modules / root for root in roots) - loaded
            loaded |= fresh
            weighed[name] = {path.name: _served_bytes(path) for path in fresh}
        return weighed


def weigh_sentry() -> dict[str, int]:
    """Return the bytes of Sentry's bundles; the packages are installed once, by npm, into the cache."""
    folder = CACHE / "sentry"
    _install(folder)
    return {name: _bundled_bytes(folder, *what) for name, what in SENTRY.items()}


def _closure(roots: Iterable[Path]) -> set[Path]:
    found: set[Path] = set()
    waiting = [path.resolve() for path in roots]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            names = STATIC_IMPORT.findall(path.read_text("utf-8"))
            waiting.extend((path.parent / name).resolve() for name in names)
    return found


def _served_bytes(path: Path) -> int:
    compressed = Path(f"{path}.br")
    return (compressed if compressed.exists() else path).stat().st_size


def _install(folder: Path) -> None:
    mark = folder / "installed"
    wanted = " ".join(PACKAGES)
    if mark.exists() and mark.read_text("utf-8") == wanted:
        return
    print(f"installing {wanted} into {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"private": true}', "utf-8")
    npm = ("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", *PACKAGES)
    subprocess.run(npm, cwd=folder, check=True, capture_output=True)
    mark.write_text(wanted, "utf-8")


def _bundled_bytes(folder: Path, source: str, options: tuple[str, ...]) -> int:
    (folder / "source.js").write_text(source, "utf-8")
    program = folder / "node_modules" / ".bin" / "esbuild"
    command: tuple[str | Path, ...] = (program, "source.js", "--bundle", "--minify", "--format=esm", *options)
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return len(brotli.compress(done.stdout, quality=11))


if __name__ == "__main__":
    main()
