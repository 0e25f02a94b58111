"""What persons do: call a command, press a button, choose from a select."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from playground.platforms.base import NewMessage, Press, Unknown
from playground.platforms.discord import interactions, typed
from playground.platforms.discord.accounts import ROLES, Account, Interaction, user, user_id
from playground.platforms.discord.channels import message_data
from playground.platforms.discord.parts import find_component
from playground.platforms.discord.writing import keep
from playground.platforms.model import Message, Person, Room

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

_BUTTON, _STRING_SELECT, _USER_SELECT = 2, 3, 5
_SLASH, _ON_USER, _ON_MESSAGE = 1, 2, 3
PLAIN = "Discord gives bots no plain text over HTTP, only commands, buttons and forms: begin with a slash, as in /help"


def asked(
    discord: "Discord", account: Account, person: Person, room: Room, said: NewMessage, focused: str = ""
) -> tuple[Message, Interaction | None]:
    """What is seen of a command, and its interaction; none for plain text, which no bot is told. Raises Unknown."""
    thread = _thread(discord, room, said)
    text = said.text.replace("／", "/", 1) if said.text.startswith("／") else said.text
    if said.native is None and not text.startswith("/"):
        if said.deliver and said.mention is not False:
            raise Unknown(PLAIN)
        return _seen(discord, account, person, room, thread, discord.snowflake(), text), None
    name, values, rest = _call(account, text, said)
    if said.native and said.native[1].get("elsewhere"):
        room.bots.discard(account.name)
    command = _command(account, name, room)
    if command["type"] != _SLASH:
        return _from_menu(discord, account, person, room, thread, command, str((values or {}).get("target") or ""))
    data = _data(discord, account, command, rest, values, said, focused)
    kind = interactions.COMPLETION if focused else interactions.COMMAND
    made = interactions.begin(discord, account, kind, room, thread, person, data=data)
    shown = text or " ".join([f"/{name}", *(f"{option}:{value}" for option, value in (values or {}).items())])
    return _seen(discord, account, person, room, thread, made.id, shown), made


def _call(account: Account, text: str, said: NewMessage) -> tuple[str, dict[str, Any] | None, str]:
    """The command's name, its options where they are given by name, else the words behind it. Names in menus have
    spaces; otherwise it is a sub-command that is behind one.
    """
    if said.native is None:
        name, _, rest = text[1:].strip().partition(" ")
        return name, None, rest
    kind, content = said.native
    if kind != "command" or not isinstance(content, dict) or not isinstance(content.get("name"), str):
        raise Unknown('Discord takes native {"type": "command", "content": {"name": ..., "options": {...}}}')
    if any(c["type"] != _SLASH and c["name"] == content["name"] for c in account.commands.values()):
        return content["name"], dict(content.get("options") or {}), ""
    name, _, rest = content["name"].partition(" ")
    return name, dict(content.get("options") or {}), rest


def _command(account: Account, name: str, room: Room) -> dict[str, Any]:
    found = [c for c in account.commands.values() if c["name"] == name]
    if account.name not in room.bots:
        found = [c for c in found if 2 in c.get("contexts", ()) and 1 in c.get("integration_types", ())]
    elif room.kind == "private":
        found = [c for c in found if not c.get("guild_id") and 1 in c.get("contexts", [0, 1])]
    if not found:
        names = ", ".join(f"/{c['name']}" for c in account.commands.values()) or "none"
        raise Unknown(
            f"no command /{name} is registered there; there are: {names} (tools/discord_commands.py registers)"
        )
    return next((c for c in found if c.get("guild_id")), found[0])


class _Resolved(dict[str, dict[str, Any]]):
    """What goes along with the ids in an interaction."""

    def __init__(self, discord: "Discord", account: Account, said: NewMessage) -> None:
        super().__init__()
        self._discord, self._account, self._said = discord, account, said

    def user(self, ref: str) -> str:
        person = self._discord.person(ref)
        self.setdefault("users", {})[user_id(person.id)] = user(person)
        return user_id(person.id)

    def role(self, ref: str) -> str:
        id_ = next((id_ for id_, name in ROLES.items() if ref in (id_, name)), None)
        if id_ is None:
            raise Unknown(f"there is no role {ref!r}; there are: {', '.join(ROLES.values())}")
        self.setdefault("roles", {})[id_] = {"id": id_, "name": ROLES[id_], "permissions": "0"}
        return id_

    def mentionable(self, ref: str) -> str:
        return self.role(ref) if ref in ROLES or ref in ROLES.values() else self.user(ref)

    def channel(self, ref: str) -> str:
        room = next((r for r in self._discord.rooms.values() if ref in (r.id, r.slug, r.name)), None)
        if room is None:
            raise Unknown(f"there is no channel {ref!r}")
        self.setdefault("channels", {})[room.id] = {"id": room.id, "name": room.name, "type": 0}
        return room.id

    def attachment(self) -> str:
        name, data = self._said.file or ("image.png", self._said.image)
        if not data:
            return ""
        kept = keep(self._discord, name, data)
        where = f"{self._account.host.removesuffix('/api/v10')}/attachments/{kept['id']}/{quote(name)}"
        self.setdefault("attachments", {})[kept["id"]] = kept | {"ephemeral": True, "url": where}
        return str(kept["id"])


def _data(
    discord: "Discord",
    account: Account,
    command: dict[str, Any],
    rest: str,
    values: dict[str, Any] | None,
    said: NewMessage,
    focused: str,
) -> dict[str, Any]:
    resolved = _Resolved(discord, account, said)
    path, rest = typed.leaf_of(command, rest)
    found = typed.given(path[-1], rest) if values is None else values
    lookup = typed.Lookup(resolved.user, resolved.role, resolved.mentionable, resolved.channel, resolved.attachment)
    options = typed.filled(path[-1], found, lookup, focused)
    data = {"id": command["id"], "name": command["name"], "type": _SLASH, "options": typed.nested(path, options)}
    if not data["options"]:
        del data["options"]
    return data | ({"resolved": resolved} if resolved else {})


def _from_menu(
    discord: "Discord",
    account: Account,
    person: Person,
    room: Room,
    thread: str,
    command: dict[str, Any],
    target: str,
) -> tuple[Message, Interaction]:
    """A command of the context menu of a person or a message, which is its `target`."""
    data = {"id": command["id"], "name": command["name"], "type": command["type"]}
    shown, on = command["name"], ""
    if command["type"] == _ON_USER:
        other = discord.person(target)
        data |= {"target_id": user_id(other.id), "resolved": {"users": {user_id(other.id): user(other)}}}
        shown = f"{shown} @{other.name}"
    else:
        message = discord.find_message(target)
        if message.room != room.id or message.recalled:
            raise Unknown(f"there is no message {target!r} in that channel")
        data |= {"target_id": message.id, "resolved": {"messages": {message.id: message_data(discord, message)}}}
        on = message.id
    made = interactions.begin(discord, account, interactions.COMMAND, room, thread, person, data=data)
    seen = _seen(discord, account, person, room, thread, made.id, shown)
    seen.reply_to = on
    return seen, made


def _thread(discord: "Discord", room: Room, said: NewMessage) -> str:
    """The thread that is spoken in: one that is there, or a new one."""
    if said.thread is True:
        thread = discord.snowflake()
        discord.threads[thread] = room.id
        return thread
    if said.thread and discord.threads.get(str(said.thread)) != room.id:
        raise Unknown(f"there is no thread {said.thread!r} in that channel")
    return str(said.thread or "")


def _seen(
    discord: "Discord", account: Account, person: Person, room: Room, thread: str, id_: str, text: str
) -> Message:
    return Message(
        id=id_,
        room=room.id,
        sender=person.id,
        sender_kind="user",
        type="command",
        content={"content": text},
        at=discord.clock(),
        app=account.name,
        thread=thread,
    )


def chosen(
    discord: "Discord", account: Account, message: Message, person: Person, pressed: Press
) -> tuple[Interaction, Message]:
    """The interaction of a press, and the page's line about it. Raises Unknown."""
    component = None if message.recalled else find_component(message.content, pressed.button)
    if component is None or component.get("disabled"):
        raise Unknown(f"message {message.id!r} has no button {pressed.button!r}")
    data: dict[str, Any] = {"component_type": component["type"], "custom_id": component["custom_id"]}
    if component["type"] != _BUTTON:
        data |= _values(discord, component, pressed)
    room = discord.rooms[message.room]
    more = {"data": data, "message": message_data(discord, message)}
    made = interactions.begin(discord, account, interactions.COMPONENT, room, message.thread, person, **more)
    made.component = message.id
    label = component.get("label") or ", ".join(pressed.options) or component["custom_id"]
    note = Message(
        id=made.id,
        room=message.room,
        sender=person.id,
        sender_kind="user",
        type="press",
        content={"label": label},
        at=discord.clock(),
        app=account.name,
        reply_to=message.id,
        note=True,
    )
    return made, note


def _values(discord: "Discord", component: dict[str, Any], pressed: Press) -> dict[str, Any]:
    least, most = component.get("min_values", 1), component.get("max_values", 1)
    if not least <= len(pressed.options) <= most:
        raise Unknown(f"{component['custom_id']}: choose {least} to {most}")
    if component["type"] == _STRING_SELECT:
        there = {option["value"] for option in component.get("options") or ()}
        if not set(pressed.options) <= there:
            raise Unknown(f"{component['custom_id']} offers {', '.join(sorted(there))}")
        return {"values": list(pressed.options)}
    if component["type"] == _USER_SELECT:
        people = [user(discord.person(option)) for option in pressed.options]
        return {"values": [one["id"] for one in people], "resolved": {"users": {one["id"]: one for one in people}}}
    return {"values": list(pressed.options)}
