"""Callbacks of Discord: interactions and webhook events, on one address.

Discord docs: Interactions › Overview, Receiving and Responding; Webhook Events. Discord regularly sends requests with
wrong signatures, and removes the address unless each gets 401. So the signature is checked before anything else.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from parley.adapter import Accepted, App, Rejected, Request, Response
from parley.model import Destination, Message
from parley.platforms.discord import protocol
from parley.platforms.discord.config import Config
from parley.platforms.discord.events import message_of_event
from parley.platforms.discord.instant import instant
from parley.platforms.discord.interaction import MalformedError, message_of
from parley.platforms.discord.interaction_token import InteractionToken, expires, seal, unseal
from parley.platforms.discord.signature import is_valid
from parley.untrusted import decode_json, integer, mapping, text

__all__ = ["STALE_AFTER", "credential", "instant", "receive"]

STALE_AFTER = 900
"""Seconds after which a signed callback is refused. An interaction's token is valid for 15 minutes, so an older one is
useless. Events are repeated for 10 minutes. Discord does not document whether it signs a repetition anew."""
_AHEAD = 300
"""Seconds that Discord's clock may be ahead of ours."""
_TIMESTAMP = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")

_EVENT_PING = 0
"""Type of a webhook event that checks the address."""

PONG = Response(200, b'{"type":1}')
RECEIVED = Response(204)
THINKING = Response(200, b'{"type":5}')
THINKING_PRIVATELY = Response(200, b'{"type":5,"data":{"flags":64}}')
UNCHANGED = Response(200, b'{"type":6}')
"""The message with the button stays unchanged until the bot replies."""
_SORRY = "Not available right now, please try again. 暂时不可用，请稍后再试。"
REFUSED = Response(200, f'{{"type":4,"data":{{"flags":64,"content":"{_SORRY}"}}}}'.encode())
"""Asks the person to try again, because Discord does not repeat an interaction.

It is a reply to the interaction, which a later reply of the bot would overwrite. So it is given only if the message is
definitely not stored. Otherwise a 503 ends the interaction. Discord then shows the person a failure, and the bot's
reply is a message of its own.
"""
NO_CHOICES = Response(200, b'{"type":8,"data":{"choices":[]}}')


def receive(request: Request, app: App, now: float) -> Accepted | Rejected:
    """See `parley.adapter.Inbound.receive`."""
    config: Config = app.config
    timestamp = request.headers.get("X-Signature-Timestamp", "")
    signature = request.headers.get("X-Signature-Ed25519", "")
    if not timestamp or not is_valid(config.public_key, timestamp, request.body, signature):
        return Rejected(401, "forged", "the signature is missing or wrong; see public_key")
    if not _TIMESTAMP.fullmatch(timestamp) or not -_AHEAD <= now - float(timestamp) <= STALE_AFTER:
        return Rejected(401, "stale", "the timestamp is older than 15 minutes or ahead of the clock")
    if request.method != "POST":
        return Rejected(405, "malformed", "a signed request with another method than POST")
    try:
        return _dispatch(_decode(request.body), app, now)
    except MalformedError as error:
        return Rejected(400, "malformed", str(error))


def credential(message: Message, app: App) -> str:
    """See `parley.adapter.SupportsCredentials`. The interaction token."""
    interaction = unseal(Destination.answering(message), app.config)
    if interaction is None or not interaction.token:
        raise ValueError("the interaction token is not readable")
    return interaction.token


def _decode(body: bytes) -> dict[str, Any]:
    try:
        return mapping(decode_json(body))
    except ValueError as error:
        raise MalformedError("the body is not JSON") from error


def _dispatch(body: dict[str, Any], app: App, now: float) -> Accepted | Rejected:
    if text(body.get("application_id")) not in ("", app.config.application_id):
        return Rejected(401, "forged", "signed for another application; see application_id")
    match integer(body.get("type")):
        case type_ if "event" in body or type_ == _EVENT_PING:
            if type_ == _EVENT_PING:
                return Accepted(RECEIVED)
            return Accepted(RECEIVED, (message_of_event(body, app, now),))
        case protocol.PING:
            return Accepted(PONG)
        case protocol.COMPLETION:
            return Accepted(NO_CHOICES, instant=message_of(body, app))
        case protocol.COMMAND | protocol.COMPONENT | protocol.FORM:
            return _interaction(body, app, now)
        case _:
            raise MalformedError("type")


def _interaction(body: Mapping[str, Any], app: App, now: float) -> Accepted:
    """An interaction that the bot replies to: the response is deferred, and the message carries the token."""
    message = message_of(body, app)
    token = text(body.get("token"))
    if not token:
        raise MalformedError("token")
    is_component = body.get("type") == protocol.COMPONENT
    private = _is_private(body, message, app.config)
    interaction = InteractionToken(
        token=token,
        thinking=not is_component,
        private=private,
        upload_limit=integer(body.get("attachment_size_limit")) or 0,
    )
    context = msgspec.structs.replace(
        message.context, reply_token=seal(app.config, interaction), reply_token_expires=expires(now)
    )
    message = msgspec.structs.replace(message, context=context)
    response = UNCHANGED if is_component else THINKING_PRIVATELY if private else THINKING
    is_form = body.get("type") == protocol.FORM
    return Accepted(response, (message,), instant=None if is_form else message, refused=REFUSED)


def _is_private(body: Mapping[str, Any], message: Message, config: Config) -> bool:
    """Whether the replies are visible only to the person: by configuration, or because the person acted on a message
    that is.
    """
    flags = integer(mapping(body.get("message")).get("flags")) or 0
    if flags & protocol.EPHEMERAL:
        return True
    if message.command is not None:
        name = message.command.name
        return config.ephemeral or name in config.ephemeral_commands or name.split(" ")[0] in config.ephemeral_commands
    if message.action is not None and body.get("type") == protocol.FORM:
        return config.ephemeral or message.action.id in config.ephemeral_commands
    return False
