"""The programs that Earmark is compared with, each in an environment of its own outside of the repository.

They are installed by pip when a benchmark first asks for them, set up as their own documentation says for
production, and never leave this machine: reports home, quotas and guards against floods are switched off.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import bodies
from benchmarks.load import Call
from benchmarks.servers import CACHE, Server, Stage, clean_environment

BUGSINK = ("bugsink==2.6.*",)
ISSO = ("isso==0.14.*", "gunicorn")
# Two cores: what Bugsink's container takes by itself, and Isso's four from its deployment page.
BUGSINK_WORKERS = "2"
ISSO_WORKERS = "4"
# A paused master would otherwise find its workers silent when it goes on, and end them.
GUNICORN = ("--timeout", "3600", "--log-level", "warning")
UNLIMITED = 1_000_000_000
QUOTAS = (
    "MAX_EVENTS_PER_PROJECT_PER_5_MINUTES",
    "MAX_EVENTS_PER_PROJECT_PER_HOUR",
    "MAX_EVENTS_PER_PROJECT_PER_MONTH",
    "MAX_EVENTS_PER_5_MINUTES",
    "MAX_EVENTS_PER_HOUR",
    "MAX_EVENTS_PER_MONTH",
)
BUGSINK_PROJECT = """
import json
from projects.models import Project
project = Project.objects.create(name="Shop")
print(json.dumps([project.id, project.sentry_key.hex]))
"""
ISSO_SETTINGS = """
[general]
dbpath = {folder}/comments.db
host = http://127.0.0.1:{port}
[guard]
enabled = false
[server]
listen = http://127.0.0.1:{port}
"""


def bugsink(stage: Stage, *, digests: bool) -> tuple[Server, Call]:
    """Start Bugsink (gunicorn, SQLite), and return it with an envelope for its project.

    Its web processes only put an envelope aside; `digests` starts the program that makes it an event, too.
    Without it the figure is the most that Bugsink can accept, of what it has not yet looked at.
    """
    programs = environment("bugsink", BUGSINK)
    server = stage.place("Bugsink")
    _configure_bugsink(programs, server)
    variables = {"DJANGO_SETTINGS_MODULE": "bugsink_conf", "PYTHONPATH": str(server.folder)}
    manage = programs / "bugsink-manage"
    for arguments in (("migrate",), ("migrate", "--database=snappea")):
        _run([manage, *arguments], server.folder, variables)
    made = _run([manage, "shell", "-c", BUGSINK_PROJECT], server.folder, variables)
    project_id, sentry_key = json.loads(made.splitlines()[-1])
    if digests:
        server.start([programs / "bugsink-runsnappea"], variables, cwd=server.folder, waits=False)
    bound = ("--bind", f"127.0.0.1:{server.port}", "--workers", BUGSINK_WORKERS)
    server.start([programs / "gunicorn", *bound, *GUNICORN, "bugsink.wsgi"], variables, cwd=server.folder)
    return server, bodies.bugsink(project_id, sentry_key)


def isso(stage: Stage) -> tuple[Server, Call]:
    """Start Isso (gunicorn, SQLite), and return it with a comment."""
    programs = environment("isso", ISSO)
    server = stage.place("Isso")
    file = server.folder / "isso.cfg"
    file.write_text(ISSO_SETTINGS.format(folder=server.folder, port=server.port), "utf-8")
    bound = ("--bind", f"127.0.0.1:{server.port}", "--workers", ISSO_WORKERS, "--preload")
    command: list[str | Path] = [programs / "gunicorn", *bound, *GUNICORN, "isso.run"]
    server.start(command, {"ISSO_SETTINGS": str(file)}, cwd=server.folder)
    return server, bodies.isso()


def environment(name: str, requirements: tuple[str, ...]) -> Path:
    """Return the folder of a peer's programs, and install the peer if it is not there yet."""
    folder = CACHE / name
    mark = folder / "installed"
    wanted = " ".join(requirements)
    if not mark.exists() or mark.read_text("utf-8") != wanted:
        print(f"installing {wanted} into {folder}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip: list[str | Path] = [
            folder / "bin" / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        _run([*pip, *requirements], CACHE)
        mark.write_text(wanted, "utf-8")
    return folder / "bin"


def _configure_bugsink(programs: Path, server: Server) -> None:
    arguments = ("--template=singleserver", f"--host=127.0.0.1:{server.port}", f"--base-dir={server.folder}")
    _run([programs / "bugsink-create-conf", *arguments], server.folder)
    quotas = "".join(f'BUGSINK["{name}"] = {UNLIMITED}\n' for name in QUOTAS)
    with (server.folder / "bugsink_conf.py").open("a", encoding="utf-8") as file:
        file.write(f'\n{quotas}BUGSINK["PHONEHOME"] = False\n')


def _run(command: Sequence[str | Path], folder: Path, variables: Mapping[str, str] | None = None) -> str:
    variables = {**clean_environment(), **(variables or {})}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    return done.stdout
