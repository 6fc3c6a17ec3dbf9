"""`python -m benchmarks [NAME …]`: run the benchmarks named, such as `f1 f14`; by default all short ones."""

import signal
import subprocess
import sys
from typing import NoReturn

MODULES = {
    "f1": "benchmarks.f1_intake",
    "f2": "benchmarks.f2_peers",
    "f3": "benchmarks.f3_durability",
    "f4": "benchmarks.f4_screenshot",
    "f5": "benchmarks.f5_inbox",
    "f6": "benchmarks.f6_api",
    "f7": "benchmarks.f7_keyset",
    "f8": "benchmarks.f8_search",
    "f9": "benchmarks.f9_chart",
    "f10": "benchmarks.f10_tracking",
    "f10-load": "benchmarks.f10_load",
    "f11": "benchmarks.f11_retention",
    "f12": "benchmarks.f12_export",
    "f13": "benchmarks.f13_bulk",
    "f14": "benchmarks.f14_widget_bytes",
}


def main() -> int:
    """Run each in a process of its own; return 1 if one could not be measured."""
    names = [name.lower() for name in sys.argv[1:]] or list(MODULES)
    unknown = [name for name in names if name not in MODULES]
    if unknown:
        print(f"{unknown[0]} is no benchmark; there are {', '.join(MODULES)}", file=sys.stderr)
        return 2
    codes = [_run(MODULES[name]) for name in names]
    return int(any(codes))


def _run(module: str) -> int:
    """Run one to its end; the signal that ends this process ends that one first, with its servers."""
    with subprocess.Popen([sys.executable, "-m", module]) as process:

        def end(_number: int, _frame: object) -> NoReturn:
            process.terminate()
            raise SystemExit(128 + signal.SIGTERM)

        signal.signal(signal.SIGTERM, end)
        return process.wait()


if __name__ == "__main__":
    sys.exit(main())
