"""The actions of persons: they invoke commands, press buttons, choose from selects."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from playground.platforms.base import NewMessage, NotFoundError, Press
from playground.platforms.discord import command_options, gateway_events, interactions
from playground.platforms.discord.accounts import ROLES, Account, Interaction, user, user_id
from playground.platforms.discord.channel_api import message_data
from playground.platforms.discord.messages import store_file
from playground.platforms.discord.parts import find_component
from playground.platforms.model import Message, Person, Room

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

_BUTTON, _STRING_SELECT, _USER_SELECT = 2, 3, 5
_SLASH, _ON_USER, _ON_MESSAGE = 1, 2, 3
NO_PLAIN_TEXT = (
    "Discord sends bots no plain text over HTTP, only commands, buttons and forms: begin with a slash, as in /help. "
    "It sends it over its Gateway: python -m connectors.discord"
)


def invoke(
    discord: "Discord", account: Account, person: Person, room: Room, new: NewMessage, focused: str = ""
) -> tuple[Message, Interaction | None]:
    """A person invokes a command. Returns the message for the page, and the interaction; None for plain text, which
    Discord sends over its Gateway only. `focused`: the option that the person is typing. Raises NotFoundError."""
    thread = _thread(discord, room, new)
    text = new.text.replace("／", "/", 1) if new.text.startswith("／") else new.text
    if new.native is None and not text.startswith("/"):
        if new.deliver and discord.gateway.is_watched(account.name) and account.name in room.bots:
            return gateway_events.post(discord, account, person, room, thread, new), None
        if new.deliver and new.mention is not False:
            raise NotFoundError(NO_PLAIN_TEXT)
        return _message(discord, account, person, room, thread, discord.snowflake(), text), None
    name, values, rest = _command_call(account, text, new)
    if new.native and new.native[1].get("user_install"):
        room.bots.discard(account.name)
    command = _command(account, name, room)
    if command["type"] != _SLASH:
        target = str((values or {}).get("target") or "")
        return _context_menu(discord, account, person, room, thread, command, target)
    data = _data(discord, account, command, rest, values, new, focused)
    kind = interactions.AUTOCOMPLETE if focused else interactions.COMMAND
    interaction = interactions.begin(discord, account, kind, room, thread, person, data=data)
    label = text or " ".join([f"/{name}", *(f"{option}:{value}" for option, value in (values or {}).items())])
    return _message(discord, account, person, room, thread, interaction.id, label), interaction


def _command_call(account: Account, text: str, new: NewMessage) -> tuple[str, dict[str, Any] | None, str]:
    """The name of the command; its options if they are given by name; the rest of the text. The name of a context menu
    command may contain spaces; after any other name follows a sub-command."""
    if new.native is None:
        name, _, rest = text[1:].strip().partition(" ")
        return name, None, rest
    kind, content = new.native
    if kind != "command" or not isinstance(content, dict) or not isinstance(content.get("name"), str):
        raise NotFoundError('native must be {"type": "command", "content": {"name": ..., "options": {...}}}')
    if any(c["type"] != _SLASH and c["name"] == content["name"] for c in account.commands.values()):
        return content["name"], dict(content.get("options") or {}), ""
    name, _, rest = content["name"].partition(" ")
    return name, dict(content.get("options") or {}), rest


def _command(account: Account, name: str, room: Room) -> dict[str, Any]:
    """The command that can be invoked in `room`; a guild command before a global one. Raises NotFoundError."""
    found = [c for c in account.commands.values() if c["name"] == name]
    if account.name not in room.bots:
        found = [c for c in found if 2 in c.get("contexts", ()) and 1 in c.get("integration_types", ())]
    elif room.kind == "private":
        found = [c for c in found if not c.get("guild_id") and 1 in c.get("contexts", [0, 1])]
    if not found:
        names = ", ".join(f"/{c['name']}" for c in account.commands.values()) or "none"
        raise NotFoundError(
            f"no command /{name} is registered there; there are: {names} (`parley discord register` registers)"
        )
    return next((c for c in found if c.get("guild_id")), found[0])


class _Resolved(dict[str, dict[str, Any]]):
    """The `resolved` field of an interaction: the objects whose ids are values of options."""

    def __init__(self, discord: "Discord", account: Account, new: NewMessage) -> None:
        super().__init__()
        self._discord, self._account, self._new = discord, account, new

    def user(self, ref: str) -> str:
        person = self._discord.person(ref)
        self.setdefault("users", {})[user_id(person.id)] = user(person)
        return user_id(person.id)

    def role(self, ref: str) -> str:
        id_ = next((id_ for id_, name in ROLES.items() if ref in (id_, name)), None)
        if id_ is None:
            raise NotFoundError(f"there is no role {ref!r}; there are: {', '.join(ROLES.values())}")
        self.setdefault("roles", {})[id_] = {"id": id_, "name": ROLES[id_], "permissions": "0"}
        return id_

    def mentionable(self, ref: str) -> str:
        return self.role(ref) if ref in ROLES or ref in ROLES.values() else self.user(ref)

    def channel(self, ref: str) -> str:
        room = next((r for r in self._discord.rooms.values() if ref in (r.id, r.slug, r.name)), None)
        if room is None:
            raise NotFoundError(f"there is no channel {ref!r}")
        self.setdefault("channels", {})[room.id] = {"id": room.id, "name": room.name, "type": 0}
        return room.id

    def text(self, typed: str) -> str:
        """`typed` with the mentions of persons. Discord's client offers them in every text."""
        for person in sorted(self._discord.persons.values(), key=lambda each: -len(each.name)):
            typed = typed.replace(f"@{person.name}", f"<@{user_id(person.id)}>")
        return typed

    def attachment(self) -> str:
        name, data = self._new.file or ("image.png", self._new.image)
        if not data:
            return ""
        file = store_file(self._discord, name, data)
        url = f"{self._account.host.removesuffix('/api/v10')}/attachments/{file['id']}/{quote(name)}"
        self.setdefault("attachments", {})[file["id"]] = file | {"ephemeral": True, "url": url}
        return str(file["id"])


def _data(
    discord: "Discord",
    account: Account,
    command: dict[str, Any],
    rest: str,
    values: dict[str, Any] | None,
    new: NewMessage,
    focused: str,
) -> dict[str, Any]:
    resolved = _Resolved(discord, account, new)
    path, rest = command_options.leaf_of(command, rest)
    found = command_options.parse(path[-1], rest) if values is None else values
    lookup = command_options.Lookup(
        resolved.user, resolved.role, resolved.mentionable, resolved.channel, resolved.attachment, resolved.text
    )
    options = command_options.nest(path, command_options.convert(path[-1], found, lookup, focused))
    data = {"id": command["id"], "name": command["name"], "type": _SLASH}
    return data | ({"options": options} if options else {}) | ({"resolved": resolved} if resolved else {})


def _context_menu(
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
    label, reply_to = command["name"], ""
    if command["type"] == _ON_USER:
        other = discord.person(target)
        data |= {"target_id": user_id(other.id), "resolved": {"users": {user_id(other.id): user(other)}}}
        label = f"{label} @{other.name}"
    else:
        message = discord.find_message(target)
        if message.room != room.id or message.recalled:
            raise NotFoundError(f"there is no message {target!r} in that channel")
        data |= {"target_id": message.id, "resolved": {"messages": {message.id: message_data(discord, message)}}}
        reply_to = message.id
    interaction = interactions.begin(discord, account, interactions.COMMAND, room, thread, person, data=data)
    sent = _message(discord, account, person, room, thread, interaction.id, label)
    sent.reply_to = reply_to
    return sent, interaction


def _thread(discord: "Discord", room: Room, new: NewMessage) -> str:
    """The thread of the message: an existing or a new one; empty for none."""
    if new.thread is True:
        thread = discord.snowflake()
        discord.threads[thread] = room.id
        return thread
    if new.thread and discord.threads.get(str(new.thread)) != room.id:
        raise NotFoundError(f"there is no thread {new.thread!r} in that channel")
    return str(new.thread or "")


def _message(
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


def press(
    discord: "Discord", account: Account, message: Message, person: Person, press: Press
) -> tuple[Interaction, str]:
    """A person uses a component of `message`. Returns the interaction, and the label for the page. Raises
    NotFoundError."""
    component = None if message.recalled else find_component(message.content, press.button)
    if component is None or component.get("disabled"):
        raise NotFoundError(f"message {message.id!r} has no button {press.button!r}")
    data: dict[str, Any] = {"component_type": component["type"], "custom_id": component["custom_id"]}
    if component["type"] != _BUTTON:
        data |= _selected(discord, component, press)
    room = discord.rooms[message.room]
    more = {"data": data, "message": message_data(discord, message)}
    interaction = interactions.begin(discord, account, interactions.COMPONENT, room, message.thread, person, **more)
    interaction.component_message = message.id
    return interaction, component.get("label") or ", ".join(press.options) or component["custom_id"]


def _selected(discord: "Discord", component: dict[str, Any], press: Press) -> dict[str, Any]:
    """The fields of a select interaction for the chosen options."""
    least, most = component.get("min_values", 1), component.get("max_values", 1)
    if not least <= len(press.options) <= most:
        raise NotFoundError(f"{component['custom_id']}: choose {least} to {most}")
    if component["type"] == _STRING_SELECT:
        offered = [option["value"] for option in component.get("options") or ()]
        if not set(press.options).issubset(offered):
            raise NotFoundError(f"{component['custom_id']} offers {', '.join(offered)}")
        return {"values": list(press.options)}
    if component["type"] == _USER_SELECT:
        users = [user(discord.person(option)) for option in press.options]
        return {"values": [one["id"] for one in users], "resolved": {"users": {one["id"]: one for one in users}}}
    return {"values": list(press.options)}
