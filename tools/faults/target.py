"""A platform under test."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import convert

from parley.model.commands import CommandSpec
from parley.platforms import config_type
from playground.platforms.base import Platform

APP = "demo"
COMMANDS = (
    "count",
    "two",
    "long",
    "card",
    "photo",
    "refused",
    "late",
    "push",
    "react",
    "pay",
    "remind",
    "ask",
    "approve",
    "break",
    "unshown",
    "notify",
    "schedule",
    "limited",
    "invite",
    "redeem",
    "form",
    "consult",
    "entrust",
)
Register = Callable[[Platform[Any], Mapping[str, Any], Sequence[CommandSpec]], None]
"""Registers the commands of a bot for an app, by its configuration. Raises ValueError if the platform rejects them."""
_AFTER = {
    "press": "card",
    "reminded": "remind",
    "answered": "ask",
    "approved": "approve",
    "entrusted": "entrust",
    "ended": "break",
    "sent": "notify",
    "scheduled": "schedule",
    "numbered": "form",
}
"""What follows a command."""


def without(*commands: str) -> tuple[str, ...]:
    """All commands but `commands`."""
    return tuple(command for command in COMMANDS if command not in commands)


@dataclass(frozen=True, slots=True)
class Target:
    """A platform under test: its imitation, the base URL of its API, and the configurations of its apps."""

    name: str
    imitation: type[Platform]
    apps: Mapping[str, Mapping[str, Any]]
    address: str
    commands: tuple[str, ...] = without("form")
    """The commands that people send there. Only a platform without forms has `form`, whose answer is a number."""
    long_text_words: int = 2000
    """Words of a text that needs several messages on this platform, and no more than the platform accepts."""
    receives_plain_text: bool = True
    """Whether the platform delivers messages that are not commands to the bot."""
    room: str = "team"
    """Where people talk to the bot."""
    message_interval: float = 0
    """Least average seconds between the messages of one person, on platforms that allow the bot only a few replies to
    each message; 0 on all others."""
    polls: bool = False
    """Whether the platform polls for the replies."""
    connected: bool = False
    """Whether its clients hold connections, by which they send and get replies."""
    variant: str = ""
    """The name of this configuration, if one platform is tested in several configurations."""
    thin: int = 1
    """A smaller run takes one of this many of its scenarios: more for a configuration with many requests a message."""
    register: Register | None = None
    """On platforms where a bot registers its commands."""

    @property
    def title(self) -> str:
        """The name in the printed table."""
        return f"{self.name} {self.variant}".strip()

    @property
    def replies_passively(self) -> bool:
        """Whether its apps are configured for passive replies."""
        return any(convert(app, config_type(self.name)).replies_passively for app in self.apps.values())

    @property
    def all_commands(self) -> tuple[str, ...]:
        """All that a person can do there: the commands, plain text (`echo`), several texts within seconds (`merged`,
        and `cut` where a command follows), a press of a button (`press`), the answer to the question of `ask`
        (`answered`), the presses that decide `approve` (`approved`) and `entrust` (`entrusted`), the press after which
        the handler of `break` fails (`ended`), the reminder that `remind` has set (`reminded`), what a program sends
        for `notify` (`sent`), the schedule for which `schedule` has asked (`scheduled`), work for minutes (`minutes`),
        an answer that grows (`grow`), and the number of `form`
        (`numbered`).
        """
        text = ("echo", "merged", "cut") if self.receives_plain_text else ()
        after = (what for what, command in _AFTER.items() if command in self.commands)
        return (*self.commands, *text, "minutes", "grow", *after)

    def text(self, command: str, tag: str) -> str:
        """The text that a person sends for `command`. All tags of a run have the same length: it is part of the
        length of a long text.
        """
        match command:
            case "echo" | "merged" | "cut":
                return tag
            case "numbered":
                return f"1 {tag}"
            case "long":
                return f"/long {tag} {self.long_text_words}"
            case _:
                return f"/{command} {tag}"
