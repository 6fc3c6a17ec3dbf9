"""F2: submissions a second beside other self-hosted programs that take reports, each as it is deployed.

Bugsink stands here twice: as it runs, with the program that digests what was accepted, and without it, where
it only puts envelopes aside. The goals are held against the better figure of the two.
"""

from benchmarks import bodies, peers, servers
from benchmarks.rounds import Target, heading, interleave, options, ratio, table, timed, verdict

BUGSINK_GOAL = 9.0
ISSO_GOAL = 8.0
LATENCY_GOAL = 0.25


def main() -> None:
    """Measure and print."""
    chosen = options(str(__doc__))

    def work() -> None:
        heading("F2  a report of 2 KB, 16 connections: Earmark (FULL), Bugsink 2.6, Isso 0.14")
        with servers.stage() as stage:
            _measure(stage, chosen.rounds, chosen.seconds)

    timed(work)


def _measure(stage: servers.Stage, rounds: int, seconds: float) -> None:
    server = stage.earmark("Earmark")
    earmark = Target("Earmark, FULL", server, bodies.earmark(servers.project_key(server)))
    digesting = Target("Bugsink, accepting and digesting", *peers.bugsink(stage, digests=True))
    accepting = Target("Bugsink, accepting only", *peers.bugsink(stage, digests=False))
    isso = Target("Isso", *peers.isso(stage))
    targets = [earmark, digesting, accepting, isso]
    interleave(targets, rounds, seconds)
    table(targets)
    best = max((digesting, accepting), key=lambda target: target.median("rate"))
    verdict(f"answers a second, Earmark / {best.name}", ratio(earmark, best), BUGSINK_GOAL)
    verdict("answers a second, Earmark / Isso", ratio(earmark, isso), ISSO_GOAL)
    quickest = min((digesting, accepting), key=lambda target: target.median("p99_ms"))
    shorter = ratio(earmark, quickest, "p99_ms")
    verdict(f"p99, Earmark / {quickest.name}", shorter, LATENCY_GOAL, at_least=False)


if __name__ == "__main__":
    main()
