"""Rules whose addresses are put together by code that is compiled when it is first needed.

Werkzeug compiles two functions a rule while the application is built. With some two hundred rules that
was more than half of what `create_app` takes (0.20 s of processor time; 0.08 without), in each process of a
server and in each command, most of which build no address.
"""

import functools
from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


class LazyRule(Rule):
    """A rule that compiles its builders at their first use."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = functools.cache(functools.partial(super()._compile_builder, append_unknown))

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            return compiled()(rule, **values)

        return build
