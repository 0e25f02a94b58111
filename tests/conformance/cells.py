"""A reply for each part of `parley.adapter.Capabilities`. `{image}` and so on stand for small files."""

import base64
from typing import Any

from msgspec.structs import replace

from parley.bot import Turn
from parley.bot.numbered import with_numbers
from parley.bot.texts import ENGLISH
from parley.model import (
    AnySegment,
    Audio,
    Button,
    Card,
    CardField,
    File,
    Image,
    Link,
    Location,
    Markdown,
    Mention,
    Other,
    Quote,
    Reply,
    Select,
    Source,
    Text,
    Video,
)
from parley.model.instant import Choice, Form, Input
from playground.sample_image import png
from tests.factories import make_message

DATA = base64.b64encode(png(1, 1)).decode()
SIZES = (Choice("Small", "s"), Choice("Large", "l"))
URL = "https://example.com/marker"


PERSON, MESSAGE = "1100000000000000001", "1442001200000000004"


def form(*inputs: Input) -> Card:
    return Card(title="Order", form=Form(id="order", title="marker", value="7", inputs=inputs))


CELLS: dict[str, AnySegment | Reply] = {
    "text": Text(text="marker *a* <b> [c](d)"),
    "bold": Markdown(text="a **marker** b"),
    "italic": Markdown(text="a *marker* b"),
    "strikethrough": Markdown(text="a ~~marker~~ b"),
    "code": Markdown(text="a `marker` b"),
    "code_block": Markdown(text="a\n\n```python\nmarker = [1]\n```\n\nb"),
    "heading": Markdown(text="# marker\n\n#### small\n\na"),
    "items": Markdown(text="- marker\n- b\n  1. c\n  2. d"),
    "block_quote": Markdown(text="> marker\n\na"),
    "table": Markdown(text="| marker | number |\n|---|---:|\n| tea | 1 |\n| 咖啡 | 20 |"),
    "picture": Markdown(text=f"a ![marker]({URL}.png) b"),
    "rule": Markdown(text="marker\n\n---\n\nb"),
    "link": Link(url=URL, title="Title"),
    "link_preview": Link(url=URL, title="Title", description="Words", image="https://example.com/p.png"),
    "mention": Mention(id=PERSON, name="marker"),
    "mention_all": Mention(id="all", name="marker"),
    "image_key": Image(name="marker.png"),
    "image_data": Image(data=DATA, name="marker.png"),
    "image_url": Image(url=f"{URL}.png"),
    "image_received": Image(name="marker.png", source=Source(platform="fax", app="a", message_id="m", key="k")),
    "audio": Audio(url=f"{URL}.amr", mime="audio/amr"),
    "video": Video(url=f"{URL}.mp4", mime="video/mp4"),
    "file": File(url=f"{URL}.zip", name="marker.zip"),
    "location": Location(latitude=39.9, longitude=116.4, name="marker"),
    "quote": Quote(message_id=MESSAGE, text="marker"),
    "card_title": Card(title="marker", text="a"),
    "card_text": Card(title="T", text="a **marker** b"),
    "card_literal": Card(
        title="T",
        text="marker **b** [c](https://d.example) `e` <at id=all></at> @everyone\n# f\n- g\n1. h\n> i\n```\nj\n```",
        buttons=(Button(id="ok", label="OK"),),
        literal=True,
    ),
    "card_image": Card(title="T", images=(Image(data=DATA, name="marker.png"),)),
    "card_mention": Card(title="T", text="a", mentions=(Mention(id=PERSON, name="marker"),)),
    "card_field": Card(
        title="T",
        fields=(CardField(label="Price", value="marker"), CardField(label="Left", value="7")),
        buttons=(Button(id="ok", label="OK"),),
    ),
    "button": Card(title="T", buttons=(Button(id="ok", label="marker", value="7"),)),
    "link_button": Card(title="T", buttons=(Button(id="open", label="Open", url=URL),)),
    "menu": Card(title="T", selects=(Select(id="size", label="marker", value="7", choices=SIZES),)),
    "form_choice": form(Input(id="size", label="Size", kind="choice", choices=SIZES)),
    "form_text": form(Input(id="name", label="Name"), Input(id="why", label="Why", kind="paragraph", required=False)),
    "form_date": form(Input(id="day", label="Day", kind="date", value="2026-12-31")),
    "other": Other(name="sticker", text="marker"),
    "reaction": Reply(op="react", target=MESSAGE, emoji="👍"),
}
KEYS = {"feishu": "img_marker", "wechat": "media_marker", "wecom": "media_marker"}


def reply_of(cell: str, platform: str) -> Reply:
    """The reply of a cell, with numbers where the platform needs them."""
    segment: Any = CELLS[cell]
    if cell == "image_key":
        segment = replace(segment, key=KEYS.get(platform, "marker"))
    if cell == "audio" and platform == "feishu":
        segment = replace(segment, url=f"{URL}.opus", mime="audio/opus")
    if isinstance(segment, Reply):
        return segment
    message = make_message(platform=platform, room="")
    segments = (segment, Text(text="a")) if cell in ("image_key", "quote") else (segment,)
    (reply,) = with_numbers([Reply(segments=segments)], Turn(message), ENGLISH)
    return reply
