"""An answer that grows: a card whose text is replaced again and again (Feishu docs: CardKit › Streaming updates).

A card entity has an id of its own, and one message shows it. Each change needs a number that is higher than all earlier
ones of the card. While the answer grows, the number is the time since the message of the person. The final text has a
number that no such time reaches: a change that is late is refused (300317), and never replaces the final text.

A card takes texts for ten minutes after it was last told to (200850, 300309), so it is told again. The final text needs
nothing of that.
"""

from collections.abc import Callable
from typing import Literal
from urllib.parse import quote

from parley.adapter import IDEMPOTENT, Call, Steps
from parley.model import Outgoing, digest
from parley.platforms.feishu.config import Config
from parley.platforms.feishu.media import BEARER
from parley.platforms.feishu.outcome import CARD_CLOSE, CARD_CREATE, CARD_RENEW, CARD_TEXT, CARD_UPDATE, DISCARD
from parley.platforms.feishu.render import CARDS, Rendered, parts
from parley.platforms.feishu.values import Object, json_text

INTERVAL = 0.5
"""Seconds between two texts. A card takes ten changes a second."""
LASTS = 480.0
"""Seconds until the card is told again that it is written: two minutes before it closes itself."""
_ELEMENT = "text"
_FINAL = 1_000_000_000
"""The number of the final text. The number of a growing one counts tenths of a second."""
_OPENING, _GROWING = 5.0, 2.0
"""Seconds for a call while the handler waits."""

Send = Callable[[str], Call]
"""The call that sends the message with the card of that id."""


def opened(out: Outgoing, config: Config, send: Send) -> Steps:
    """The calls that create the card, with the beginning of the answer `out`, and send it. None if it has no text."""
    text = text_of(out)
    if text:
        created = yield _create(text, config)
        yield send(created.id)


def grow(out: Outgoing, config: Config, now: float) -> Call:
    """The call that replaces the text of the card with that of `out`."""
    card = out.draft_ids[0]
    body = {"content": text_of(out), **_numbered(card, _number(out, now) + 1)}
    url = f"{_card(card, config)}/elements/{_ELEMENT}/content"
    return _call(CARD_TEXT, "PUT", url, body, timeout=_GROWING)


def renewed(out: Outgoing, config: Config, now: float) -> Call:
    """The call that lets the card take texts for another ten minutes. Its number precedes that of a text."""
    card = out.draft_ids[0]
    return _set_streaming(card, CARD_RENEW, _number(out, now), config, on=True)


def replaced(out: Outgoing, content: Object, config: Config, send: Send) -> Steps:
    """The calls that make the card of `out` the final one, with the card JSON `content`."""
    card, *sent = out.draft_ids
    final = {**content, "config": {**content.get("config", {}), "streaming_mode": False}}
    body = {"card": {"type": "card_json", "data": json_text(final)}}
    shown_in = "".join(sent)
    yield _call(CARD_UPDATE, "PUT", _card(card, config), body | _numbered(card, _FINAL), edits=True, note=shown_in)
    if not sent:
        yield send(card)
    yield _set_streaming(card, CARD_CLOSE, _FINAL + 1, config, on=False)


def discarded(out: Outgoing, messages: str, send: Send) -> Steps:
    """The calls that remove the message with the card. `messages`: the address of all messages.

    If its id is not known, the card is sent once more: Feishu drops the repetition, and names the message.
    """
    card, *sent = out.draft_ids
    message = sent[0] if sent else (yield send(card)).id
    if message:
        yield _call(DISCARD, "DELETE", f"{messages}/{quote(message, safe='')}", None)


def text_of(out: Outgoing) -> str:
    """The text of `out` as markdown of a card, as far as one card can show it; empty if `out` begins with something
    else.
    """
    match next(iter(parts(out.reply.segments, CARDS)), None):
        case Rendered("interactive", {"body": {"elements": [{"tag": "markdown", "content": str(text)}]}}):
            return text
        case _:
            return ""


def shown(card: str) -> Rendered:
    """The message that shows a card entity."""
    return Rendered("interactive", {"type": "card", "data": {"card_id": card}})


def uuid_of(card: str) -> str:
    """The idempotency key of that message."""
    return digest(card, "shown")[:48]


def _create(text: str, config: Config) -> Call:
    element = {"tag": "markdown", "element_id": _ELEMENT, "content": text}
    card = {
        "schema": "2.0",
        "config": {"streaming_mode": True, "update_multi": True},
        "body": {"elements": [element]},
    }
    body = {"type": "card_json", "data": json_text(card)}
    return _call(CARD_CREATE, "POST", f"{config.api}/open-apis/cardkit/v1/cards", body, timeout=_OPENING)


def _set_streaming(card: str, name: str, number: int, config: Config, *, on: bool) -> Call:
    settings = {"settings": json_text({"config": {"streaming_mode": on}})}
    timeout = _GROWING if on else 10
    return _call(name, "PATCH", f"{_card(card, config)}/settings", settings | _numbered(card, number), timeout=timeout)


def _number(out: Outgoing, now: float) -> int:
    """The number of a change while the answer grows. It rises with each text (`INTERVAL`), and the next one is free."""
    return 2 + max(0, int(10 * (now - out.created)))


def _numbered(card: str, number: int) -> Object:
    return {"sequence": number, "uuid": digest(card, str(number))[:32]}


def _card(card: str, config: Config) -> str:
    return f"{config.api}/open-apis/cardkit/v1/cards/{quote(card, safe='')}"


def _call(
    name: str,
    method: Literal["POST", "PUT", "PATCH", "DELETE"],
    url: str,
    body: Object | None,
    *,
    edits: bool = False,
    timeout: float = 10,
    note: str = "",
) -> Call:
    return Call(
        name=name,
        method=method,
        url=url,
        auth=BEARER,
        json=body,
        idempotent_for=IDEMPOTENT,
        edits=edits,
        timeout=timeout,
        note=note,
    )
