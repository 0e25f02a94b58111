"""The differences between the passive replies of WeCom and WeChat: which callbacks carry them, and their forms.

WeCom docs: Receiving events; Passive replies. WeChat docs: Receiving event pushes; Passive replies to users.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote

from parley.adapter import Response
from parley.model import (
    AnyMedia,
    AnySegment,
    Audio,
    Button,
    Card,
    File,
    Image,
    Link,
    Message,
    Other,
    Select,
    Text,
    Video,
    field_line,
    label_of,
    names_in,
)
from parley.platforms.tencent.buttons import pack, pack_choice
from parley.platforms.tencent.fields import Fields
from parley.platforms.tencent.markup import Pieces, raw
from parley.platforms.tencent.media import WECHAT_FORMATS, media_type_of
from parley.platforms.tencent.plain import Style, anchor, as_text, card_text, media_text, tag
from parley.platforms.tencent.render import has_picture, has_preview


class PassiveFormat(NamedTuple):
    """How a platform shows segments in a passive reply."""

    is_text: Callable[[AnySegment], bool]
    """Whether a segment is shown as text."""
    style: Style
    native: Callable[[AnySegment], Fields | None]
    """The message for a segment that is not shown as text. None if only the API can send it."""


class PassiveRules(NamedTuple):
    """The rules of one platform."""

    shown_events: frozenset[str]
    """The events whose passive reply a person sees. A reply to any other event goes out through the API."""
    presses_are_shown: bool
    """Whether a person sees the passive reply to a press of a button."""
    empty: Response
    """The response without a reply."""
    format: PassiveFormat

    def is_shown(self, message: Message) -> bool:
        """Whether a person sees the passive reply to `message`."""
        if message.sender.kind != "user":
            return False
        match message.kind:
            case "event":
                return message.event in self.shown_events
            case "action":
                return self.presses_are_shown
            case _:
                return True


# --- 1. events --------------------------------------------------------------------------------------------------------

_MENU_EVENTS = frozenset({"click", "scancode_push", "scancode_waitmsg"})
"""Menu items after which the person is in the chat and waits for the answer.

No other event is here. Nobody sees a response to `unsubscribe`, to location reports, to results of template, mass and
subscription messages (`templatesendjobfinish`, `masssendjobfinish`, `subscribe_msg_sent_event`,
`subscribe_msg_popup_event`), of cards and coupons, of batch jobs, of approvals, and of changes of the contacts. `view`
and `view_miniprogram` leave the chat. After `pic_sysphoto`, `pic_photo_or_album`, `pic_weixin` and `location_select`
the picture or the location itself arrives as a message. WeCom's `template_card_event` allows nothing but an update of
the card; its `subscribe` is the act of an administrator, and `enter_agent` comes each time that the app is opened. An
event that is not known here carries no reply either: otherwise a reply that no person sees would be reported as sent.
"""


# --- 2. messages of both platforms ------------------------------------------------------------------------------------


def _media(segment: AnySegment) -> Fields | None:
    """The message that shows media with a media id. None for other segments."""
    match segment:
        case Image(key=key) if key:
            return {"MsgType": "image", "Image": {"MediaId": key}}
        case Audio(key=key) if key:
            return {"MsgType": "voice", "Voice": {"MediaId": key}}
        case Video(key=key, name=name) if key:
            return {"MsgType": "video", "Video": {"MediaId": key, "Title": name, "Description": ""}}
        case _:
            return None


def _article(link: Link) -> Fields:
    item = {"Title": link.title or link.url, "Description": link.description, "PicUrl": link.image, "Url": link.url}
    return {"MsgType": "news", "ArticleCount": 1, "Articles": {"item": item}}


def _in_words(media: AnyMedia) -> AnySegment:
    """Media as a link, or as words that say that they are missing."""
    text = media_text(media)
    return Link(url=media.url, title=text) if media.url else Text(text=text)


def carried(segment: AnySegment, format_: PassiveFormat) -> tuple[AnySegment, ...]:
    """`segment` as a passive reply can carry it: unchanged, or as words where only the API can send it."""
    if isinstance(segment, Other) and segment.name == "typing":
        return ()
    if isinstance(segment, Image | Audio | Video | File) and not segment.key:
        return (_in_words(segment),)
    if format_.is_text(segment) or format_.native(segment) is not None:
        return (segment,)
    match segment:
        case Card():
            return _card_in_words(segment)
        case Image() | Audio() | Video() | File():
            return (_in_words(segment),)
        case Link():
            return (Link(url=segment.url, title=segment.title),)
        case Other(text=text) if text:
            return (Text(text=text),)
        case _:
            return ()


def _card_in_words(card: Card) -> tuple[AnySegment, ...]:
    words = "".join(f"{line}\n" for line in (card.title, names_in(card)) if line)
    links = [Link(url=button.url, title=button.label) for button in card.buttons if button.url]
    lines = [*([card.body] if card.text else []), *links, *(Text(text=field_line(field)) for field in card.fields)]
    below = (part for number, line in enumerate(lines) for part in (*([Text(text="\n")] if number else []), line))
    return Text(text=words), *below


# --- 3. WeCom: cards, and media without a media id, are left to the API -----------------------------------------------


def _is_wecom_text(segment: AnySegment) -> bool:
    if isinstance(segment, Image | Audio | Video | File):
        return not segment.has_content
    return not isinstance(segment, Card) and not has_preview(segment)


def _wecom_native(segment: AnySegment) -> Fields | None:
    return _article(segment) if isinstance(segment, Link) else _media(segment)


WECOM = PassiveRules(
    shown_events=_MENU_EVENTS,
    presses_are_shown=False,
    empty=Response(content_type="text/plain"),
    format=PassiveFormat(_is_wecom_text, Style(as_text), _wecom_native),
)


# --- 4. WeChat: the account may have no right to the API, so that almost everything becomes text ----------------------

TRANSFER = "transfer_customer_service"


def _is_wechat_text(segment: AnySegment) -> bool:
    if isinstance(segment, Other):
        return segment.name not in {"template", "subscription", TRANSFER}
    if isinstance(segment, Image | Audio | Video | File) and segment.is_uploadable and not (segment.url or segment.key):
        return media_type_of(segment, WECHAT_FORMATS) is None
    return _media(segment) is None and not has_picture(segment)


def _wechat_text(segment: AnySegment) -> Pieces:
    match segment:
        case Card():
            menus = (part for select in segment.selects for part in _menu(select))
            return card_text(segment, (*menus, *map(_button_link, segment.buttons)))
        case Other(name="typing"):
            return ()
        case Other(name="miniprogram", text=text, data=data):
            return raw(text or data.get("title", ""))
        case _:
            return as_text(segment)


def _button_link(button: Button) -> Pieces:
    return (
        anchor(button.url, button.label) if button.url else _menu_link(label_of(button.label, button.id), pack(button))
    )


def _menu(select: Select) -> Iterator[Pieces]:
    """A menu as its label and one link for each choice."""
    yield raw(select.label)
    yield from (
        _menu_link(label_of(choice.label, str(choice.value)), pack_choice(select, choice)) for choice in select.choices
    )


def _menu_link(label: str, key: str) -> Pieces:
    """A link. The client sends `label` and `key` when it is tapped. The docs do not mention it, but many accounts use
    it (unverified)."""
    address = f"weixin://bizmsgmenu?msgmenucontent={_escape(label)}&msgmenuid={_escape(key)}"
    return tag(address, " ".join(label.split()))


def _escape(text: str) -> str:
    """Escape in `text` the characters that would end the address. Other accounts write Chinese unescaped."""
    return "".join(quote(char, safe="") if char.isascii() and not char.isalnum() else char for char in text)


def _wechat_native(segment: AnySegment) -> Fields | None:
    match segment:
        case Link():
            return _article(segment)
        case Other(name=name, data=data) if name == TRANSFER:
            account = data.get("KfAccount", "")
            return {"MsgType": TRANSFER, **({"TransInfo": {"KfAccount": account}} if account else {})}
        case _:
            return _media(segment)


WECHAT = PassiveRules(
    # WeChat docs ask for passive replies to a new follower and to the scan of the account's own code.
    shown_events=_MENU_EVENTS | {"subscribe", "scan"},
    presses_are_shown=True,
    empty=Response(body=b"success", content_type="text/plain"),
    format=PassiveFormat(_is_wechat_text, Style(_wechat_text), _wechat_native),
)
