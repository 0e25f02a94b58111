"""Images with their data in the last answer of a stream (WeCom docs: Smart bots › Passive replies › `msg_item`)."""

from collections.abc import Iterable

from parley.crypto import decode_base64
from parley.model import AnySegment, Image
from parley.platforms.wecom.inline_image import inline_image
from parley.platforms.wecom_bot.content_limits import LIMITS

InlineImages = tuple[dict[str, str], ...]

_MOST = 10
_SIGNATURES = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


def taken(segments: Iterable[AnySegment], before: InlineImages) -> tuple[tuple[AnySegment, ...], InlineImages]:
    """The segments without the images that have room in an answer with the images `before`, and all its images."""
    left, images = list[AnySegment](), list(before)
    for segment in segments:
        image = _inline(segment, LIMITS.image.most - sum(len(each["base64"]) * 3 // 4 for each in images))
        if image is None or len(images) == _MOST:
            left.append(segment)
        else:
            images.append(image)
    return tuple(left), tuple(images)


def _inline(segment: AnySegment, room: int) -> dict[str, str] | None:
    """None for what is no JPG or PNG with data, or has no room: people would miss the whole answer."""
    if not isinstance(segment, Image):
        return None
    try:
        shown = inline_image(segment, room)
        return shown if shown and decode_base64(segment.data).startswith(_SIGNATURES) else None
    except ValueError:
        return None
