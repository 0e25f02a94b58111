"""Replies on Feishu and Lark: send, reply, edit, recall, react and push (Feishu docs: Messaging > Message)."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from parley.adapter import IDEMPOTENT, Answer, App, Bucket, Call, Limit, Pause, Profile, Steps, UndeliverableError
from parley.errors import RetryAfter
from parley.model import AnyMedia, AnySegment, Card, Destination, Message, Outgoing, Quote, Reply, digest
from parley.platforms.feishu import drafts, media, push
from parley.platforms.feishu.config import Config
from parley.platforms.feishu.emoji import emoji_type
from parley.platforms.feishu.media import BEARER
from parley.platforms.feishu.outcome import CHAT_LIMITED, EDIT, REACT, RECALL, UPDATE, outcome
from parley.platforms.feishu.quoted import quote_call, read_quote
from parley.platforms.feishu.render import CARDS, CHAT, Rendered, parts
from parley.platforms.feishu.tokens import token, token_key
from parley.platforms.feishu.values import Object, json_text
from parley.untrusted import mapping, scalar, texts

__all__ = [
    "DRAFT_INTERVAL",
    "DRAFT_LASTS",
    "PROFILE",
    "deliver",
    "download",
    "grow_draft",
    "limit_feedback",
    "limits",
    "name_call",
    "open_draft",
    "outcome",
    "quote_call",
    "read_departments",
    "read_name",
    "read_quote",
    "renew_draft",
    "token",
    "token_key",
]

PROFILE = Profile(retry_for=3600, pushed_credentials=("app_ticket",), continues=True, reacts=True)

DRAFT_INTERVAL = drafts.INTERVAL
DRAFT_LASTS = drafts.LASTS
_UUID_VALIDITY = 3600
"""Seconds in which Feishu drops a repeated `uuid` (Feishu docs: Send message, `uuid`)."""
_ID_TYPES = {"ou_": "open_id", "on_": "union_id", "oc_": "chat_id"}


class _Place(NamedTuple):
    """The endpoint and the receiver of the next message."""

    name: str
    url: str
    query: dict[str, str]
    body: Object


def deliver(out: Outgoing, app: App, now: float) -> Steps:
    """See `parley.adapter.Outbound.deliver`."""
    if out.reply.op == "react":
        return _react(out, app.config)
    if out.to.webhook:
        return push.steps(out, app, now)
    match out.reply.op:
        case "recall" if out.draft_ids:
            return drafts.discarded(out, _messages(app.config), _sending(out, app.config))
        case "recall":
            return _recall(out.reply, app.config)
        case "edit":
            return _edit(out, app.config)
        case "send":
            return _send(out, app.config)


def download(file: AnyMedia, message_id: str, app: App) -> Call:
    """See `parley.adapter.Outbound.download`. Feishu delivers at most 100 MB, and only if the bot is in the chat."""
    return media.download(file, message_id, app.config)


def name_call(message: Message, app: App) -> Call | None:
    """See `parley.adapter.SupportsNames`. Feishu docs: Contacts > Get user information."""
    config: Config = app.config
    person = message.sender.id
    return Call(
        name="name",
        method="GET",
        url=f"{config.api}/open-apis/contact/v3/users/{quote(person, safe='')}",
        auth=BEARER,
        query={"user_id_type": _id_type(person, "user_id")},
        idempotent_for=IDEMPOTENT,
    )


def read_name(answer: Answer) -> str:
    """See `parley.adapter.SupportsNames`. The field is absent if the app has no permission for it."""
    return scalar(_user(answer).get("name"))


def read_departments(answer: Answer) -> tuple[str, ...]:
    """See `parley.adapter.SupportsNames`. They need the permission `contact:user.department:readonly`."""
    return texts(_user(answer).get("department_ids"))


def _user(answer: Answer) -> dict[str, Any]:
    return mapping(mapping(answer.json().get("data")).get("user"))


def limits(call: Call, out: Outgoing, app: App) -> tuple[Bucket, ...]:
    """See `parley.adapter.Outbound.limits`. Feishu docs: Frequency control.

    Each API takes 1000 calls a minute and 50 a second. Each chat or person takes 5 messages a second, which all bots in
    the chat share. Each message takes 5 edits a second. A webhook takes 100 a minute and 5 a second.
    """
    return tuple(bucket for bucket in (_place_bucket(call, out), _api_bucket(call, app)) if bucket)


def _place_bucket(call: Call, out: Outgoing) -> Bucket | None:
    """The calls to the same webhook, chat, person or message; None if Feishu does not limit them."""
    match call.name:
        case "push":
            return Bucket(f"feishu#webhook#{digest(call.url)[:32]}", 5, 1, Limit(100, 60))
        case "send" | "reply":
            return Bucket(f"feishu#chat#{out.to.room_id or out.to.user_id or out.to.message_id}", 5, 1)
        case name if name in (EDIT, UPDATE):
            return Bucket(f"feishu#message#{out.reply.target}", 5, 1)
        case _:
            return None


def _api_bucket(call: Call, app: App) -> Bucket | None:
    """The calls of the app to the same API; None for a webhook, which belongs to no app."""
    config: Config = app.config
    return None if call.name == "push" else Bucket(f"feishu#{config.app_id}#{call.name}", 50, 1, Limit(1000, 60))


def limit_feedback(call: Call, answer: Answer, out: Outgoing, app: App) -> tuple[Pause, ...]:
    """See `parley.adapter.SupportsLimitFeedback.limit_feedback`.

    A code that names the chat or person pauses that one, and never the API. Every other rate limit pauses the API, or
    the webhook.
    """
    result = outcome(call, answer)
    if not isinstance(result, RetryAfter):
        return ()
    place, api = _place_bucket(call, out), _api_bucket(call, app)
    bucket = place if answer.json().get("code") in CHAT_LIMITED else api or place
    return (Pause(bucket, result.seconds),) if bucket else ()


# --- send -------------------------------------------------------------------------------------------------------------


def _send(out: Outgoing, config: Config) -> Steps:
    quoted, segments = _quoted(out.reply)
    segments = yield from media.with_pictures(segments, config)
    is_shown = bool(out.draft_ids) and "sent" not in out.dropped
    # A card with buttons is a message of its own: it can be edited later, which a card entity cannot by its message.
    takes_over = is_shown and "target" not in out.dropped and not any(isinstance(each, Card) for each in segments)
    match [*parts(segments, CARDS)] if takes_over else []:
        case [Rendered("interactive", content), *rest]:
            yield from drafts.replaced(out, content, config, _sending(out, config))
            yield from _others(out, rest, config)
            return
        case _ if is_shown:
            yield from drafts.discarded(out, _messages(config), _sending(out, config))
        case _:
            pass
    messages = yield from media.all_uploaded(parts(segments), config)
    for number, rendered in enumerate(messages):
        yield _message(rendered, _place(out, quoted, config, first=not number), out, number)
    if not messages:
        raise UndeliverableError("the reply is empty")


def _others(out: Outgoing, rest: Iterable[Rendered | AnyMedia], config: Config) -> Steps:
    """Send the messages that follow the first one, which has replaced another message."""
    messages = yield from media.all_uploaded(rest, config)
    for number, rendered in enumerate(messages, 1):
        yield _message(rendered, _place(out, "", config, first=False), out, number)


def open_draft(out: Outgoing, app: App, now: float) -> Steps:
    """See `parley.adapter.SupportsDrafts`."""
    return drafts.opened(out, app.config, _sending(out, app.config))


def grow_draft(out: Outgoing, app: App, now: float) -> Call:
    """See `parley.adapter.SupportsDrafts`."""
    return drafts.grow(out, app.config, now)


def renew_draft(out: Outgoing, app: App, now: float) -> Call:
    """See `parley.adapter.SupportsRenewal`."""
    return drafts.renewed(out, app.config, now)


def _sending(out: Outgoing, config: Config) -> drafts.Send:
    """What sends the message with the card of a draft."""

    def send(card: str) -> Call:
        call = _message(drafts.shown(card), _place(out, "", config, first=True), out, 0)
        return msgspec.structs.replace(call, json=call.json | {"uuid": drafts.uuid_of(card)})

    return send


def _quoted(reply: Reply) -> tuple[str, tuple[AnySegment, ...]]:
    """The id of the message that `reply` quotes at its beginning, and the other segments. Feishu shows the quote."""
    match reply.segments:
        case (Quote(message_id=message_id), *rest) if message_id:
            return message_id, tuple(rest)
        case segments:
            return "", segments


def _place(out: Outgoing, quoted: str, config: Config, *, first: bool) -> _Place:
    """Only the first message of a reply quotes another. In a thread, every message is a reply to one."""
    to, reply = out.to, out.reply
    receiver = _receiver(to, reply)
    target = quoted or to.message_id
    thread = reply.thread or bool(to.thread_id)
    if not reply.private and target and (thread or _quotes(out, quoted, first=first) or not receiver):
        url = f"{_messages(config)}/{quote(target, safe='')}/reply"
        return _Place("reply", url, {}, {"reply_in_thread": True} if thread else {})
    if not receiver:
        raise UndeliverableError("the destination has neither a room nor a person")
    query = {"receive_id_type": _id_type(receiver, "user_id" if receiver == to.user_id else "chat_id")}
    return _Place("send", _messages(config), query, {"receive_id": receiver})


def _quotes(out: Outgoing, quoted: str, *, first: bool) -> bool:
    """Whether the next message is sent as a reply to a message because of something else than a thread.

    The answer to a press replies to the card: its callback does not name the topic, and Feishu puts a reply to a
    message of a topic into the topic. An event without a room, such as a reaction, has its place in the quote only.
    """
    to, reply = out.to, out.reply
    pressed = to.kind == "action" and "quote" not in out.dropped
    wanted = bool(quoted) or reply.quote
    return pressed or (wanted and (first or (to.kind == "event" and not to.room_id)))


def _receiver(to: Destination, reply: Reply) -> str:
    """The chat or person to send to. A private reply goes to the direct chat: a group has no private messages."""
    return to.user_id if reply.private else to.room_id or to.user_id


def _id_type(receiver: str, default: str) -> str:
    if "@" in receiver:
        return "email"
    return _ID_TYPES.get(receiver[:3], default)


def _message(rendered: Rendered, place: _Place, out: Outgoing, number: int) -> Call:
    body = {
        **place.body,
        "msg_type": rendered.kind,
        "content": json_text(rendered.content),
        # Each form of a reply has its own key. With the key of a refused form, Feishu would drop it.
        "uuid": digest(out.id, out.form, *out.dropped, str(number))[:48],
    }
    return Call(
        name=place.name,
        method="POST",
        url=place.url,
        auth=BEARER,
        query=place.query,
        json=body,
        idempotent_for=_UUID_VALIDITY,
    )


# --- edit, recall and react -------------------------------------------------------------------------------------------


def _edit(out: Outgoing, config: Config) -> Steps:
    """Replace the message with the first part of the reply, and send the other parts as new messages.

    Feishu cannot change a card into text. If the target is the card whose button was pressed, text becomes a card.
    """
    reply = out.reply
    url = _target(reply, config)
    is_card = out.to.kind == "action" and out.to.message_id == reply.target
    segments = yield from media.with_pictures(reply.segments, config)
    match [*parts(segments, CARDS if is_card else CHAT)]:
        case [Rendered("interactive", content), *rest]:
            yield _change(UPDATE, "PATCH", url, {"content": json_text(content)}, edits=True)
        case [Rendered(kind, content), *rest]:
            yield _change(EDIT, "PUT", url, {"msg_type": kind, "content": json_text(content)}, edits=True)
        case []:
            raise UndeliverableError("the reply is empty")
        case _:
            raise UndeliverableError("Feishu can edit text, posts and cards, but no media", part="target")
    yield from _others(out, rest, config)


def _recall(reply: Reply, config: Config) -> Steps:
    yield _change(RECALL, "DELETE", _target(reply, config), None)


def _react(out: Outgoing, config: Config) -> Steps:
    """Add a reaction. None without a message to react to: a press of a menu, or a webhook.

    One app has one reaction of each kind at a message. So a repeat is taken for idempotent; Feishu does not document
    its answer.
    """
    message = out.reply.target or out.to.message_id
    if message and not out.to.webhook:
        url = f"{_messages(config)}/{quote(message, safe='')}/reactions"
        yield _change(REACT, "POST", url, {"reaction_type": {"emoji_type": emoji_type(out.reply.emoji or "")}})


def _change(name: str, method: str, url: str, body: Object | None, *, edits: bool = False) -> Call:
    return Call(name=name, method=method, url=url, auth=BEARER, json=body, idempotent_for=IDEMPOTENT, edits=edits)


def _target(reply: Reply, config: Config) -> str:
    if not reply.target:
        raise UndeliverableError(f"{reply.op} needs the target's message id")
    return f"{_messages(config)}/{quote(reply.target, safe='')}"


def _messages(config: Config) -> str:
    return f"{config.api}/open-apis/im/v1/messages"
