"""Segments as WeChat's own messages (WeChat docs: Customer-service messages; Passive replies to users).

| what | becomes |
|---|---|
| words, with markdown | `text`, without its marks; links as tags |
| link with a picture | `news` of one article |
| PNG, JPEG or GIF, AMR or MP3, MP4 | `image`, `voice`, `video` |
| other media | a link to it, for there are no files |
| card with buttons | `msgmenu`, address buttons as links under it |
| `Other` named `miniprogram`, `template`, `subscription`, `typing` | what the platform calls so |
| mention, location, quote, anything else | its words |
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import quote

from parley.model import AnyMedia, AnySegment, Audio, Button, Card, File, Image, Link, Other, Video
from parley.platforms.tencent import passive
from parley.platforms.tencent.buttons import pack
from parley.platforms.tencent.fields import Fields
from parley.platforms.tencent.media import MEGABYTE, MediaType, has_content, has_format
from parley.platforms.tencent.plain import LIMIT, anchor, carded, literal, texts, unmarked, written
from parley.text import utf8_size

_IMAGE = MediaType("image", 10 * MEGABYTE, "image.png")
_VOICE = MediaType("voice", 2 * MEGABYTE, "voice.amr")
_VIDEO = MediaType("video", 10 * MEGABYTE, "video.mp4")
_ITEMS = 10
"""Entries of one menu, as in Tencent's other menus; the docs of this one name no number (unverified)."""
_HEAD = 1024
"""Bytes over a menu, likewise."""
SPECIAL = ("miniprogram", "template", "subscription", "typing")
_TRANSFER = "transfer_customer_service"


class Rendered(NamedTuple):
    """One message: its kind, and what stands under that name."""

    kind: str
    content: dict[str, Any]


def parts(segments: Iterable[AnySegment]) -> Iterator[Rendered | AnyMedia]:
    """The messages that say `segments`, in order; media come as they are, to be uploaded first."""
    for sort, group in groupby(segments, _kind_of):
        if sort == "words":
            yield from words(group)
        else:
            for one in group:
                yield from _single(one)


def words(run: Iterable[AnySegment]) -> Iterator[Rendered]:
    """The messages that say a run of words."""
    for text in texts(run, written, LIMIT):
        yield Rendered("text", {"content": text})


def media_type_of(media: AnyMedia) -> MediaType | None:
    """As what `media` is shown; None where there is no such message."""
    match media:
        case Image() if media.key or has_format(media, "png", "jpg", "jpeg", "gif"):
            return _IMAGE
        case Audio() if media.key or has_format(media, "amr", "mp3", "mpeg"):
            return _VOICE
        case Video() if media.key or has_format(media, "mp4"):
            return _VIDEO
        case _:
            return None


def shown(media: AnyMedia, key: str) -> Rendered:
    """The message that shows `media`, uploaded as `key`."""
    if isinstance(media, Image):
        return Rendered("image", {"media_id": key})
    if isinstance(media, Audio):
        return Rendered("voice", {"media_id": key})
    cover = media.cover if isinstance(media, Video) else ""
    more = {"thumb_media_id": cover} if cover else {}
    return Rendered("video", {"media_id": key, **more, "title": media.name, "description": ""})


def is_article(segment: AnySegment) -> bool:
    """Whether `segment` is a link with a picture. Each takes a message of the few that are allowed."""
    return isinstance(segment, Link) and bool(segment.image)


def _kind_of(segment: AnySegment) -> str:
    match segment:
        case Image() | Audio() | Video() | File() if has_content(segment) and media_type_of(segment):
            return "media"
        case Card():
            return "card"
        case Other(name=name) if name in SPECIAL:
            return "special"
        case _:
            return "article" if is_article(segment) else "words"


def _single(segment: AnySegment) -> Iterator[Rendered | AnyMedia]:
    match segment:
        case Image() | Audio() | Video() | File():
            yield segment
        case Card():
            yield from _card(segment)
        case Other():
            yield Rendered(segment.name, special(segment))
        case Link():
            article = {"title": segment.title or segment.url, "description": segment.description}
            yield Rendered("news", {"articles": [article | {"url": segment.url, "picurl": segment.image}]})
        case _:
            raise AssertionError(segment)  # pragma: no cover


# --- cards ------------------------------------------------------------------------------------------------------------


def _card(card: Card) -> Iterator[Rendered]:
    if card.image:
        yield Rendered("image", {"media_id": card.image})
    pressed = [button for button in card.buttons if not button.url]
    if not pressed:
        yield from words([card])
        return
    head = "\n".join(filter(None, (literal(card.title), unmarked(card.text))))
    if utf8_size(head) > _HEAD:
        yield from words([Card(title=card.title, text=card.text)])
        head = literal(card.title) if utf8_size(card.title) <= _HEAD else ""
    tail = "\n".join(anchor(button.url, button.label) for button in card.buttons if button.url)
    for start in range(0, len(pressed), _ITEMS):
        last = start + _ITEMS >= len(pressed)
        items = [{"id": pack(button), "content": button.label} for button in pressed[start : start + _ITEMS]]
        yield Rendered("msgmenu", {"head_content": head, "list": items, "tail_content": tail if last else ""})
        head = ""


def _tapped(button: Button) -> str:
    """A button within a text. The client sends the label, with the id, when the link is tapped; the docs do not say so,
    and many accounts do it (unverified)."""
    if button.url:
        return anchor(button.url, button.label)
    id_, label = (_escaped(part) for part in (pack(button), button.label))
    return anchor(f"weixin://bizmsgmenu?msgmenucontent={label}&msgmenuid={id_}", button.label)


def _escaped(text: str) -> str:
    """`text` within such an address: only what would end it is escaped, for others write Chinese as it is."""
    return "".join(quote(one, safe="") if one.isascii() and not one.isalnum() else one for one in text)


# --- what has a name of its own ---------------------------------------------------------------------------------------


def special(segment: Other) -> dict[str, Any]:
    """The content of `miniprogram` (title, appid, pagepath, thumb_media_id), `template` and `subscription`
    (template_id, url or page, appid, pagepath, and `data.<field>` for each field), `typing` (nothing)."""
    data = segment.data
    if segment.name not in {"template", "subscription"}:
        return dict(data)
    filled = {name[5:]: {"value": value} for name, value in data.items() if name.startswith("data.")}
    program = {"appid": data["appid"], "pagepath": data.get("pagepath", "")} if data.get("appid") else None
    where = {name: data[name] for name in ("template_id", "url", "page") if data.get(name)}
    return {**where, **({"miniprogram": program} if program else {}), "data": filled}


# --- passive ----------------------------------------------------------------------------------------------------------


def _is_words(segment: AnySegment) -> bool:
    """An account that answers passively may have no other way: all but what goes its own way is told in words."""
    if isinstance(segment, Other):
        return segment.name not in {"template", "subscription", _TRANSFER}
    return passive.media(segment) is None and not is_article(segment)


def _write(segment: AnySegment) -> str:
    match segment:
        case Card():
            return carded(segment, map(_tapped, segment.buttons))
        case Other(name="typing"):
            return ""
        case Other(name="miniprogram", text=text, data=data):
            return literal(text or data.get("title", ""))
        case _:
            return written(segment)


def _native(segment: AnySegment) -> Fields | None:
    match segment:
        case Link():
            return passive.article(segment)
        case Other(name=name, data=data) if name == _TRANSFER:
            account = data.get("KfAccount", "")
            return {"MsgType": _TRANSFER, **({"TransInfo": {"KfAccount": account}} if account else {})}
        case _:
            return passive.media(segment)


VOICE = passive.PassiveFormat(_is_words, _write, _native)
