"""What can be said passively (WeCom docs: Passive replies). Cards, and media without a handle, are left to the API."""

from parley.model import AnySegment, Audio, Card, File, Image, Link, Video
from parley.platforms.tencent import passive
from parley.platforms.tencent.fields import Fields
from parley.platforms.tencent.plain import written


def is_article(segment: AnySegment) -> bool:
    """Whether `segment` is a link with more to show than a title."""
    return isinstance(segment, Link) and bool(segment.description or segment.image)


def _is_words(segment: AnySegment) -> bool:
    if isinstance(segment, Image | Audio | Video | File):
        return not (segment.key or segment.url or segment.data)
    return not isinstance(segment, Card) and not is_article(segment)


def _native(segment: AnySegment) -> Fields | None:
    return passive.article(segment) if isinstance(segment, Link) else passive.media(segment)


VOICE = passive.PassiveFormat(_is_words, written, _native)
