"""Callbacks of smart bots: the console's verification, messages, events, card clicks, polls, and the answers to them.

WeCom docs: Smart bots › Receiving messages, Receiving events, Passive replies, Encryption and decryption.
"""

import hmac
from typing import Any, NamedTuple

import msgspec

from parley.adapter import Accepted, App, PassiveReply, Rejected, Request, Response
from parley.model import Action, Content, Context, Message, Outgoing, Reply, Sender
from parley.model.agenda import APPROVAL
from parley.platforms.tencent import envelope
from parley.platforms.tencent.buttons import unpack
from parley.platforms.tencent.callback import MAX_CONTENT_AGE, decrypted, query_parameter, verification
from parley.platforms.tencent.passive import REPLY_DEADLINE
from parley.platforms.wecom.card_types import MENUS, VOTE
from parley.platforms.wecom_bot import response_url, segments, stream
from parley.platforms.wecom_bot.cards import updated_card
from parley.platforms.wecom_bot.config import Config
from parley.platforms.wecom_bot.render import beginning, plan, welcome
from parley.untrusted import decode_json, integer, mapping, mappings, text, texts

_EMPTY = Response(content_type="text/plain")


class Source(NamedTuple):
    """A callback that has been authenticated: its fields, the key that decrypted it, and its unix second."""

    app: App
    fields: dict[str, Any]
    key: str
    nonce: str
    received: int

    @property
    def config(self) -> Config:
        """The configuration of the app."""
        return self.app.config


def receive(request: Request, app: App, now: float) -> Accepted | Rejected:
    """Verify, decrypt and normalise one callback. Never raises."""
    config: Config = app.config
    match request.method:
        case "GET":
            return verification(request, config.callback_keys, now, _is_echo)
        case "POST":
            source = _authenticated(request, app, now)
        case _:
            return Rejected(405, "malformed", "neither GET nor POST")
    return source if isinstance(source, Rejected) else _accepted(source, now)


def passive_reply(
    request: Request, app: App, message: Message, replies: tuple[Outgoing, ...], now: float
) -> PassiveReply:
    """The answer with as many of `replies` as fit; see `parley.adapter.SupportsPassiveReply`.

    For a message it ends its stream. For a press it updates the card. The welcome to a person who opens the chat is a
    text.
    """
    source = _authenticated(request, app, now)
    if isinstance(source, Rejected):
        return PassiveReply(_EMPTY)
    if message.kind == "message":
        planned = plan(replies, carries_images=True)
        ended = stream.ended(stream.id_of(message.id), planned.content, planned.images, planned.card)
        return PassiveReply(_encrypted(ended, source, now), planned.sent, planned.rest)
    if message.action is not None:
        # The message with the card of an approval has shown the whole question.
        card = updated_card(replies, message.action.message_id, cuts=message.action.id == APPROVAL)
        answer = None if card is None else {"response_type": "update_template_card", "template_card": card}
        return _carrying(answer, 1, source, now)
    words = welcome(replies)
    return _carrying({"msgtype": "text", "text": {"content": words}} if words else None, len(replies), source, now)


def growing_reply(request: Request, app: App, message: Message, reply: Reply, now: float) -> Response:
    """The stream of `message` with the text of `reply` so far; see `parley.adapter.SupportsGrowingReply`."""
    source = _authenticated(request, app, now)
    if isinstance(source, Rejected):
        return _EMPTY
    return _encrypted(stream.answer(stream.id_of(message.id), beginning(reply), finish=False), source, now)


def credential(message: Message, app: App) -> str:
    """See `parley.adapter.SupportsCredentials`: the `response_url` of the message."""
    return response_url.opened(message.context.reply_token, app.config)


# --- authentication ---------------------------------------------------------------------------------------------------


def _authenticated(request: Request, app: App, now: float) -> Source | Rejected:
    """The decrypted content of a callback. What the bot itself has sent has no sender and is refused."""
    config: Config = app.config
    try:
        encrypted = text(mapping(decode_json(request.body)).get("encrypt"))
    except ValueError:
        encrypted = ""
    if not encrypted:
        return Rejected(400, "malformed", "the body is not JSON with the field encrypt")
    content = decrypted(request, config.callback_keys, encrypted, now)
    if isinstance(content, Rejected):
        return content
    try:
        fields = mapping(decode_json(content.text.encode()))
    except ValueError:
        fields = {}
    if not all(
        (text(fields.get("msgid")), text(fields.get("msgtype")), text(mapping(fields.get("from")).get("userid")))
    ):
        return Rejected(400, "malformed", "no msgid, no msgtype or no sender: not a callback of a smart bot")
    if config.bot_id and text(fields.get("aibotid")) != config.bot_id:
        return Rejected(401, "forged", "for another bot: compare `bot_id` with the field aibotid")
    created = integer(fields.get("create_time"))
    if created and created < now - MAX_CONTENT_AGE:
        return Rejected(401, "stale", f"the content is over {MAX_CONTENT_AGE} s old")
    nonce, received = query_parameter(request, "nonce"), int(query_parameter(request, "timestamp"))
    return Source(app, fields, content.key, nonce, received)


def _is_echo(content: str) -> bool:
    """Whether the console may have sent `content`. That of a callback is a JSON object, and nobody gets it back."""
    return not content.lstrip().startswith("{")


def _carrying(answer: dict[str, Any] | None, sent: int, source: Source, now: float) -> PassiveReply:
    return PassiveReply(_EMPTY) if answer is None else PassiveReply(_encrypted(answer, source, now), sent)


def _encrypted(answer: dict[str, Any], source: Source, now: float) -> Response:
    """The response that carries `answer`. The same callback has the same response: nothing in it is drawn by chance."""
    content, timestamp = msgspec.json.encode(answer), int(now)
    first = hmac.digest(source.key.encode(), f"{timestamp} {source.nonce} ".encode() + content, "sha256")[:16]
    ciphertext = envelope.encrypt(source.key, content.decode(), "", first)
    body = {
        "encrypt": ciphertext,
        "msgsignature": envelope.signature(source.config.token, str(timestamp), source.nonce, ciphertext),
        "timestamp": timestamp,
        "nonce": source.nonce,
    }
    return Response(body=msgspec.json.encode(body))


# --- messages and events ----------------------------------------------------------------------------------------------


def _accepted(source: Source, now: float) -> Accepted:
    kind = text(source.fields["msgtype"])
    if kind == "stream":
        return _poll(source, now)
    if kind == "event":
        return _event(source)
    found = segments.of(source.fields, segments.mention_of(source.config.name) if _room(source) else "")
    if not found.own:
        return Accepted(_EMPTY, (_message(source, kind="event", event=kind),))
    message = _message(
        source,
        awaits_reply=True,
        kind="message",
        content=Content(text=segments.text_of(found.own), attachments=segments.media_of(found.all)),
        segments=found.all,
    )
    begun = stream.begun(stream.id_of(message.id), feedback=source.config.feedback)
    return Accepted(_encrypted(begun, source, now), (message,))


def _poll(source: Source, now: float) -> Accepted:
    """WeCom asks for the answer to a message. A stream that is not of ours ends."""
    stream_id = text(mapping(source.fields.get("stream")).get("id"))
    answered = stream.message_of(stream_id)
    unfinished = _encrypted(stream.answer(stream_id, finish=not answered), source, now)
    if not answered:
        return Accepted(unfinished)
    return Accepted(
        unfinished, polled=_message(source, kind="message", id=answered), passive_reply_within=stream.LIFETIME
    )


def _event(source: Source) -> Accepted:
    event = mapping(source.fields.get("event"))
    name = text(event.get("eventtype")) or "unknown"
    details = mapping(event.get(name))
    if name == "template_card_event":
        press = _message(source, kind="action", action=_action(details))
        return Accepted(_EMPTY, (press,), passive_reply_within=REPLY_DEADLINE, comes_once=True)
    message = _message(source, kind="event", event=name, content=Content(text=text(details.get("content"))))
    within = REPLY_DEADLINE if name == "enter_chat" else 0
    return Accepted(_EMPTY, (message,), passive_reply_within=within, comes_once=True)


def _action(details: dict[str, Any]) -> Action:
    key = unpack(text(details.get("event_key")))
    items = mappings(mapping(details.get("selected_items")).get("selected_item"))
    chosen = {text(item.get("question_key")): texts(mapping(item.get("option_ids")).get("option_id")) for item in items}
    kind = text(details.get("card_type"))
    return Action(
        id=key.id,
        value=key.value,
        message_id=text(details.get("task_id")),
        form={} if kind == VOTE else {question: ",".join(options) for question, options in chosen.items()},
        options=() if kind == MENUS else tuple(option for options in chosen.values() for option in options),
    )


def _message(source: Source, *, awaits_reply: bool = False, content: Content | None = None, **values: Any) -> Message:
    fields, sender = source.fields, mapping(source.fields.get("from"))
    token = response_url.sealed(text(fields.get("response_url")), source.config)
    context = Context(
        room_id=_room(source),
        tenant=text(sender.get("corpid")),
        private=not _room(source),
        reply_token=token,
        reply_token_expires=source.received + response_url.LIFETIME if token else 0,
        awaits_reply=awaits_reply,
    )
    message = Message(
        id=text(fields["msgid"]),
        platform=source.app.platform,
        app=source.app.name,
        kind="message",
        sender=Sender(id=text(sender.get("userid")), name=text(sender.get("name"))),
        content=content or Content(),
        timestamp=integer(fields.get("create_time")) or source.received,
        context=context,
        raw={name: value for name, value in fields.items() if name != "response_url"},
    )
    return msgspec.structs.replace(message, **values)


def _room(source: Source) -> str:
    """The group; empty in a chat with one person."""
    return text(source.fields.get("chatid")) if text(source.fields.get("chattype")) != "single" else ""
