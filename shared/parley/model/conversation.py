"""A conversation: the unit of order and of the bot's state."""

import hashlib

import msgspec

from parley.model.message import Message


def conversation_key(platform: str, app: str, tenant: str, place: str) -> str:
    """A stable key of 64 hex digits for a room or person on a platform, valid as SQS group id and DynamoDB key."""
    return digest(platform, app, tenant, place)


def digest(*parts: str) -> str:
    """SHA-256 over `parts`, each with its length, so that ("ab", "c") and ("a", "bc") differ. 64 hex digits."""
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """(platform, app, tenant, room or person): one state, one order. Threads belong to their room."""

    platform: str
    app: str
    tenant: str = ""
    room_id: str = ""
    user_id: str = ""
    """The person, only if there is no room."""

    @classmethod
    def of(cls, message: Message) -> "Conversation":
        """The conversation that `message` belongs to."""
        room = message.context.room_id
        return cls(
            platform=message.platform,
            app=message.app,
            tenant=message.context.tenant,
            room_id=room,
            user_id="" if room else message.sender.id,
        )

    @property
    def key(self) -> str:
        """See `conversation_key`."""
        return conversation_key(self.platform, self.app, self.tenant, self.room_id or self.user_id)


def person_key(platform: str, app: str, user: str) -> str:
    """A stable key of 64 hex digits for a person in all rooms of an app.

    Without the tenant: on Discord it is the server, and a person is the same in all of them.
    """
    return digest(platform, app, user)


def sender_key(message: Message) -> str:
    """The key of the sender of `message`; see `person_key`."""
    return person_key(message.platform, message.app, message.sender.id)


def is_direct(message: Message) -> bool:
    """Whether `message` is in a chat of one person with the bot."""
    return message.context.private or not message.context.room_id


def message_key(message: Message) -> str:
    """The journal's key of `message`: the same for every delivery of it, different for every other message."""
    return digest(message.platform, message.app, message.context.tenant, message.id)


def reply_id(key: str, ordinal: int | str) -> str:
    """The id of reply number `ordinal` to the message `key`: 32 hex digits, the same in every attempt."""
    return digest(key, str(ordinal))[:32]
