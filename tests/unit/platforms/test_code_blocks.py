"""Code blocks that are longer than one message of a platform."""

import pytest

from parley.bot import Bot
from parley.model import Card, Markdown, Reply
from parley.testing import PLATFORMS, Chat

LINES = [f"    line_{number} = a_b_{number}" for number in range(900)]
TEXT = "See:\n\n```python\n" + "\n".join(LINES) + "\n```\n\nThat is all."


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("segment", [Markdown(text=TEXT), Card(title="Code", text=TEXT)], ids=["markdown", "card"])
def test_code_that_is_cut_is_a_code_block_in_each_message(platform: str, segment: Markdown | Card) -> None:
    long = 40 if platform in ("feishu", "wecom_bot") else 1
    bot = Bot()

    @bot.command()
    def code() -> Reply:
        text = segment.text.replace("a_b", "a_b" * long)
        return Reply(
            segments=(Markdown(text=text) if isinstance(segment, Markdown) else Card(title="Code", text=text),)
        )

    chat = Chat(bot, platform)
    chat.say("/code")
    texts = [each.text for each in chat.replies if "line_" in each.text]
    assert len(texts) > 1 or platform == "http"
    if platform == "wechat":  # it has no code blocks
        return
    for text in texts:
        assert text.count("```") == 2, text[:100]
        assert "line_" not in text.partition("```")[0]
        assert "line_" not in text.rpartition("```")[2]
    shown = [line for text in texts for line in text.split("\n") if line.startswith("    line_")]
    assert [line.partition(" =")[0] for line in shown] == [line.partition(" =")[0] for line in LINES][: len(shown)]
