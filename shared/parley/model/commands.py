"""A bot's commands as a platform registers them (Discord, Telegram)."""

from typing import Literal, TypedDict

import msgspec

from parley.model.instant import Choice

Kind = Literal["str", "int", "float", "bool", "user", "channel", "role", "mentionable", "file"]


class OptionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One argument of a command.

    `names` and `helps` are translations by locale (`zh-CN`); `name` and `help` are used for all other languages.
    `minimum` and `maximum` are bounds of a number, or of the length of a string.
    """

    name: str
    kind: Kind = "str"
    help: str = ""
    required: bool = False
    choices: tuple[Choice, ...] = ()
    completes: bool = False
    """Whether the bot completes it while it is typed (`Command.focused`). Excludes `choices`."""
    minimum: float | None = None
    maximum: float | None = None
    names: dict[str, str] = {}
    helps: dict[str, str] = {}


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """Annotation of a handler's argument: `Annotated[str, Option(help="Which one", kind="user")]`.

    `kind`: a person, channel, role or file; its value is an id, so the type is `str`. `choices` replace those of the
    type and have labels. All other fields are those of `OptionSpec`.
    """

    help: str = ""
    kind: Kind | None = None
    choices: tuple[Choice, ...] = ()
    completes: bool = False
    names: dict[str, str] = {}
    helps: dict[str, str] = {}


class CommandSettings(TypedDict, total=False):
    """The further settings of a command in `Bot.command`; see `CommandSpec`."""

    menu: Literal["", "user", "message"]
    admin: bool
    rooms_only: bool
    anywhere: bool
    names: dict[str, str]
    helps: dict[str, str]


class CommandSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One command. A name of two or three words is a sub-command: `"doc file check"`.

    `menu`: an entry of the context menu of a person or a message; it has no options. `admin`: only administrators may
    use it (`Bot.is_admin`). `rooms_only`: not in direct chats. The bot checks both on every platform. `anywhere`: in
    chats without the bot, people who installed the app for themselves may use it, if the platform supports that.
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
