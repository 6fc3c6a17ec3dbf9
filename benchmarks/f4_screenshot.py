"""F4: how long a submission with a 440 KB screenshot takes beside one without, the worker running.

Twice: at a steady pace that one machine's worker can follow, which is how reporters send, and with 16
connections that never rest, where the worker re-encodes what came before on the cores that also answer.
"""

from benchmarks import bodies, servers
from benchmarks.rounds import Target, heading, interleave, options, ratio, table, timed, verdict

GOAL = 2.0
# The worker re-encodes 3–5 full-HD pictures a second.
PACE = 4.0


def main() -> None:
    """Measure and print."""
    chosen = options(str(__doc__), seconds=8.0)

    def work() -> None:
        picture = bodies.screenshot()
        heading(f"F4  POST /api/feedback as a form, with a PNG of {len(picture) / 1000:.0f} KB and without")
        for rate, words in ((PACE, f"{PACE:.0f} a second"), (None, "16 connections without rest")):
            print(words)
            with servers.stage() as stage:
                _measure(stage, chosen.rounds, chosen.seconds, picture, rate)

    timed(work)


def _measure(stage: servers.Stage, rounds: int, seconds: float, picture: bytes, rate: float | None) -> None:
    without = _target("without a screenshot", stage.earmark("without"), None, rate)
    with_one = _target("with a screenshot", stage.earmark("with"), picture, rate)
    interleave([without, with_one], rounds, seconds)
    table([without, with_one])
    verdict("p50, with / without", ratio(with_one, without, "p50_ms"), GOAL, at_least=False)
    print()


def _target(name: str, server: servers.Server, picture: bytes | None, rate: float | None) -> Target:
    call = bodies.earmark_form(servers.project_key(server), picture)
    return Target(name, server, call, rate=rate)


if __name__ == "__main__":
    main()
