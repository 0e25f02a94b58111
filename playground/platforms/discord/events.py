"""Submitted modals, autocomplete requests, and the events of Discord's webhooks.

Facts: Discord docs, Receiving and Responding › Modal Submit; Autocomplete; Webhook Events › Event Body Object.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from playground.platforms.base import NewMessage, NotFoundError
from playground.platforms.discord import channel_api, interactions, modals, wire
from playground.platforms.discord.accounts import GUILD, Account, Interaction, user
from playground.platforms.discord.user_actions import invoke
from playground.platforms.exchange import dumps
from playground.platforms.model import Delivery, Person

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

_PING, _EVENT = 0, 1
_GUILD_INSTALL, _USER_INSTALL = 0, 1
_RETRY_DELAYS = tuple(float(2**number) for number in range(9))
"""Seconds from each failure to the next attempt: exponential, for ten minutes at most."""
Details = Mapping[str, Any]


def user_event(discord: "Discord", account: Account, kind: str, details: Details) -> Delivery:
    """The delivery of an event. Raises NotFoundError for a `kind` that Discord does not send over HTTP."""
    person = discord.person_in(details)
    interaction = {"submit": _submit, "complete": _complete}.get(kind)
    if interaction is not None:
        return interaction(discord, account, person, details).delivery
    if kind == "save_events":
        wrong = _delivery(discord, account, {"type": _PING})
        discord.enqueue(_expecting(wrong, 401, wire.wrongly_signed(wrong.wire)))
        return _expecting(_delivery(discord, account, {"type": _PING}), 204)
    event = _EVENTS.get(kind)
    if event is None:
        raise NotFoundError(f"Discord sends no event {kind!r} over HTTP")
    name, data, room = event(discord, account, person, details)
    stamp = datetime.fromtimestamp(discord.clock(), UTC).replace(tzinfo=None).isoformat()
    body = {"type": _EVENT, "event": {"type": name, "timestamp": stamp, "data": data}}
    return _expecting(_delivery(discord, account, body, room), 204)


# --- interactions ---


def _submit(discord: "Discord", account: Account, person: Person, details: Details) -> Interaction:
    modal = discord.modals.get(str(details.get("modal")))
    if modal is None or modal.person != person.id:
        raise NotFoundError("that person has no such form open")
    components = modals.submitted(modal, dict(details.get("form") or {}))
    data = {"custom_id": modal.data["custom_id"], "components": components}
    card = (
        {"message": channel_api.message_data(discord, discord.messages[modal.component_message])}
        if modal.component_message
        else {}
    )
    room = discord.rooms[modal.room]
    made = interactions.begin(
        discord, account, interactions.MODAL_SUBMIT, room, modal.thread, person, data=data, **card
    )
    made.component_message = modal.component_message
    del discord.modals[modal.id]
    return made


def _complete(discord: "Discord", account: Account, person: Person, details: Details) -> Interaction:
    room = discord.room(str(details.get("room") or ""), account.name, person)
    focused = str(details.get("focused") or "")
    new = NewMessage(native=("command", {"name": details.get("name"), "options": details.get("options") or {}}))
    _, made = invoke(discord, account, person, room, new, focused=focused)
    if made is None:
        raise NotFoundError("there is no command to complete")
    return made


# --- webhook events ---

Event = tuple[str, dict[str, Any], str]
"""The name of the event, its data, and a room: the guild's or a direct chat."""


def _authorize(discord: "Discord", account: Account, person: Person, details: Details) -> Event:
    scopes = ["applications.commands"]
    if details.get("guild", True):
        guild = {"id": GUILD, "name": "Panda Lab", "features": []}
        data = {"integration_type": _GUILD_INSTALL, "scopes": [*scopes, "bot"], "guild": guild, "user": user(person)}
        return "APPLICATION_AUTHORIZED", data, ""
    data = {"integration_type": _USER_INSTALL, "scopes": scopes, "user": user(person)}
    return "APPLICATION_AUTHORIZED", data, discord.room("", account.name, person).id


def _deauthorize(discord: "Discord", account: Account, person: Person, _details: Details) -> Event:
    return "APPLICATION_DEAUTHORIZED", {"user": user(person)}, discord.room("", account.name, person).id


def _entitle(discord: "Discord", account: Account, person: Person, details: Details) -> Event:
    sku = str(details.get("sku") or wire.stable_id("sku", account.name))
    about = {"application_id": account.application_id, "sku_id": sku, "type": 8, "deleted": False, "consumed": False}
    data = {"id": discord.snowflake(), **about, "user_id": user(person)["id"]}
    return "ENTITLEMENT_CREATE", data, discord.room("", account.name, person).id


_EVENTS: dict[str, Callable[["Discord", Account, Person, Details], Event]] = {
    "authorize": _authorize,
    "deauthorize": _deauthorize,
    "entitle": _entitle,
}


def _delivery(discord: "Discord", account: Account, body: Details, room: str = "") -> Delivery:
    """A request to the URL for events. An event has no id: the receiver can recognise it only by its content."""
    key, now, id_ = account.signing_key(), discord.clock(), discord.snowflake()
    plain = dumps({"version": 1, "application_id": account.application_id, **body})
    event = body.get("event")
    canonical = json.dumps(event, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    return Delivery(
        id=id_,
        platform=discord.name,
        app=account.name,
        kind="event" if event else "challenge",
        wire=wire.signed(key, plain, now),
        plain=plain,
        at=now,
        journal_id=hashlib.sha256(canonical).hexdigest() if event else id_,
        subject=id_,
        room=room,
        deadline=interactions.DEADLINE,
        retry_delays=_RETRY_DELAYS if event else (),
    )


def _expecting(delivery: Delivery, status: int, sent: Any = None) -> Delivery:
    delivery.result["expects"] = status
    delivery.wire = sent or delivery.wire
    return delivery
