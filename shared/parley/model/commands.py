"""What a bot's commands look like from outside, for platforms that want to know them beforehand (Discord, Telegram)."""

from typing import Literal, TypedDict

import msgspec

from parley.model.instant import Choice

Kind = Literal["str", "int", "float", "bool", "user", "channel", "role", "mentionable", "file"]


class OptionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One argument of a command. `names` and `helps` are translations by locale (`zh-CN`); `name` and `help` are used
    for all other languages. `minimum` and `maximum` bound a number, or the length of a string.
    """

    name: str
    kind: Kind = "str"
    help: str = ""
    required: bool = False
    choices: tuple[Choice, ...] = ()
    completes: bool = False
    """Whether the bot completes it while it is being typed (`Command.focused`); excludes `choices`."""
    minimum: float | None = None
    maximum: float | None = None
    names: dict[str, str] = {}
    helps: dict[str, str] = {}


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler says of an argument beyond its type: `Annotated[str, Option(help="Which one", kind="user")]`.

    `kind`: an argument that is a person, a channel, a role or a file arrives as its id, so that its type is `str`.
    `choices` replace those of the type, with labels that people see. The rest as in `OptionSpec`.
    """

    help: str = ""
    kind: Kind | None = None
    choices: tuple[Choice, ...] = ()
    completes: bool = False
    names: dict[str, str] = {}
    helps: dict[str, str] = {}


class CommandSettings(TypedDict, total=False):
    """What a handler says of its command beyond name and help: see `CommandSpec`."""

    menu: Literal["", "user", "message"]
    admin: bool
    rooms_only: bool
    anywhere: bool
    names: dict[str, str]
    helps: dict[str, str]


class CommandSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One command. A name of two or three words is a sub-command: `"doc file check"`.

    `menu`: it is called on a person or on a message, from a context menu, and has no options. `admin`: only those who
    run the place may call it, until somebody there decides otherwise. `rooms_only`: not in direct chats. `anywhere`:
    people may take it along to chats that the bot is not in, where the platform knows such a thing.
    """

    name: str
    help: str = ""
    options: tuple[OptionSpec, ...] = ()
    menu: Literal["", "user", "message"] = ""
    admin: bool = False
    rooms_only: bool = False
    anywhere: bool = False
    names: dict[str, str] = {}
    helps: dict[str, str] = {}
