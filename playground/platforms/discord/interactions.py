"""Interactions: their callbacks, and the effect of the responses.

Facts: Discord docs, Receiving and Responding › Interaction Structure, Interaction Callback Type; Webhook Events.
"""

from typing import TYPE_CHECKING, Any

from playground.platforms.discord import modals, wire
from playground.platforms.discord.accounts import GUILD, Account, Interaction, Modal, permissions_of, roles_of, user
from playground.platforms.discord.channel_api import DIRECT, GROUP, TEXT, THREAD
from playground.platforms.discord.errors import DiscordError
from playground.platforms.discord.messages import Target
from playground.platforms.discord.payload import EPHEMERAL, FILE_BYTES, Payload
from playground.platforms.exchange import dumps
from playground.platforms.model import Delivery, Person, Room

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

PING, COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 1, 2, 3, 4, 5
_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _CHOICES, _MODAL = 4, 5, 6, 7, 8, 9
DEFERRALS = (_DEFERRED, _DEFERRED_UPDATE)
_ALLOWED = {
    COMMAND: (_MESSAGE, _DEFERRED, _MODAL),
    COMPONENT: (_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _MODAL),
    AUTOCOMPLETE: (_CHOICES,),
    MODAL_SUBMIT: (_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE),
}
DEADLINE = 3.0
"""Seconds for the response to a callback."""


def begin(
    discord: "Discord", account: Account, kind: int, room: Room, thread: str, person: Person, **more: Any
) -> Interaction:
    """A new interaction of `person`, with its delivery. Raises NotFoundError if the playground cannot sign it."""
    key = account.signing_key()
    now, id_, token = discord.clock(), discord.snowflake(), discord.hex(64)
    plain = dumps(body(account, kind, id_, token, room, thread, person) | more)
    delivery = Delivery(
        id=id_,
        platform=discord.name,
        app=account.name,
        kind="message" if kind == COMMAND else "action" if kind in (COMPONENT, MODAL_SUBMIT) else "event",
        wire=wire.signed(key, plain, now),
        plain=plain,
        at=now,
        journal_id=id_,
        subject=str((more.get("message") or {}).get("id") or id_),
        room=room.id,
        deadline=DEADLINE,
    )
    made = Interaction(id_, token, account.name, kind, room.id, person.id, now, delivery, thread)
    made.user_install = account.name not in room.bots
    discord.interactions[token] = made
    discord.by_delivery[id_] = made
    return made


def body(account: Account, kind: int, id_: str, token: str, room: Room, thread: str, person: Person) -> dict[str, Any]:
    """The fields of every interaction. If the bot is not a member of the room, it is a user install."""
    direct, user_install = room.kind == "private", account.name not in room.bots
    kind_of_room = GROUP if user_install else DIRECT if direct else TEXT
    channel: dict[str, Any] = {"id": room.id, "type": kind_of_room, "name": room.name}
    if thread:
        channel = {"id": thread, "type": THREAD, "name": room.name, "parent_id": room.id}
    shared = {
        "id": id_,
        "application_id": account.application_id,
        "type": kind,
        "version": 1,
        "token": token,
        "channel_id": channel["id"],
        "channel": channel,
        "locale": "zh-CN" if person.name_zh and person.id == "lin" else "en-US",
        "entitlements": [],
        "authorizing_integration_owners": {"1": user(person)["id"]}
        if user_install
        else {"0": "0" if direct else GUILD},
        "context": 2 if user_install else 1 if direct else 0,
        "attachment_size_limit": FILE_BYTES,
    }
    if direct or user_install:
        return shared | {"user": user(person)}
    member = {"user": user(person), "nick": None, "roles": roles_of(person), "permissions": permissions_of(person)}
    guild = {"id": GUILD, "locale": "en-US", "features": []}
    return shared | {"guild_id": GUILD, "guild": guild, "guild_locale": "en-US", "member": member}


def probe(discord: "Discord", account: Account, *, wrong: bool) -> Delivery:
    """A ping of the portal, sent when the URL is saved. `wrong`: with a wrong signature, expects 401."""
    key, now, id_ = account.signing_key(), discord.clock(), discord.snowflake()
    ping = {"id": id_, "application_id": account.application_id, "type": PING, "version": 1, "token": discord.hex(64)}
    plain = dumps(ping)
    sent = wire.signed(key, plain, now)
    return Delivery(
        id=id_,
        platform=discord.name,
        app=account.name,
        kind="challenge",
        wire=wire.wrongly_signed(sent) if wrong else sent,
        plain=plain,
        at=now,
        journal_id=id_,
        deadline=DEADLINE,
        result={"expects": 401} if wrong else {},
    )


def apply_response(discord: "Discord", interaction: Interaction, response: dict[str, Any]) -> bool:
    """Apply the response to a callback. False if Discord does not accept it."""
    kind, data = response.get("type"), response.get("data") or {}
    if kind not in _ALLOWED.get(interaction.type, ()):
        return False
    if kind in (_DEFERRED_UPDATE, _UPDATE) and not interaction.component_message:
        return False
    interaction.ephemeral = bool(data.get("flags", 0) & EPHEMERAL)
    try:
        return _apply(discord, interaction, kind, data)
    except DiscordError:
        return False


def _apply(discord: "Discord", interaction: Interaction, kind: int | None, data: dict[str, Any]) -> bool:
    account = discord.accounts[interaction.app]
    match kind:
        case k if k == _DEFERRED:
            interaction.original_id = discord.snowflake()
            discord.set_state(interaction, "deferred")
        case k if k == _MESSAGE:
            flags = EPHEMERAL if interaction.ephemeral else 0
            target = Target(discord.rooms[interaction.room], interaction.thread, flags, interaction.person)
            message = discord.create(account, target, Payload(data))
            interaction.original_id = message.id
            discord.set_state(interaction, "responded")
        case k if k == _UPDATE:
            discord.edit(discord.messages[interaction.component_message], Payload(data))
            discord.set_state(interaction, "responded")
        case k if k == _CHOICES:
            choices = data.get("choices")
            if not modals.is_choices(choices):
                return False
            interaction.delivery.result["choices"] = choices
            discord.set_state(interaction, "responded")
        case k if k == _MODAL:
            return _open_modal(discord, interaction, data)
        case _:
            discord.set_state(interaction, "responded")
    return True


def _open_modal(discord: "Discord", interaction: Interaction, data: dict[str, Any]) -> bool:
    if not modals.is_modal(data):
        return False
    place = (interaction.app, interaction.room, interaction.thread, interaction.person)
    modal = Modal(interaction.id, *place, data, interaction.component_message)
    discord.modals[modal.id] = modal
    interaction.delivery.result["modal"] = {"id": modal.id, **data}
    discord.set_state(interaction, "responded")
    discord.notify("modal", {"room": interaction.room, "person": interaction.person, "modal": {"id": modal.id, **data}})
    return True
