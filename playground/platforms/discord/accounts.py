"""Applications, users and interactions.

Facts: Discord docs, Application Structure; User Structure; Receiving and Responding › Followup Messages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nacl.signing import SigningKey

from playground.platforms.base import NotFoundError
from playground.platforms.discord import wire
from playground.platforms.model import Delivery, Person

GUILD = "1100000000000000020"
"""The only guild."""
ROLES = {"1100000000000000060": "Team", "1100000000000000061": "Guests"}
"""The roles of the guild, by id."""
OWNER = "lin"
"""The person who owns the guild."""
_MEMBER, _ADMINISTRATOR = 2248473465835073, 1 << 3
TOKEN_SECONDS = 900
"""Lifetime of an interaction token."""


@dataclass(slots=True)
class Account:
    """One application as the developer portal knows it."""

    name: str
    application_id: str
    bot_token: str
    key: SigningKey | None
    """The private key that signs callbacks; None if the playground does not have it."""
    host: str = ""
    """The URL of the API, with its version."""
    commands: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """The registered commands, by id. Guild commands have a `guild_id`."""
    created: list[float] = field(default_factory=list[float])
    """Times at which commands were created, for the daily limit."""

    @classmethod
    def of(cls, name: str, config: Mapping[str, Any]) -> "Account":
        """The account for the app's Parley configuration and the private key that only Discord has."""
        seed = str(config.get("signing_key") or "")
        key = SigningKey(bytes.fromhex(seed)) if seed else None
        if key is not None and key.verify_key.encode().hex() != str(config["public_key"]).lower():
            key = None
        host = str(config.get("host") or "https://discord.com/api/v10")
        return cls(name, str(config["application_id"]), str(config["bot_token"]), key, host)

    def signing_key(self) -> SigningKey:
        """The private key. Raises NotFoundError if the playground does not have it."""
        if self.key is None:
            raise NotFoundError(f"{self.name}: the playground has no private key for it and cannot sign its callbacks")
        return self.key

    def user(self) -> dict[str, Any]:
        """The bot as a user."""
        return {"id": self.application_id, "username": self.name, "discriminator": "0001", "bot": True}


@dataclass(slots=True)
class Interaction:
    """One interaction. The application may respond with its token for 15 minutes."""

    id: str
    token: str
    app: str
    type: int
    room: str
    person: str
    at: float
    delivery: Delivery
    thread: str = ""
    component_message: str = ""
    """The id of the message with the component; empty for commands."""
    state: Literal["waiting", "deferred", "responded", "deleted", "failed"] = "waiting"
    original_id: str = ""
    """The id of the original response; a deferred response has one already."""
    ephemeral: bool = False
    user_install: bool = False
    """The bot is not a member of the channel: the person has installed the application for themselves."""
    follow_ups: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Modal:
    """A form that is open on a person's screen."""

    id: str
    app: str
    room: str
    thread: str
    person: str
    data: dict[str, Any]
    component_message: str = ""


def user_id(person: str) -> str:
    """A user's id."""
    return wire.stable_id("user", person)


def permissions_of(person: Person) -> str:
    """The permissions of a member in a channel. The owner of the guild is an administrator, the others are not."""
    return str(_MEMBER | (_ADMINISTRATOR if person.id == OWNER else 0))


def roles_of(person: Person) -> list[str]:
    """The roles of a member. The persons whom the playground starts with have the role `Team`."""
    return [next(iter(ROLES))] if person.name_zh else []


def user(person: Person) -> dict[str, Any]:
    """A person as a user."""
    return {"id": user_id(person.id), "username": person.id, "global_name": person.name, "discriminator": "0"}
