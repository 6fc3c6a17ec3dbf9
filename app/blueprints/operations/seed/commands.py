"""`earmark demo seed`."""

import json
import time
from datetime import datetime

import click
from flask.cli import AppGroup
from tqdm import tqdm

from app.blueprints.operations.seed.planting import places, plant
from app.blueprints.operations.seed.team import load_team
from app.clock import rfc3339, utc_now
from app.errors import ClientError
from app.models import rollup

demo = AppGroup("demo", help="Data to try Earmark with.")
DEFAULT_COUNT = 3_809
MOST = 20_000_000
EARLIEST_YEAR = 2000
# The worker would do it as well, in small steps that hold up nobody.
FOLD_SECONDS, FOLDED_AT_ONCE = 600.0, 20_000


@demo.command("seed")
@click.option(
    "--count", type=click.IntRange(1, MOST), default=DEFAULT_COUNT, show_default=True, help="Submissions."
)
@click.option(
    "--project", "projects", multiple=True, help="Name or key of a project; may be repeated. Default: three."
)
@click.option("--screenshots", is_flag=True, help="Two of three with a picture, most of them marked.")
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="The same data again."
)
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), help="Day (UTC) at whose start the year ends; default now."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def seed_command(
    *,
    count: int,
    projects: tuple[str, ...],
    screenshots: bool,
    seed: int,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Add a year of realistic submissions with tags, threads and history, worked on by the instance's agents.

    Counts and bytes are kept as intake keeps them; the worker adds them to the search index.

    Example: earmark demo seed --count 100000
    """
    moment = _end(until)
    began = time.monotonic()
    try:
        at = places(projects)
        with tqdm(total=count, unit=" submissions", disable=None) as bar:
            plant(
                count,
                at=at,
                team=load_team(),
                until=moment,
                seed=seed,
                screenshots=screenshots,
                planted=bar.update,
            )
        rollup.fold_all(FOLD_SECONDS, FOLDED_AT_ONCE)
    except ClientError as error:
        raise click.ClickException(error.message) from None
    except OSError as error:
        raise click.ClickException(f"the pictures could not be stored: {error}") from None
    seconds = time.monotonic() - began
    done = {
        "submissions": count,
        "projects": [place.name for place in at],
        "screenshots": screenshots,
        "seed": seed,
        "until": rfc3339(moment),
        "seconds": round(seconds, 1),
        "submissions_per_second": round(count / seconds),
    }
    words = f"Added {count:,} submissions to {', '.join(place.name for place in at)} in {seconds:.1f} s."
    click.echo(json.dumps(done) if as_json else words)


def _end(day: datetime | None) -> datetime:
    now = utc_now()
    if day is None:
        return now
    moment = day.replace(tzinfo=now.tzinfo)
    if day.year < EARLIEST_YEAR or moment > now:
        raise click.BadParameter("a day from 2000 on that has begun is needed", param_hint="--until")
    return moment
