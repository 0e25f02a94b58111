"""What happens beside commands and presses: forms that are sent off, completions, and events of Discord's webhooks.

Facts: Discord docs, Receiving and Responding › Modal Submit; Autocomplete; Webhook Events › Event Body Object.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from playground.platforms.base import NewMessage, Unknown
from playground.platforms.discord import channels, forms, interactions, wire
from playground.platforms.discord.accounts import GUILD, Account, Interaction, user
from playground.platforms.discord.asking import asked
from playground.platforms.model import Delivery, Person

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

_PING, _EVENT = 0, 1
_GUILD_INSTALL, _USER_INSTALL = 0, 1
_LADDER = tuple(float(2**number) for number in range(9))
"""Seconds from each failure to the next attempt: exponential, and no more after ten minutes."""
Details = Mapping[str, Any]


def happened(discord: "Discord", account: Account, kind: str, details: Details) -> Delivery:
    """What Discord sends of it. Raises Unknown for what it tells nobody over HTTP."""
    person = discord.person(str(details.get("sender") or next(iter(discord.persons))))
    interaction = {"submit": _submitted, "complete": _completing}.get(kind)
    if interaction is not None:
        return interaction(discord, account, person, details).delivery
    if kind == "save_events":
        wrong = _sent(discord, account, {"type": _PING})
        discord.send_event(_expecting(wrong, 401, wire.wrongly_signed(wrong.wire)))
        return _expecting(_sent(discord, account, {"type": _PING}), 204)
    event = _EVENTS.get(kind)
    if event is None:
        raise Unknown(f"Discord tells nobody of {kind!r} over HTTP")
    name, data, room = event(discord, account, person, details)
    stamp = datetime.fromtimestamp(discord.clock(), UTC).replace(tzinfo=None).isoformat()
    body = {"type": _EVENT, "event": {"type": name, "timestamp": stamp, "data": data}}
    return _expecting(_sent(discord, account, body, room), 204)


# --- interactions ---


def _submitted(discord: "Discord", account: Account, person: Person, details: Details) -> Interaction:
    modal = discord.modals.get(str(details.get("modal")))
    if modal is None or modal.person != person.id:
        raise Unknown("there is no such form on that person's screen")
    components = forms.submitted(modal, dict(details.get("form") or {}))
    data = {"custom_id": modal.data["custom_id"], "components": components}
    card = {"message": channels.message_data(discord, discord.messages[modal.component])} if modal.component else {}
    room = discord.rooms[modal.room]
    made = interactions.begin(discord, account, interactions.FORM, room, modal.thread, person, data=data, **card)
    made.component = modal.component
    del discord.modals[modal.id]
    return made


def _completing(discord: "Discord", account: Account, person: Person, details: Details) -> Interaction:
    place = discord.room(str(details.get("room") or ""), account.name, person)
    focused = str(details.get("focused") or "")
    said = NewMessage(native=("command", {"name": details.get("name"), "options": details.get("options") or {}}))
    _, made = asked(discord, account, person, place, said, focused=focused)
    if made is None:
        raise Unknown("nothing is being completed")
    return made


# --- webhook events ---

Event = tuple[str, dict[str, Any], str]
"""The event's name, its data, and the room that decides whether it belongs to the guild."""


def _authorized(discord: "Discord", account: Account, person: Person, details: Details) -> Event:
    scopes = ["applications.commands"]
    if details.get("guild", True):
        guild = {"id": GUILD, "name": "Panda Lab", "features": []}
        data = {"integration_type": _GUILD_INSTALL, "scopes": [*scopes, "bot"], "guild": guild, "user": user(person)}
        return "APPLICATION_AUTHORIZED", data, ""
    data = {"integration_type": _USER_INSTALL, "scopes": scopes, "user": user(person)}
    return "APPLICATION_AUTHORIZED", data, discord.room("", account.name, person).id


def _deauthorized(discord: "Discord", account: Account, person: Person, _details: Details) -> Event:
    return "APPLICATION_DEAUTHORIZED", {"user": user(person)}, discord.room("", account.name, person).id


def _entitled(discord: "Discord", account: Account, person: Person, details: Details) -> Event:
    sku = str(details.get("sku") or wire.stable_id("sku", account.name))
    about = {"application_id": account.application_id, "sku_id": sku, "type": 8, "deleted": False, "consumed": False}
    data = {"id": discord.snowflake(), **about, "user_id": user(person)["id"]}
    return "ENTITLEMENT_CREATE", data, discord.room("", account.name, person).id


_EVENTS: dict[str, Callable[["Discord", Account, Person, Details], Event]] = {
    "authorize": _authorized,
    "deauthorize": _deauthorized,
    "entitle": _entitled,
}


def _sent(discord: "Discord", account: Account, body: Details, room: str = "") -> Delivery:
    """A call of the address for events. An event has no id: the receiver can only go by what is in it."""
    if account.key is None:
        raise Unknown(f"{account.name}: its private key is not here, so that nothing can be signed for it")
    now, id_ = discord.clock(), discord.snowflake()
    plain = wire.dumps({"version": 1, "application_id": account.application_id, **body})
    event = body.get("event")
    sorted_ = json.dumps(event, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    return Delivery(
        id=id_,
        platform=discord.name,
        app=account.name,
        kind="event" if event else "challenge",
        wire=wire.signed(account.key, plain, now),
        plain=plain,
        at=now,
        journal_id=hashlib.sha256(sorted_).hexdigest() if event else id_,
        about=id_,
        room=room,
        deadline=interactions.DEADLINE,
        ladder=_LADDER if event else (),
    )


def _expecting(delivery: Delivery, status: int, sent: Any = None) -> Delivery:
    delivery.result["expects"] = status
    delivery.wire = sent or delivery.wire
    return delivery
