"""Validation of the Markdown in a card. Facts: Feishu docs, Feishu cards › Markdown."""

import re
from collections.abc import Iterator
from itertools import pairwise

from playground.platforms.feishu.errors import card_error

MAX_TABLES = 5
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_TARGET = re.compile(r"(!?)\[[^\[\]]*\]\(\s*([^()\s]*)")


def check_markdown(text: str) -> int:
    """The number of tables in `text`. Raises FeishuError for an image by URL or a link that is not a web address."""
    bare = _CODE.sub("", text)
    for image, target in _TARGET.findall(bare):
        if image and not target.startswith("img_"):
            raise card_error(11246, f"parse markdown err, invalid image key {target[:40]!r}")
        if not image and not target.lower().startswith(("http://", "https://")):
            raise card_error(11247, f"parse markdown err, invalid href {target[:40]!r}")
    return sum(1 for _ in _tables(bare))


def check_tables(tables: int) -> None:
    """Raises FeishuError if a card has too many tables."""
    if tables > MAX_TABLES:
        raise card_error(11310, "card table number over limit; ErrorValue: table")


def _tables(text: str) -> Iterator[str]:
    lines = text.split("\n")
    for header, rule in pairwise(lines):
        if "|" in header and re.fullmatch(r"[|:\- \t]*-[|:\- \t]*", rule):
            yield header
