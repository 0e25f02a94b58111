"""The objects for the ids in an interaction: names, attachments, the target message of a context-menu command.

Discord docs: Receiving and Responding › Resolved Data Structure. If the id of a role or channel has no object, its text
is the id. That of a person is empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from parley.model import AnyMedia, AnySegment, Audio, Mention, Other, Sender, Text, Video
from parley.platforms.discord.file_types import media_type
from parley.platforms.discord.snowflake import snowflake
from parley.untrusted import integer, mapping, mappings, text

Names = Mapping[str, str]
Kind = Literal["user", "role", "channel", "mentionable", "attachment", "value"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """The objects by id. `messages` and `attachments` are Discord's own JSON."""

    users: Names
    bots: frozenset[str]
    roles: Names
    channels: Names
    attachments: Mapping[str, Any]
    messages: Mapping[str, Any]

    @classmethod
    def of(cls, data: Mapping[str, Any], mentions: object = None) -> "Resolved":
        """From the `data` of an interaction. `mentions`: the `mentions` of a message, which adds users."""
        resolved = mapping(data.get("resolved"))
        members = mapping(resolved.get("members"))
        people = {**mapping(resolved.get("users")), **_by_id(mentions)}
        users = {id_: mapping(user) for id_, user in people.items()}
        return cls(
            users={id_: display_name(user, mapping(members.get(id_))) for id_, user in users.items()},
            bots=frozenset(id_ for id_, user in users.items() if user.get("bot") is True),
            roles=_names(resolved.get("roles")),
            channels=_names(resolved.get("channels")),
            attachments=mapping(resolved.get("attachments")),
            messages=mapping(resolved.get("messages")),
        )

    def segment(self, kind: Kind, value: str) -> AnySegment:
        """The segment for `value` of an option or a select of this kind."""
        match kind:
            case "user":
                return self.user(value)
            case "role":
                return self.role(value)
            case "channel":
                return self.channel(value)
            case "mentionable":
                return self.role(value) if value in self.roles and value not in self.users else self.user(value)
            case "attachment":
                return self.attachment(value) or Text(text=value)
            case "value":
                return Text(text=value)

    def user(self, id_: str) -> Mention:
        """The person or bot with this id."""
        return Mention(id=id_, name=self.users.get(id_, ""), bot=id_ in self.bots)

    def role(self, id_: str) -> Other:
        """The role with this id. The model has no segment for a group of people."""
        return Other(name="role", text=f"@{self.roles.get(id_) or id_}", data={"id": id_})

    def channel(self, id_: str) -> Other:
        """The channel with this id."""
        return Other(name="channel", text=f"#{self.channels.get(id_) or id_}", data={"id": id_})

    def attachment(self, id_: str) -> AnyMedia | None:
        """The file with this id; None if it has no address."""
        return media(mapping(self.attachments.get(id_)))


def display_name(user: Mapping[str, Any], member: Mapping[str, Any] | None = None) -> str:
    """The name that people see: the nickname in the guild, else the global name, else the account name."""
    names = (text((member or {}).get("nick")), text(user.get("global_name")), text(user.get("username")))
    return next(filter(None, names), "")


def sender_of(id_: str, user: Mapping[str, Any], member: Mapping[str, Any] | None = None) -> Sender:
    """The person or bot `user`, whose id is `id_`."""
    return Sender(id=id_, name=display_name(user, member), kind="bot" if user.get("bot") is True else "user")


def media(attachment: Mapping[str, Any]) -> AnyMedia | None:
    """An attachment as a segment; None if it has no address.

    The address has a signature in its query and expires soon.
    """
    url = text(attachment.get("url"))
    if not url:
        return None
    mime, name = text(attachment.get("content_type")), text(attachment.get("filename"))
    about: dict[str, Any] = {
        "key": snowflake(attachment.get("id")),
        "url": url,
        "name": name,
        "mime": mime,
        "size": integer(attachment.get("size")),
    }
    seconds = attachment.get("duration_secs")
    length = float(seconds) if isinstance(seconds, int | float) else None
    kind = media_type(mime, name)
    return kind(**about, seconds=length) if kind is Audio or kind is Video else kind(**about)


def _names(entries: object) -> Names:
    return {id_: text(mapping(entry).get("name")) for id_, entry in mapping(entries).items()}


def _by_id(mentions: object) -> dict[str, Any]:
    return {text(user.get("id")): user for user in mappings(mentions)}
