"""What an application does with an interaction's token. Facts: Discord docs, Receiving and Responding › Endpoints."""

from typing import TYPE_CHECKING

from playground.platforms.discord import payload
from playground.platforms.discord.accounts import TOKEN_SECONDS, Account, Interaction
from playground.platforms.discord.channels import message_data
from playground.platforms.discord.errors import (
    UNKNOWN_MESSAGE,
    UNKNOWN_WEBHOOK,
    Refused,
    not_found,
)
from playground.platforms.discord.writing import Place
from playground.platforms.http import Request, Response
from playground.platforms.model import Message

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

_COMPONENT = 3
MOST_ELSEWHERE = 5
"""Follow-ups of an application that is installed by the person alone."""


def get_original(discord: "Discord", _request: Request, application: str, token: str) -> Response:
    """`GET /webhooks/:application/:token/messages/@original`: also the promise itself, flagged as loading."""
    account, interaction = _interaction(discord, application, token)
    if interaction.state == "thinking":
        flags = payload.LOADING | (payload.EPHEMERAL if interaction.private else 0)
        return Response.of({"id": interaction.original, "author": account.user(), "content": "", "flags": flags})
    return Response.of(message_data(discord, _original(discord, interaction)))


def edit_original(discord: "Discord", request: Request, application: str, token: str) -> Response:
    """`PATCH .../messages/@original`: fills in the promise, or changes the first answer."""
    account, interaction = _interaction(discord, application, token)
    given = payload.read(request)
    if interaction.state == "thinking":
        payload.check(given)
        message = _fill(discord, account, interaction, given)
    else:
        message = _original(discord, interaction)
        discord.rewrite(message, given)
    discord.note_call(room=interaction.room, message_id=message.id)
    return Response.of(message_data(discord, message))


def delete_original(discord: "Discord", _request: Request, application: str, token: str) -> Response:
    """`DELETE .../messages/@original`: also takes a promise back."""
    _, interaction = _interaction(discord, application, token)
    discord.note_call(room=interaction.room, message_id=interaction.original)
    if interaction.state == "thinking":
        discord.settle(interaction, "removed")
        return Response(204)
    discord.remove(_original(discord, interaction))
    return Response(204)


def follow_up(discord: "Discord", request: Request, application: str, token: str) -> Response:
    """`POST /webhooks/:application/:token`. After a promise, the first of them fills that in (legacy)."""
    account, interaction = _interaction(discord, application, token)
    given = payload.read(request)
    body = payload.check(given)
    if interaction.state == "thinking":
        message = _fill(discord, account, interaction, given)
    else:
        room = discord.rooms[interaction.room]
        if interaction.elsewhere and len(interaction.follow_ups) >= MOST_ELSEWHERE:
            raise Refused(400, 40094, "This interaction has reached its maximum number of follow up messages")
        flags = int(body.get("flags") or 0) & payload.EPHEMERAL
        message = discord.write(account, Place(room, interaction.thread, flags, interaction.person), given)
        interaction.follow_ups.append(message.id)
    discord.note_call(room=interaction.room, message_id=message.id)
    return Response.of(message_data(discord, message))


def edit_follow_up(discord: "Discord", request: Request, application: str, token: str, message_id: str) -> Response:
    """`PATCH .../messages/:id`."""
    message = _follow_up(discord, application, token, message_id)
    discord.rewrite(message, payload.read(request))
    discord.note_call(room=message.room, message_id=message.id)
    return Response.of(message_data(discord, message))


def delete_follow_up(discord: "Discord", _request: Request, application: str, token: str, message_id: str) -> Response:
    """`DELETE .../messages/:id`."""
    message = _follow_up(discord, application, token, message_id)
    discord.remove(message)
    discord.note_call(room=message.room, message_id=message.id)
    return Response(204)


def respond(discord: "Discord", request: Request, interaction_id: str, token: str) -> Response:
    """`POST /interactions/:id/:token/callback`: the first answer, by another way than the callback's response."""
    interaction = discord.interactions.get(token)
    if interaction is None or interaction.id != interaction_id or interaction.state == "failed":
        raise Refused(404, 10062, "Unknown interaction")
    if interaction.state != "waiting":
        raise Refused(400, 40060, "Interaction has already been acknowledged.")
    if not discord.take_answer(interaction, payload.read(request).json):
        raise Refused(400, 50035, "Invalid Form Body")
    return Response(204)


def _interaction(discord: "Discord", application: str, token: str) -> tuple[Account, Interaction]:
    interaction = discord.interactions.get(token)
    account = discord.account_of(application)
    if interaction is None or account is None or account.name != interaction.app:
        raise not_found(UNKNOWN_WEBHOOK, "Webhook")
    discord.note_call(app=account.name)
    if interaction.state in ("waiting", "failed"):
        # Not answered yet, as far as Discord knows: the answer may still be on its way.
        raise not_found(UNKNOWN_WEBHOOK, "Webhook")
    if discord.clock() >= interaction.at + TOKEN_SECONDS:
        raise Refused(401, 50027, "Invalid Webhook Token")
    return account, interaction


def _fill(discord: "Discord", account: Account, interaction: Interaction, given: payload.Payload) -> Message:
    """The first answer, in the place of the promise: seen by those to whom it was promised."""
    room, flags = discord.rooms[interaction.room], payload.EPHEMERAL if interaction.private else 0
    place = Place(room, interaction.thread, flags, interaction.person, id=interaction.original)
    message = discord.write(account, place, given)
    discord.settle(interaction, "answered")
    return message


def _original(discord: "Discord", interaction: Interaction) -> Message:
    id_ = interaction.component if interaction.type == _COMPONENT and not interaction.original else interaction.original
    message = discord.messages.get(id_)
    if message is None or message.recalled:
        raise not_found(UNKNOWN_MESSAGE, "Message")
    return message


def _follow_up(discord: "Discord", application: str, token: str, message_id: str) -> Message:
    _, interaction = _interaction(discord, application, token)
    message = discord.messages.get(message_id)
    if message_id not in (*interaction.follow_ups, interaction.original) or message is None or message.recalled:
        raise not_found(UNKNOWN_MESSAGE, "Message")
    return message
