"""Discord's callbacks: interactions and webhook events, on one address.

Discord docs: Interactions › Overview, Receiving and Responding; Webhook Events. Discord probes the address with wrong
signatures, again and again, and removes it unless each gets 401: so the signature comes before everything else.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from parley.adapter import Accepted, App, Rejected, Request, Response
from parley.model import Message
from parley.platforms.discord.config import Config
from parley.platforms.discord.events import message_of_event
from parley.platforms.discord.instant import instant
from parley.platforms.discord.interaction import COMPONENT, FORM, MalformedError, message_of
from parley.platforms.discord.interaction_token import LIFE, MARGIN, Grant, seal
from parley.platforms.discord.signature import holds
from parley.untrusted import decode_json, integer, mapping, text

__all__ = ["STALE_AFTER", "instant", "receive"]

STALE_AFTER = 900
"""Seconds after which a signed callback is refused. An interaction is of no use after 15 minutes, when its token is
dead; events are repeated for 10 minutes, and whether a repetition is signed anew is not documented."""
_AHEAD = 300
"""Seconds that Discord's clock may be ahead of ours."""
_TIMESTAMP = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")

_EVENT_PING = 0
_EPHEMERAL = 64

PONG = Response(200, b'{"type":1}')
RECEIVED = Response(204)
THINKING = Response(200, b'{"type":5}')
THINKING_PRIVATELY = Response(200, b'{"type":5,"data":{"flags":64}}')
UNCHANGED = Response(200, b'{"type":6}')
"""The message with the button stays as it is until the bot says otherwise."""
_SORRY = "Not available right now, please try again. 暂时不可用，请稍后再试。"
REFUSED = Response(200, f'{{"type":4,"data":{{"flags":64,"content":"{_SORRY}"}}}}'.encode())
"""Discord delivers an interaction once, so that it is the person who may try again. These words are an answer, and the
bot's would be written over them: they are given only where it gives none. Else a 503 ends the interaction, Discord says
so to the person, and what the bot answers stands by itself.
"""
NO_CHOICES = Response(200, b'{"type":8,"data":{"choices":[]}}')


def receive(request: Request, app: App, now: float) -> Accepted | Rejected:
    """See `parley.adapter.Inbound.receive`."""
    config: Config = app.config
    timestamp = request.headers.get("X-Signature-Timestamp", "")
    signature = request.headers.get("X-Signature-Ed25519", "")
    if not timestamp or not holds(config.public_key, timestamp, request.body, signature):
        return Rejected(401, "forged", "signature does not hold; check public_key")
    if not _TIMESTAMP.fullmatch(timestamp) or not -_AHEAD <= now - float(timestamp) <= STALE_AFTER:
        return Rejected(401, "stale", "the signature's timestamp is not of these minutes")
    if request.method != "POST":
        return Rejected(405, "malformed", "signed, but Discord posts")
    try:
        return _believed(_decode(request.body), app, now)
    except MalformedError as error:
        return Rejected(400, "malformed", str(error))


def _decode(body: bytes) -> dict[str, Any]:
    try:
        return mapping(decode_json(body))
    except ValueError as error:
        raise MalformedError("the body is not JSON") from error


def _believed(body: dict[str, Any], app: App, now: float) -> Accepted | Rejected:
    if text(body.get("application_id")) not in ("", app.config.application_id):
        return Rejected(401, "forged", "signed for another application; check application_id")
    match integer(body.get("type")):
        case type_ if "event" in body or type_ == _EVENT_PING:
            if type_ == _EVENT_PING:
                return Accepted(RECEIVED)
            return Accepted(RECEIVED, (message_of_event(body, app, now),))
        case 1:
            return Accepted(PONG)
        case 4:
            return Accepted(NO_CHOICES, instant=message_of(body, app))
        case 2 | 3 | 5:
            return _interaction(body, app, now)
        case _:
            raise MalformedError("type")


def _interaction(body: Mapping[str, Any], app: App, now: float) -> Accepted:
    """Something to answer: promise an answer now, and take along the right to give it."""
    message = message_of(body, app)
    token = text(body.get("token"))
    if not token:
        raise MalformedError("token")
    pressed = body.get("type") == COMPONENT
    private = _is_private(body, message, app.config)
    granted = Grant(
        token=token,
        thinking=not pressed,
        private=private,
        upload_limit=integer(body.get("attachment_size_limit")) or 0,
    )
    context = msgspec.structs.replace(
        message.context, reply_token=seal(app.config, granted), reply_token_expires=int(now) + LIFE - MARGIN
    )
    message = msgspec.structs.replace(message, context=context)
    response = UNCHANGED if pressed else THINKING_PRIVATELY if private else THINKING
    return Accepted(response, (message,), instant=None if body.get("type") == FORM else message, refused=REFUSED)


def _is_private(body: Mapping[str, Any], message: Message, config: Config) -> bool:
    """Whether the answers are for the person alone: so configured, or so was the message that was acted on."""
    acted_on = integer(mapping(body.get("message")).get("flags")) or 0
    if acted_on & _EPHEMERAL:
        return True
    if message.command is not None:
        name = message.command.name
        return config.ephemeral or name in config.ephemeral_commands or name.split(" ")[0] in config.ephemeral_commands
    if message.action is not None and body.get("type") == FORM:
        return config.ephemeral or message.action.id in config.ephemeral_commands
    return False
