"""Functions that the renderers of WeCom and WeChat share."""

from typing import Any, NamedTuple

from parley.model import AnySegment, Link


class Rendered(NamedTuple):
    """One message of the API: its `msgtype`, and the object under that name."""

    kind: str
    content: dict[str, Any]


def has_preview(segment: AnySegment) -> bool:
    """Whether `segment` is a link with a description or a picture."""
    return isinstance(segment, Link) and bool(segment.description or segment.image)


def has_picture(segment: AnySegment) -> bool:
    """Whether `segment` is a link with a picture."""
    return isinstance(segment, Link) and bool(segment.image)


def article(link: Link) -> dict[str, Any]:
    """An article of a `news` message."""
    return {"title": link.title or link.url, "description": link.description, "url": link.url, "picurl": link.image}
