"""Chat messages, card actions and all other events as unified messages."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from parley.adapter import App
from parley.model import (
    Action,
    Content,
    Context,
    Media,
    Mention,
    Message,
    Quote,
    Sender,
    digest,
)
from parley.platforms.feishu.config import Config
from parley.platforms.feishu.content import FORWARD, segments, text_without_bot
from parley.platforms.feishu.mentions import Mentions, user_id
from parley.platforms.feishu.values import Object, text_or_json, unix_seconds
from parley.platforms.feishu.verify import created
from parley.untrusted import array, mapping, scalar

BUTTON = "parley"
"""Key of `Button.id` in the callback value of a button of Parley's cards. `Button.value` is under `value`."""
DATES = "dates"
"""Key of the names of the inputs that are date pickers, in the callback value of a form's button."""

_CREDENTIALS = ("token", "app_ticket", "preview_token")


def message(payload: Object, app: App, now: float) -> Message:
    """The unified message of a v2 or v1 envelope or a legacy card callback.

    `payload` becomes `Message.raw`; its credentials are removed in place.
    """
    kind = event_type(payload)
    event = mapping(payload.get("event"))
    if kind == "im.message.receive_v1":
        return _chat(payload, event, app, now)
    if kind == "card.action.trigger":
        return _card_action(payload, event, app, now)
    if kind == "card.action.trigger_v1":
        return _legacy_action(payload, app, now)
    return _event(payload, event, kind, app, now)


def event_type(payload: Object) -> str:
    """Feishu's name of the event. A v1 envelope has it inside `event`; a legacy card callback has none."""
    if "schema" in payload:
        return scalar(mapping(payload.get("header")).get("event_type"))
    if "event" not in payload and "action" in payload:
        return "card.action.trigger_v1"
    return scalar(mapping(payload.get("event")).get("type"))


def _chat(payload: Object, event: Object, app: App, now: float) -> Message:
    received = mapping(event.get("message"))
    config: Config = app.config
    mentions = Mentions.of(received.get("mentions"), config.bot_open_id)
    kind = scalar(received.get("message_type"))
    id_ = scalar(received.get("message_id"))
    content = segments(kind, received.get("content"), mentions)
    if kind == FORWARD and id_:
        content += (Quote(message_id=id_),)
    private = received.get("chat_type") == "p2p"
    return Message(
        # Not `event_id`, which differs between deliveries of one message (Feishu docs: Receive message).
        id=id_ or _event_id(payload),
        platform=app.platform,
        app=app.name,
        kind="message",
        sender=_sender(mapping(event.get("sender"))),
        content=Content(
            text=text_without_bot(content, mentions.bot_ids),
            attachments=tuple(segment for segment in content if isinstance(segment, Media)),
        ),
        timestamp=int(unix_seconds(received.get("create_time")) or created(payload) or now),
        context=Context(
            room_id=scalar(received.get("chat_id")),
            thread_id=scalar(received.get("thread_id")),
            tenant=_tenant(payload, event),
            private=private,
            mentioned=UNSET if private or mentions.of_bot is not False else False,
        ),
        segments=content,
        mentions=tuple(segment for segment in content if isinstance(segment, Mention)),
        reply_to=scalar(received.get("parent_id")),
        raw=_without_credentials(payload),
    )


def _sender(sender: Object) -> Sender:
    # Events write `bot`; the message list API writes `app` for a bot.
    kind: Literal["user", "bot"] = "bot" if sender.get("sender_type") in ("bot", "app") else "user"
    return Sender(id=user_id(sender.get("sender_id")), kind=kind)


def _card_action(payload: Object, event: Object, app: App, now: float) -> Message:
    context, operator = mapping(event.get("context")), mapping(event.get("operator"))
    action = _action(mapping(event.get("action")), scalar(context.get("open_message_id")))
    place = Context(
        room_id=scalar(context.get("open_chat_id")),
        # The docs show no topic here. The deliverer replies to the card, and Feishu puts that into the card's topic.
        thread_id=scalar(context.get("open_thread_id")) or scalar(context.get("thread_id")),
        tenant=_tenant(payload, operator),
    )
    return _action_message(action, place, operator, _event_id(payload), payload, app, now)


def _legacy_action(payload: Object, app: App, now: float) -> Message:
    action = _action(mapping(payload.get("action")), scalar(payload.get("open_message_id")))
    place = Context(room_id=scalar(payload.get("open_chat_id")), tenant=scalar(payload.get("tenant_key")))
    # The docs show no id. Each click has a token of its own.
    click_id = digest(scalar(payload.get("token")), text_or_json(payload.get("action")), action.message_id)
    return _action_message(action, place, payload, click_id, payload, app, now)


def _action_message(
    action: Action, place: Context, operator: Object, event_id: str, payload: Object, app: App, now: float
) -> Message:
    return Message(
        id=event_id,
        platform=app.platform,
        app=app.name,
        kind="action",
        sender=Sender(id=user_id(operator)),
        content=Content(),
        timestamp=int(created(payload) or now),
        context=place,
        action=action,
        raw=_without_credentials(payload),
    )


def _action(action: Object, message_id: str) -> Action:
    value = action.get("value")
    name = scalar(action.get("name")) or scalar(action.get("tag"))
    ours = scalar(mapping(value).get(BUTTON))
    chosen = [text_or_json(option) for option in array(action.get("options"))] or [scalar(action.get("option"))]
    return Action(
        id=ours or name,
        value=scalar(mapping(value).get("value")) if ours else text_or_json(value),
        message_id=message_id,
        form=_form(action, name, array(mapping(value).get(DATES)) if ours else ()),
        options=tuple(option for option in chosen if option),
    )


def _form(action: Object, name: str, dates: Sequence[Any]) -> dict[str, str]:
    """The values that the person entered: the fields of a form, or a single input or checkbox outside a form.

    A date picker, one of `dates`, adds its time zone to the date: `2026-12-31 +0800`.
    """
    filled = {key: text_or_json(value) for key, value in mapping(action.get("form_value")).items()}
    filled |= {key: value.partition(" ")[0] for key, value in filled.items() if key in dates}
    if typed := scalar(action.get("input_value")):
        filled.setdefault(name, typed)
    if action.get("tag") == "checker":
        filled.setdefault(name, text_or_json(action.get("checked")))
    return filled


def _event(payload: Object, event: Object, kind: str, app: App, now: float) -> Message:
    return Message(
        id=_event_id(payload),
        platform=app.platform,
        app=app.name,
        kind="event",
        sender=_operator(event),
        # Only a menu item and a reaction have a text: one word.
        content=Content(
            text=scalar(event.get("event_key")) or scalar(mapping(event.get("reaction_type")).get("emoji_type"))
        ),
        timestamp=int(created(payload) or now),
        context=Context(
            room_id=scalar(event.get("chat_id")) or scalar(event.get("open_chat_id")),
            tenant=_tenant(payload, event),
            private=kind == "im.chat.access_event.bot_p2p_chat_entered_v1",
        ),
        reply_to=scalar(event.get("message_id")),
        event=kind,
        raw=_without_credentials(payload),
    )


_OPERATORS = (
    ("operator_id",),
    ("operator",),
    ("operator", "operator_id"),
    ("sender", "sender_id"),
    ("reader", "reader_id"),
    ("user_id",),
    ("open_id",),
    ("user_open_id",),
    ("installer",),
)
"""Paths to the id of the person who caused an event. Events differ; the most reliable path comes first."""


def _operator(event: Object) -> Sender:
    if event.get("operator_type") == "app":
        return Sender(id=scalar(event.get("app_id")), kind="bot")
    for path in _OPERATORS:
        value: Any = event
        for name in path:
            value = mapping(value).get(name)
        if id_ := user_id(value):
            return Sender(id=id_, name=scalar(mapping(event.get("operator")).get("operator_name")))
    return Sender(id="", kind="system")


def _event_id(payload: Object) -> str:
    """The id that each delivery of one event repeats: v2 `event_id`, v1 `uuid`, else a hash of the payload."""
    id_ = scalar(mapping(payload.get("header")).get("event_id")) or scalar(payload.get("uuid"))
    return id_ or digest("feishu event", msgspec.json.encode(payload, order="sorted").decode())


def _tenant(payload: Object, other: Object) -> str:
    return scalar(mapping(payload.get("header")).get("tenant_key")) or scalar(other.get("tenant_key"))


def _without_credentials(payload: Object) -> Object:
    event = mapping(payload.get("event"))
    for part in (payload, mapping(payload.get("header")), event, mapping(event.get("context"))):
        for name in _CREDENTIALS:
            part.pop(name, None)
    return payload
