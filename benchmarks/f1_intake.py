"""F1: submissions a second, 2 KB of JSON, durable, 16 connections, beside a bare Flask route.

The reference is `benchmarks/bare_flask.py` under the same granian settings, once with `synchronous=FULL`
(what Earmark ships, and what the goal is for) and once with `NORMAL` (which may lose acknowledged rows).
"""

from benchmarks import bodies, servers
from benchmarks.rounds import Target, heading, interleave, options, ratio, table, timed, verdict

GOAL = 0.7


def main() -> None:
    """Measure and print."""
    chosen = options(str(__doc__))

    def work() -> None:
        heading("F1  POST /api/feedback, 2 KB JSON, 16 connections, granian 2 workers × 128 threads")
        with servers.stage() as stage:
            _measure(stage, chosen.rounds, chosen.seconds)

    timed(work)


def _measure(stage: servers.Stage, rounds: int, seconds: float) -> None:
    server = stage.earmark("Earmark")
    call = bodies.earmark(servers.project_key(server))
    earmark = Target("Earmark, FULL", server, call)
    full = Target("bare Flask insert, FULL", stage.bare_flask("bare FULL", "FULL"), call)
    normal = Target("bare Flask insert, NORMAL", stage.bare_flask("bare NORMAL", "NORMAL"), call)
    targets = [earmark, full, normal]
    interleave(targets, rounds, seconds)
    table(targets)
    verdict("answers a second, Earmark FULL / bare FULL", ratio(earmark, full), GOAL)
    verdict("answers a second, Earmark FULL / bare NORMAL", ratio(earmark, normal), GOAL)
    print(f"p99, Earmark FULL / bare FULL: {ratio(earmark, full, 'p99_ms'):.2f}")


if __name__ == "__main__":
    main()
