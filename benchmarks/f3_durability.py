"""F3: what it costs that a power cut loses nothing (`synchronous=FULL`), and what sharing commits gains.

Earmark as shipped beside itself with `NORMAL`, and beside itself with `FULL` and one commit a request.
"""

from benchmarks import bodies, servers
from benchmarks.rounds import Target, heading, interleave, options, ratio, table, timed, verdict


def main() -> None:
    """Measure and print."""
    chosen = options(str(__doc__))

    def work() -> None:
        heading("F3  POST /api/feedback, 2 KB JSON, 16 connections: synchronous and shared commits")
        with servers.stage() as stage:
            _measure(stage, chosen.rounds, chosen.seconds)

    timed(work)


def _measure(stage: servers.Stage, rounds: int, seconds: float) -> None:
    full = _target("FULL, shared commits", stage.earmark("full"))
    normal = _target("NORMAL, shared commits", stage.earmark("normal", sqlite_synchronous="NORMAL"))
    single = _target("FULL, one commit a request", stage.earmark("single", "benchmarks.one_commit"))
    targets = [full, normal, single]
    interleave(targets, rounds, seconds)
    table(targets)
    verdict("answers a second, FULL / NORMAL", ratio(full, normal), 1.0)
    verdict("answers a second, shared / one commit a request", ratio(full, single), 2.0)
    verdict("p99, shared / one commit a request", ratio(full, single, "p99_ms"), 0.5, at_least=False)


def _target(name: str, server: servers.Server) -> Target:
    return Target(name, server, bodies.earmark(servers.project_key(server)))


if __name__ == "__main__":
    main()
