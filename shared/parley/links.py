"""Addresses that people can open: of links, buttons and media. Any other scheme than http and https is text.

`javascript:` and `data:` would run what they hold, and a scheme of an app (`weixin:`) could act in the name of the
person who presses. All platforms take their segments from here.
"""

import re
from collections.abc import Iterable

from msgspec.structs import replace

from parley.model import AnySegment, Audio, Button, Card, CardField, File, Image, Link, Text, Video, plain_text

_WEB = re.compile(r"\s*https?://\S", re.IGNORECASE)


def is_web(address: str) -> bool:
    """Whether `address` begins as an http or https address does. It may be wrong behind that."""
    return _WEB.match(address) is not None


def with_web_addresses(segments: Iterable[AnySegment]) -> tuple[AnySegment, ...]:
    """`segments`, in which links, buttons and media with another address are text, which shows the address."""
    return tuple(map(_segment, segments))


def _segment(segment: AnySegment) -> AnySegment:
    match segment:
        case Card():
            return _card(segment)
        case Link(url=url) if url and not is_web(url):
            return Text(text=plain_text((segment,)))
        case Link(image=image) if image and not is_web(image):
            return replace(segment, image="")
        case Image() | File() | Audio() | Video() if _is_wrong(segment.url):
            kept = replace(segment, url="")
            return kept if kept.has_content else Text(text=f"{plain_text((segment,))} {segment.url}")
        case _:
            return segment


def _card(card: Card) -> Card:
    buttons = [button for button in card.buttons if _is_wrong(button.url)]
    images = [image for image in card.images if _is_wrong(image.url)]
    if not buttons and not images:
        return card
    lines = (*(_line(button) for button in buttons), *(image.url for image in images if not image.key))
    shown = (replace(image, url="") if image in images else image for image in card.images)
    return replace(
        card,
        buttons=tuple(button for button in card.buttons if button not in buttons),
        images=tuple(image for image in shown if image.has_content),
        fields=(*card.fields, *(CardField(label=line, short=False) for line in lines)),
    )


def _line(button: Button) -> str:
    return f"{button.label} {button.url}".strip()


def _is_wrong(address: str) -> bool:
    return bool(address) and not is_web(address)
