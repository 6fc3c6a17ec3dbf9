"""The tokens of the style sheet: what they promise of themselves."""

import re

from app.static_files import SOURCE


def test_dark_is_the_same_by_choice_and_by_the_systems_wish():
    tokens = (SOURCE / "css" / "tokens.css").read_text("utf-8")
    chosen, wished = (
        re.search(re.escape(selector) + r" \{(.*?)\}", tokens, re.DOTALL)[1].split()
        for selector in ('[data-theme="dark"]', ':root:not([data-theme="light"])')
    )
    assert chosen == wished
    assert "--ground:" in chosen
