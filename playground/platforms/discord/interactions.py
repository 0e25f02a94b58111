"""Interactions as Discord posts them, and what it makes of the answers.

Facts: Discord docs, Receiving and Responding › Interaction Structure, Interaction Callback Type; Webhook Events.
"""

from typing import TYPE_CHECKING, Any

from playground.platforms.base import Unknown
from playground.platforms.discord import forms, wire
from playground.platforms.discord.accounts import GUILD, Account, Interaction, Modal, roles_of, user
from playground.platforms.discord.channels import DIRECT, GROUP, TEXT, THREAD
from playground.platforms.discord.errors import Refused
from playground.platforms.discord.payload import EPHEMERAL, FILE_BYTES, Payload
from playground.platforms.discord.writing import Place
from playground.platforms.model import Delivery, Person, Room

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

PING, COMMAND, COMPONENT, COMPLETION, FORM = 1, 2, 3, 4, 5
_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _CHOICES, _MODAL = 4, 5, 6, 7, 8, 9
PROMISES = (_DEFERRED, _DEFERRED_UPDATE)
_ALLOWED = {
    COMMAND: (_MESSAGE, _DEFERRED, _MODAL),
    COMPONENT: (_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _MODAL),
    COMPLETION: (_CHOICES,),
    FORM: (_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE),
}
DEADLINE = 3.0
"""Seconds for the first answer."""


def begin(
    discord: "Discord", account: Account, kind: int, room: Room, thread: str, person: Person, **more: Any
) -> Interaction:
    """An interaction of `person`, put into the outbox. Raises Unknown where nobody here can sign it."""
    if account.key is None:
        raise Unknown(f"{account.name}: its private key is not here, so that nothing can be signed for it")
    now, id_, token = discord.clock(), discord.snowflake(), discord.hex(64)
    plain = wire.dumps(body(account, kind, id_, token, room, thread, person) | more)
    delivery = Delivery(
        id=id_,
        platform=discord.name,
        app=account.name,
        kind="message" if kind == COMMAND else "action" if kind in (COMPONENT, FORM) else "event",
        wire=wire.signed(account.key, plain, now),
        plain=plain,
        at=now,
        journal_id=id_,
        about=str((more.get("message") or {}).get("id") or id_),
        room=room.id,
        deadline=DEADLINE,
    )
    elsewhere = account.name not in room.bots
    made = Interaction(id_, token, account.name, kind, room.id, person.id, now, delivery, thread, elsewhere=elsewhere)
    discord.interactions[token] = made
    discord.by_delivery[id_] = made
    return made


def body(account: Account, kind: int, id_: str, token: str, room: Room, thread: str, person: Person) -> dict[str, Any]:
    """What every interaction has. Where the bot is not, the person has taken it along (a user install)."""
    direct, elsewhere = room.kind == "private", account.name not in room.bots
    kind_of_room = GROUP if elsewhere else DIRECT if direct else TEXT
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
        "authorizing_integration_owners": {"1": user(person)["id"]} if elsewhere else {"0": "0" if direct else GUILD},
        "context": 2 if elsewhere else 1 if direct else 0,
        "attachment_size_limit": FILE_BYTES,
    }
    if direct or elsewhere:
        return shared | {"user": user(person)}
    member = {"user": user(person), "nick": None, "roles": roles_of(person), "permissions": "2248473465835073"}
    guild = {"id": GUILD, "locale": "en-US", "features": []}
    return shared | {"guild_id": GUILD, "guild": guild, "guild_locale": "en-US", "member": member}


def probe(discord: "Discord", account: Account, *, wrong: bool) -> Delivery:
    """What the portal sends when the address is saved: a ping, signed rightly and wrongly."""
    if account.key is None:
        raise Unknown(f"{account.name}: its private key is not here, so that nothing can be signed for it")
    now, id_ = discord.clock(), discord.snowflake()
    ping = {"id": id_, "application_id": account.application_id, "type": PING, "version": 1, "token": discord.hex(64)}
    plain = wire.dumps(ping)
    sent = wire.signed(account.key, plain, now)
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


def take_answer(discord: "Discord", interaction: Interaction, answer: dict[str, Any]) -> bool:
    """Do what the first answer says; False where Discord takes no such answer."""
    kind, data = answer.get("type"), answer.get("data") or {}
    if kind not in _ALLOWED.get(interaction.type, ()):
        return False
    if kind in (_DEFERRED_UPDATE, _UPDATE) and not interaction.component:
        return False
    interaction.private = bool(data.get("flags", 0) & EPHEMERAL)
    try:
        return _act(discord, interaction, kind, data)
    except Refused:
        return False


def _act(discord: "Discord", interaction: Interaction, kind: int | None, data: dict[str, Any]) -> bool:
    account = discord.accounts[interaction.app]
    match kind:
        case k if k == _DEFERRED:
            interaction.original = discord.snowflake()
            discord.settle(interaction, "thinking")
        case k if k == _MESSAGE:
            flags = EPHEMERAL if interaction.private else 0
            place = Place(discord.rooms[interaction.room], interaction.thread, flags, interaction.person)
            message = discord.write(account, place, Payload(data))
            interaction.original = message.id
            discord.settle(interaction, "answered")
        case k if k == _UPDATE:
            discord.rewrite(discord.messages[interaction.component], Payload(data))
            discord.settle(interaction, "answered")
        case k if k == _CHOICES:
            choices = data.get("choices")
            if not forms.is_choices(choices):
                return False
            interaction.delivery.result["choices"] = choices
            discord.settle(interaction, "answered")
        case k if k == _MODAL:
            return _open(discord, interaction, data)
        case _:
            discord.settle(interaction, "answered")
    return True


def _open(discord: "Discord", interaction: Interaction, data: dict[str, Any]) -> bool:
    if not forms.is_modal(data):
        return False
    place = (interaction.app, interaction.room, interaction.thread, interaction.person)
    modal = Modal(interaction.id, *place, data, interaction.component)
    discord.modals[modal.id] = modal
    interaction.delivery.result["modal"] = {"id": modal.id, **data}
    discord.settle(interaction, "answered")
    discord.notify("modal", {"room": interaction.room, "person": interaction.person, "modal": {"id": modal.id, **data}})
    return True
