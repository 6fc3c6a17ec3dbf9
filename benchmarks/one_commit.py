"""Earmark with one commit a request: what F3 compares sharing commits with. Exists only for that.

Run as `python -m benchmarks.one_commit serve`: the program's own command line and server, except that its
processes load this module, where the most writes in one transaction are one.
"""

from typing import Any

from granian import Granian

from app.blueprints.operations import server
from app.cli import main
from app.database import group_commit

web_process = server.web_process  # what each of the server's processes calls
group_commit.MOST_IN_ONE = 1


def _granian(_target: str, **options: Any) -> Any:
    return Granian("benchmarks.one_commit:web_process", **options)


if __name__ == "__main__":
    vars(server)["Granian"] = _granian
    main()
