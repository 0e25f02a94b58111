"""The API for interaction tokens. Facts: Discord docs, Receiving and Responding › Endpoints."""

from typing import TYPE_CHECKING

from playground.platforms.discord import payload
from playground.platforms.discord.accounts import TOKEN_SECONDS, Account, Interaction
from playground.platforms.discord.channel_api import message_data
from playground.platforms.discord.errors import (
    UNKNOWN_MESSAGE,
    UNKNOWN_WEBHOOK,
    DiscordError,
    not_found,
)
from playground.platforms.discord.messages import Target
from playground.platforms.exchange import Request, Response
from playground.platforms.model import Message

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

_COMPONENT = 3
MAX_FOLLOW_UPS = 5
"""Follow-ups of an application that only the person has installed."""


def get_original(discord: "Discord", _request: Request, application: str, token: str) -> Response:
    """`GET /webhooks/:application/:token/messages/@original`: a deferred response has the flag LOADING."""
    account, interaction = _interaction(discord, application, token)
    if interaction.state == "deferred":
        flags = payload.LOADING | _ephemeral(interaction)
        return Response.of({"id": interaction.original_id, "author": account.user(), "content": "", "flags": flags})
    return Response.of(message_data(discord, _original(discord, interaction)))


def edit_original(discord: "Discord", request: Request, application: str, token: str) -> Response:
    """`PATCH .../messages/@original`: completes the deferred response, or edits the response."""
    account, interaction = _interaction(discord, application, token)
    new = payload.read(request)
    if interaction.state == "deferred":
        payload.check(new)
        message = _complete(discord, account, interaction, new)
    else:
        message = _original(discord, interaction)
        discord.edit(message, new)
    discord.note_call(room=interaction.room, message_id=message.id)
    return Response.of(message_data(discord, message))


def delete_original(discord: "Discord", _request: Request, application: str, token: str) -> Response:
    """`DELETE .../messages/@original`: also deletes a deferred response."""
    _, interaction = _interaction(discord, application, token)
    discord.note_call(room=interaction.room, message_id=interaction.original_id)
    if interaction.state == "deferred":
        discord.set_state(interaction, "deleted")
        return Response(204)
    discord.delete(_original(discord, interaction))
    return Response(204)


def follow_up(discord: "Discord", request: Request, application: str, token: str) -> Response:
    """`POST /webhooks/:application/:token`: the first follow-up completes a deferred response (legacy)."""
    account, interaction = _interaction(discord, application, token)
    new = payload.read(request)
    body = payload.check(new)
    if interaction.state == "deferred":
        message = _complete(discord, account, interaction, new)
    else:
        room = discord.rooms[interaction.room]
        if interaction.user_install and len(interaction.follow_ups) >= MAX_FOLLOW_UPS:
            raise DiscordError(400, 40094, "This interaction has reached its maximum number of follow up messages")
        flags = int(body.get("flags") or 0) & payload.EPHEMERAL
        message = discord.create(account, Target(room, interaction.thread, flags, interaction.person), new)
        interaction.follow_ups.append(message.id)
    discord.note_call(room=interaction.room, message_id=message.id)
    return Response.of(message_data(discord, message))


def edit_follow_up(discord: "Discord", request: Request, application: str, token: str, message_id: str) -> Response:
    """`PATCH .../messages/:id`."""
    message = _follow_up(discord, application, token, message_id)
    discord.edit(message, payload.read(request))
    discord.note_call(room=message.room, message_id=message.id)
    return Response.of(message_data(discord, message))


def delete_follow_up(discord: "Discord", _request: Request, application: str, token: str, message_id: str) -> Response:
    """`DELETE .../messages/:id`."""
    message = _follow_up(discord, application, token, message_id)
    discord.delete(message)
    discord.note_call(room=message.room, message_id=message.id)
    return Response(204)


def respond(discord: "Discord", request: Request, interaction_id: str, token: str) -> Response:
    """`POST /interactions/:id/:token/callback`: the response by an API call, instead of the callback's response."""
    interaction = discord.interactions.get(token)
    if interaction is None or interaction.id != interaction_id or interaction.state == "failed":
        raise DiscordError(404, 10062, "Unknown interaction")
    if interaction.state != "waiting":
        raise DiscordError(400, 40060, "Interaction has already been acknowledged.")
    if not discord.apply_response(interaction, payload.read(request).json):
        raise DiscordError(400, 50035, "Invalid Form Body")
    return Response(204)


def _interaction(discord: "Discord", application: str, token: str) -> tuple[Account, Interaction]:
    interaction = discord.interactions.get(token)
    account = discord.find_account(application)
    if interaction is None or account is None or account.name != interaction.app:
        raise not_found(UNKNOWN_WEBHOOK, "Webhook")
    discord.note_call(app=account.name)
    if interaction.state in ("waiting", "failed"):
        # Discord has no response yet; it may still arrive.
        raise not_found(UNKNOWN_WEBHOOK, "Webhook")
    if discord.clock() >= interaction.at + TOKEN_SECONDS:
        raise DiscordError(401, 50027, "Invalid Webhook Token")
    return account, interaction


def _complete(discord: "Discord", account: Account, interaction: Interaction, new: payload.Payload) -> Message:
    """The response in place of the deferred one, with its visibility."""
    room, flags = discord.rooms[interaction.room], _ephemeral(interaction)
    target = Target(room, interaction.thread, flags, interaction.person, id=interaction.original_id)
    message = discord.create(account, target, new)
    discord.set_state(interaction, "responded")
    return message


def _ephemeral(interaction: Interaction) -> int:
    return payload.EPHEMERAL if interaction.ephemeral else 0


def _original(discord: "Discord", interaction: Interaction) -> Message:
    id_ = interaction.original_id or (interaction.component_message if interaction.type == _COMPONENT else "")
    message = discord.messages.get(id_)
    if message is None or message.recalled:
        raise not_found(UNKNOWN_MESSAGE, "Message")
    return message


def _follow_up(discord: "Discord", application: str, token: str, message_id: str) -> Message:
    _, interaction = _interaction(discord, application, token)
    message = discord.messages.get(message_id)
    if message_id not in (*interaction.follow_ups, interaction.original_id) or message is None or message.recalled:
        raise not_found(UNKNOWN_MESSAGE, "Message")
    return message
