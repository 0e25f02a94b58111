"""The title of a template card whose card has none."""

import pytest

from parley.model import Button
from parley.platforms.wecom.cards import template_card


@pytest.mark.parametrize(
    ("text", "title", "under"),
    [
        ("Tea?", "Tea?", ""),
        ("Tea?\nOr coffee?", "Tea?", "Or coffee?"),
        ("您是想问以下哪一项？ Did you mean one of these?", "您是想问以下哪一项？", "Did you mean one of these?"),
        ("Do you agree? Then press the first one of these.", "Do you agree?", "Then press the first one of these."),
        (
            "Buy a new coffee machine for the kitchen on floor 3?",
            "Buy a new coffee machine for the…",
            "kitchen on floor 3?",
        ),
        (
            "Version 1.4 is ready to be installed on all machines",
            "Version 1.4 is ready to be…",
            "installed on all machines",
        ),
        ("长" * 40, f"{'长' * 35}…", "长" * 5),
    ],
)
def test_a_text_without_a_title_is_shown_once(text: str, title: str, under: str) -> None:
    card = template_card("", text, (Button(id="ok", label="OK"),), "task")
    assert card["main_title"]["title"] == title
    assert card.get("sub_title_text", "") == under
    assert len(title) <= 36
