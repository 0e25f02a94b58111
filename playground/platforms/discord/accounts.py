"""Applications, the people, and the interactions that are under way.

Facts: Discord docs, Application Structure; User Structure; Receiving and Responding › Followup Messages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nacl.signing import SigningKey

from playground.platforms.discord import wire
from playground.platforms.model import Delivery, Person

GUILD = "1100000000000000020"
"""The one guild of this imitation."""
ROLES = {"1100000000000000060": "Team", "1100000000000000061": "Guests"}
"""The roles of the guild, by id."""
TOKEN_SECONDS = 900
"""How long an interaction can be answered with its token."""


@dataclass(slots=True)
class Account:
    """One application as the developer portal knows it."""

    name: str
    application_id: str
    bot_token: str
    key: SigningKey | None
    """None where somebody else has the private key: nothing can be signed for that application then."""
    host: str = ""
    """The address of the API, with its version."""
    commands: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """What is registered, by id; `guild_id` where it is for one guild."""
    created: list[float] = field(default_factory=list[float])
    """When commands were created, for the daily limit."""

    @classmethod
    def of(cls, name: str, config: Mapping[str, Any]) -> "Account":
        """The account for the configuration that Parley has of it, and the private key that only Discord has."""
        seed = str(config.get("signing_key") or "")
        key = SigningKey(bytes.fromhex(seed)) if seed else None
        if key is not None and key.verify_key.encode().hex() != str(config["public_key"]).lower():
            key = None
        host = str(config.get("host") or "https://discord.com/api/v10")
        return cls(name, str(config["application_id"]), str(config["bot_token"]), key, host)

    def user(self) -> dict[str, Any]:
        """The bot as a user."""
        return {"id": self.application_id, "username": self.name, "discriminator": "0001", "bot": True}


@dataclass(slots=True)
class Interaction:
    """One interaction, by whose token the application may answer for 15 minutes."""

    id: str
    token: str
    app: str
    type: int
    room: str
    person: str
    at: float
    delivery: Delivery
    thread: str = ""
    component: str = ""
    """The message with the button that was pressed."""
    state: Literal["waiting", "thinking", "answered", "removed", "failed"] = "waiting"
    original: str = ""
    """The id of the first answer: also of one that is only promised."""
    private: bool = False
    elsewhere: bool = False
    """The bot is not there: the person has taken the application along."""
    follow_ups: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Modal:
    """A form that is open on somebody's screen."""

    id: str
    app: str
    room: str
    thread: str
    person: str
    data: dict[str, Any]
    component: str = ""


def user_id(person: str) -> str:
    """A user's id."""
    return wire.stable_id("user", person)


def roles_of(person: Person) -> list[str]:
    """The roles of a member: all that this imitation knows from the beginning are of the team."""
    return [next(iter(ROLES))] if person.name_zh else []


def user(person: Person) -> dict[str, Any]:
    """A person as a user."""
    return {"id": user_id(person.id), "username": person.id, "global_name": person.name, "discriminator": "0"}
