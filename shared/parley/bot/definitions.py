"""The check of a whole bot: `make run`, `make build` and tests make it. No function of a deployment pays for it."""

# ruff: noqa: SLF001  # it reads the tables of the bot
# pyright: reportPrivateUsage=false

from inspect import getattr_static, iscoroutinefunction, signature
from typing import Any, cast

from parley.bot.approvals import Approve
from parley.bot.bot import Bot
from parley.bot.handlers import Entry, name_of, place_of
from parley.bot.readable import check_default, check_readable
from parley.bot.states import VERSION, is_dictionary, plain

_SCOPES = ("state", "user", "shared")
"""The states of `Turn[...]`, in its order."""


def check(bot: Bot) -> None:
    """Check all definitions of `bot`.

    Raises TypeError for an argument whose type no text can be read as, or whose default is of another type, and for a
    model that cannot hold a state. Raises ValueError for a second model of a state, for a role that nobody has, and for
    a completion, an instant function or a tool that belongs to nothing.
    """
    for entry in bot._entries():
        _check_arguments(entry)
    _check_states(bot)
    if bot.roles is None:
        _check_roles(bot)
    for conversing in bot._conversing:
        _check_tools(bot, conversing.tools)
    for command, option in bot._completions:
        _check_completion(bot, command, option)
    for name in bot._instants:
        if bot._find(name) is None and name not in bot._actions:
            raise ValueError(
                f"@bot.instant({name!r}): there is no command and no action {name!r}; write @bot.action({name!r}) for "
                "those who cannot open the form"
            )


def _check_roles(bot: Bot) -> None:
    """Raise ValueError for a rule of a bot without `roles=` that names a role: nobody has it."""
    ruled = [("Bot(when=...)", bot.when)]
    if bot.pairing is not None:
        ruled.append(("Pairing(besides=...)", bot.pairing.besides))
    ruled += ((_place(entry), entry.when) for entry in bot._entries())
    ruled += ((f"converse, {name_of(each.entry.handler)}", each.entry.when) for each in bot._conversing)
    offers = ((command, command.tool) for command in bot.commands.values())
    ruled += ((f"{_place(command)}: tool=", offer.by) for command, offer in offers if isinstance(offer, Approve))
    quick = (each for table in (bot._completions, bot._instants) for found in table.values() for each in found)
    ruled += ((place_of(each.handler), each.when) for each in quick)
    for place, rule in ruled:
        if rule is not None and rule.unnamed_role:
            raise ValueError(f"{place}: {rule.unnamed_role}")


def _check_states(bot: Bot) -> None:
    """Raise ValueError for a state with two models, and TypeError for a model that cannot be one."""
    known: dict[str, tuple[type[Any], str]] = {}
    for entry in bot._entries():
        for scope, model in zip(_SCOPES, entry.signature.models, strict=False):
            if model is Any or is_dictionary(model):
                continue
            place = _place(entry)
            other, there = known.setdefault(scope, (model, place))
            if other is not model:
                raise ValueError(
                    f"{place}: turn.{scope} is a {_name(model)}, and in {there} it is a {_name(other)}: each would "
                    "drop the fields of the other one. Write one model with all fields"
                )
            try:
                _check_model(model)
            except TypeError as error:
                raise TypeError(f"{place}: turn.{scope} cannot be of the type {_name(model)}: {error}") from error


def _check_model(model: Any) -> None:
    """Raise TypeError unless `model` is a pydantic model that can hold a state."""
    fields = getattr(model, "model_fields", None)
    if not isinstance(model, type) or fields is None:
        raise TypeError("write dict, or a pydantic model")
    if "state_version" in fields:
        raise TypeError("state_version is a field of it: write `state_version: ClassVar[int] = 2`")
    from pydantic import ValidationError  # noqa: PLC0415  # a bot without models does not pay for it

    version = getattr(model, "state_version", 1)
    if type(version) is not int or version < 1:
        raise TypeError(f"state_version is {version!r}: write `state_version: ClassVar[int] = 2`")
    try:
        first = cast("Any", model).model_validate({})
    except ValidationError as error:
        names = ", ".join(sorted({str(each["loc"][0]) for each in error.errors() if each["loc"]}))
        raise TypeError(f"it is empty at first: write a default for {names or 'each field'}") from error
    _check_stored(model, first)
    if version > 1 or isinstance(getattr_static(model, "migrate", None), classmethod):
        _check_migrate(model, version)


def _check_stored(model: Any, first: Any) -> None:
    """Raise TypeError unless `model` reads what is stored of `first`, an instance of it."""
    values = {name: value for name, value in plain(first).items() if name != VERSION}
    try:
        read = model.model_validate(values)
    except ValueError as error:
        names = ", ".join(sorted({str(each["loc"][0]) for each in cast("Any", error).errors() if each["loc"]}))
        raise TypeError(f"it cannot read what is stored of it: leave out what it refuses in {names or 'it'}") from error
    for name, field in model.model_fields.items():
        if field.validation_alias is not None and not field.exclude and name not in read.model_fields_set:
            raise TypeError(f"its field `{name}` is stored under another name than it is read: write alias=...")


def _check_migrate(model: Any, version: int) -> None:
    """Raise TypeError unless `migrate` can be called with the state of an earlier version."""
    way = "write `@classmethod` and `def migrate(cls, stored, version)`"
    migrate = getattr_static(model, "migrate", None)
    if migrate is None:
        raise TypeError(f"its state_version is {version}, and it has no `migrate` for states of before: {way}")
    if not isinstance(migrate, classmethod | staticmethod):
        raise TypeError(f"`migrate` is no class method: {way}")
    try:
        signature(model.migrate).bind({}, 1)
    except TypeError as error:
        raise TypeError(f"`migrate` gets the stored state and its version: {way}") from error
    if iscoroutinefunction(model.migrate):
        raise TypeError(f"`migrate` is an `async def`: {way}")
    if not hasattr(model, "state_version"):
        raise TypeError("`migrate` is never called: write `state_version: ClassVar[int] = 2`")


def _place(entry: Entry) -> str:
    """The function that the author has written: that of `converse` has no entry of its own."""
    name = name_of(entry.handler).removesuffix(".approved")
    return f"converse, {name}" if entry.registered == "converse" else place_of(entry.handler)


def _name(model: Any) -> str:
    return getattr(model, "__name__", str(model))


def _check_tools(bot: Bot, tools: Any) -> None:
    """Raise ValueError for a name among the `tools` of a model that is none of a command which a model can call."""
    if isinstance(tools, bool):
        return
    from parley.bot.offers import can_be_called  # noqa: PLC0415  # most bots ask no model

    possible = sorted(command.name for command in bot.commands.values() if can_be_called(command))
    for name in tools:
        if name not in possible:
            known = bot.commands.get(name)
            why = "a model cannot call" if known is not None else "there is no command"
            raise ValueError(
                f"converse(tools=...): {why} {name!r}; it can call {', '.join(possible) or 'none'}. Commands that ask "
                "questions, menu entries and those with tool=False are for people"
            )


def _check_arguments(entry: Entry) -> None:
    for parameter in entry.signature.parameters:
        try:
            check_readable(parameter.type)
        except TypeError as error:
            raise TypeError(f"{place_of(entry.handler)}: no text can be read as `{parameter.name}`: {error}") from error
        if not parameter.required:
            try:
                check_default(parameter.type, parameter.default)
            except TypeError as error:
                raise TypeError(f"{place_of(entry.handler)}: `{parameter.name}`: {error}") from error


def _check_completion(bot: Bot, command: str, option: str) -> None:
    found = bot.commands.get(command)
    if found is None:
        raise ValueError(f"@bot.completion({command!r}, {option!r}): there is no command /{command}")
    names = [parameter.name for parameter in found.signature.parameters]
    if option not in names:
        raise ValueError(
            f"@bot.completion({command!r}, {option!r}): /{command} has no argument {option!r}; "
            f"it has {', '.join(names) or 'none'}"
        )
