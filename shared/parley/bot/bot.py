"""The bot: handlers for commands, actions, events and patterns. The first match handles the message."""

import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, Unpack

from msgspec.structs import replace

from parley.bot.access import OPEN, Access
from parley.bot.arguments import ArgumentError, Signature
from parley.bot.coroutines import finished, prepare
from parley.bot.replies import Replies, replies_of
from parley.bot.results import check_instant, check_result
from parley.bot.specs import command_spec
from parley.bot.texts import BOTH, LANGUAGES, Texts, texts_for
from parley.bot.turn import Turn
from parley.model import Command, Message, Reply
from parley.model.commands import CommandSettings, CommandSpec
from parley.model.instant import Choice, Choices, Instant

Handler = Callable[..., Replies | Coroutine[Any, Any, Replies]]
InstantHandler = Callable[[Message], Instant | None | Coroutine[Any, Any, Instant | None]]
Completed = Iterable[str | Choice]
Completion = Callable[[str], Completed | Coroutine[Any, Any, Completed]]
IsAdmin = Callable[[Message], bool | Coroutine[Any, Any, bool]]
H = TypeVar("H", bound=Handler)
I = TypeVar("I", bound=InstantHandler)  # noqa: E741
C = TypeVar("C", bound=Completion)

_COMMAND = re.compile(r"\s*[/／](\S.*)", re.DOTALL)
_MOST_WORDS = 3
"""Maximum number of words in a command's name."""


@dataclass(frozen=True, slots=True)
class CommandHandler:
    """The handler of a command, with the command's name."""

    name: str
    help: str
    handler: Handler
    signature: Signature
    settings: CommandSettings = field(default_factory=CommandSettings)

    @property
    def access(self) -> Access:
        """Who may use it, and where."""
        return Access(admin=self.settings.get("admin", False), rooms_only=self.settings.get("rooms_only", False))

    def help_in(self, locale: str) -> str:
        """The help in the language of `locale`: one of `helps`, for the locale itself or its language."""
        helps = self.settings.get("helps", {})
        language = locale.partition("-")[0]
        near = (text for name, text in helps.items() if language and name.partition("-")[0] == language)
        return helps.get(locale) or next(near, self.help)

    @property
    def usage(self) -> str:
        """`/name ARGUMENTS`."""
        return f"/{self.name} {self.signature.usage}".rstrip()


@dataclass(slots=True)
class Bot:
    """A team's bot. Handlers are plain functions: their parameters are filled in, and they return the replies. Each of
    them may be declared with `async def`.

    `texts` replaces texts of the library by language: `{"en": Texts(...), "zh": ...}`; the language `""` is for persons
    whose language is not known. `apology` is sent once if a handler has failed in every attempt; empty sends nothing.
    Without it, the apology is the one of `texts`. `is_admin` gets a message and
    returns whether its sender is an administrator. Discord's own administrators (`Sender.admin`) always are. Without
    `is_admin`, the other platforms have no administrators, and a command with `admin=True` is refused there.
    """

    apology: str = BOTH.apology
    is_admin: IsAdmin | None = None
    texts: Mapping[str, Texts] = field(default_factory=dict[str, Texts])
    commands: dict[str, CommandHandler] = field(default_factory=dict[str, CommandHandler])
    _actions: dict[str, Handler] = field(default_factory=dict[str, Handler])
    _action_access: dict[str, Access] = field(default_factory=dict[str, Access])
    _events: dict[str, Handler] = field(default_factory=dict[str, Handler])
    _patterns: list[tuple[re.Pattern[str], Handler]] = field(default_factory=list[tuple[re.Pattern[str], Handler]])
    _instants: dict[str, InstantHandler] = field(default_factory=dict[str, "InstantHandler"])
    _completions: dict[tuple[str, str], Completion] = field(default_factory=dict[tuple[str, str], "Completion"])
    _fallback: Handler | None = None

    def command(
        self,
        name: str = "",
        *,
        help: str = "",  # noqa: A002
        **settings: Unpack[CommandSettings],
    ) -> Callable[[H], H]:
        """Handle `/name ARGUMENTS`. The default name is the function's, the default help its docstring's first line.

        `admin` and `rooms_only` hold on every platform (`CommandSpec`). The other `settings` are for platforms that
        register commands: translations, menus, installations.
        """
        _check_names("command", name)

        def register(handler: H) -> H:
            prepare(handler)
            called = name or handler.__name__
            if called in self.commands:
                raise ValueError(f"two handlers for the command /{called}")
            doc = help or next(iter((handler.__doc__ or "").strip().splitlines()), "")
            self.commands[called] = CommandHandler(called, doc, handler, Signature.of(handler), settings)
            return handler

        return register

    def action(self, *ids: str, admin: bool = False, rooms_only: bool = False) -> Callable[[H], H]:
        """Handle a press of a button, or a submitted form, with one of these ids.

        `admin` and `rooms_only` mean the same as for a command. Everybody in a room can press a button there, and ids
        and values come from outside: see `parley.bot.Signer`.
        """
        _check_names("action", *ids)
        self._action_access |= dict.fromkeys(ids, Access(admin, rooms_only))
        return self._registrar(self._actions, ids)

    def event(self, *names: str) -> Callable[[H], H]:
        """Handle events with these names, which are the platform's own."""
        _check_names("event", *names)
        return self._registrar(self._events, names)

    def pattern(self, pattern: str) -> Callable[[H], H]:
        """Handle text in which the regular expression is found. Its named groups are the handler's arguments."""
        _check_names("pattern", pattern)

        def register(handler: H) -> H:
            prepare(handler)
            self._patterns.append((re.compile(pattern), handler))
            return handler

        return register

    def completion(self, command: str, option: str) -> Callable[[C], C]:
        """Complete an option of a command while it is typed. The function gets the text so far and returns values to
        choose from. It must be as fast and pure as an instant function.
        """

        def register(function: C) -> C:
            prepare(function)
            self._completions[command, option] = function
            return function

        return register

    def instant(self, *names: str) -> Callable[[I], I]:
        """Answer within the callback: with the form that a command of one of these names (or an action of one of these
        ids) opens, or with completions. The function must be pure and fast: it runs in the callback function, has no
        state, and its result is dropped after a second. With None the other handlers get the message.
        """

        def register(function: I) -> I:
            prepare(function)
            for name in names:
                self._instants[name] = function
            return function

        return register

    def instantly(self, message: Message) -> Instant | None:
        """The result of the instant function for `message`; None if there is none, or if the person may not use the
        command. The handler then gets the message, and the person reads why.

        Raises ResultError if the platform cannot show the result.
        """
        command, action = message.command, message.action
        if self._access(message).refusal(message, self._admits, self._texts(message)):
            return None
        if command is not None and (command.name, command.focused) in self._completions:
            return Choices.of(finished(self._completions[command.name, command.focused](command.typed)))
        function = self._instants.get(command.name if command else action.id if action else "")
        result = finished(function(message)) if function else None
        if result is not None:
            check_instant(result, message)
        return result

    def fallback(self, handler: H) -> H:
        """Handle every message of a person that no other handler matches."""
        prepare(handler)
        self._fallback = handler
        return handler

    def apology_for(self, message: Message) -> str:
        """The apology for the sender of `message`, in their language unless `apology` is set. It may be empty."""
        return self._texts(message).apology if self.apology == BOTH.apology else self.apology

    def help(self, locale: str = "") -> str:
        """One line for each command, in the language of `locale` if its `helps` have it. Menu entries cannot be typed
        and are left out.
        """
        typed = (command for command in self.commands.values() if not command.settings.get("menu"))
        return "\n".join(f"{command.usage}  {command.help_in(locale)}".rstrip() for command in typed)

    def specs(self) -> list[CommandSpec]:
        """The commands, for platforms that register them."""
        return [self._spec(command) for command in self.commands.values()]

    def _spec(self, command: CommandHandler) -> CommandSpec:
        spec = command_spec(command.name, command.help, command.signature.parameters, **command.settings)
        completed = {option for name, option in self._completions if name == command.name}
        options = (replace(o, completes=True) if o.name in completed else o for o in spec.options)
        return replace(spec, options=tuple(options))

    def handle(self, turn: Turn) -> list[Reply]:
        """The replies of the bot in this turn. Exceptions of a handler are not caught.

        Raises ResultError if a reply or the state is beyond a limit of its platform or of the journal (docs/limits.md).
        """
        if turn.message.sender.kind == "bot":
            return []  # two bots would answer each other without end
        returned = list(replies_of(self._run(turn)))
        replies = [*turn.replies, *returned]
        check_result(replies, turn.state, turn.message)
        return replies

    def _run(self, turn: Turn) -> Replies:
        message = turn.message
        if message.kind == "event":
            return _call(self._events.get(message.event), turn, {}, self._texts(message))
        if message.action is not None:
            texts = self._texts(message)
            refusal = self._access(message).refusal(message, self._admits, texts)
            return refusal or _call(self._actions.get(message.action.id), turn, {}, texts)
        if message.command is not None:
            # The text of a menu entry is another person's message: no command or pattern is read from it.
            called = self._called(message.command)
            if called is not None:
                return self._run_command(called, turn, message.command.options)
            return _call(self._fallback, turn, {}, self._texts(message))
        typed = self._typed(turn.text)
        if typed is not None:
            return self._run_command(typed[0], turn, typed[1])
        for pattern, handler in self._patterns:
            found = pattern.search(turn.text)
            if found:
                return _call(handler, turn, _groups(found), self._texts(message))
        return _call(self._fallback, turn, {}, self._texts(message))

    def _run_command(self, command: CommandHandler, turn: Turn, given: str | Mapping[str, Any]) -> Replies:
        texts = self._texts(turn.message)
        refusal = command.access.refusal(turn.message, self._admits, texts)
        return refusal or _run_command(command, turn, given, texts)

    def _texts(self, message: Message) -> Texts:
        """The texts for the sender of `message`."""
        return texts_for(message.context.locale, {**LANGUAGES, **self.texts} if self.texts else LANGUAGES)

    def _admits(self, message: Message) -> bool:
        """Whether `is_admin` says that the sender is an administrator."""
        return self.is_admin is not None and finished(self.is_admin(message))

    def _access(self, message: Message) -> Access:
        """Who may use the command or the action of `message`. A typed command is checked when it is recognised."""
        if message.action is not None:
            return self._action_access.get(message.action.id, OPEN)
        called = self._called(message.command) if message.command else None
        return called.access if called else OPEN

    def _called(self, command: Command) -> CommandHandler | None:
        """The handler of a command that the platform has parsed. A menu entry never calls a slash command of the same
        name: its argument is the id of another person's message.
        """
        found = self.commands.get(command.name)
        return found if found and command.menu in ("", found.settings.get("menu", "")) else None

    def _typed(self, text: str) -> tuple[CommandHandler, str] | None:
        """The command at the start of `text`, the longest name first, and the rest."""
        found = _COMMAND.fullmatch(text)
        if found is None:
            return None
        for many in range(_MOST_WORDS, 0, -1):
            words = found[1].split(maxsplit=many)
            command = self.commands.get(" ".join(words[:many]))
            if command is not None:
                return command, words[many] if len(words) > many else ""
        return None

    def _registrar(self, table: dict[str, Handler], names: tuple[str, ...]) -> Callable[[H], H]:
        def register(handler: H) -> H:
            prepare(handler)
            for name in names:
                if name in table:
                    raise ValueError(f"two handlers for {name!r}")
                table[name] = handler
            return handler

        return register


def _run_command(command: CommandHandler, turn: Turn, given: str | Mapping[str, Any], texts: Texts) -> Replies:
    signature = command.signature
    try:
        if isinstance(given, str):
            given = signature.parse(given, turn.message.mentions, texts)
        arguments = signature.fill(turn, given, texts)
    except ArgumentError as error:
        return f"{error}\n{command.usage}"
    return _finished(command.handler, turn, arguments)


def _groups(found: re.Match[str]) -> dict[str, str]:
    return {key: value for key, value in found.groupdict().items() if value is not None}


def _call(handler: Handler | None, turn: Turn, given: Mapping[str, Any], texts: Texts) -> Replies:
    if handler is None:
        return None
    try:
        arguments = Signature.of(handler).fill(turn, given, texts)
    except ArgumentError as error:
        return str(error)
    return _finished(handler, turn, arguments)


def _finished(handler: Handler, turn: Turn, arguments: Mapping[str, Any]) -> Replies:
    code = getattr(handler, "__code__", None)
    turn.handler = f"{handler.__name__}, {code.co_filename.rsplit('/', 1)[-1]}:{code.co_firstlineno}" if code else ""
    return finished(handler(**arguments))


def _check_names(decorator: str, *names: object) -> None:
    """Raise TypeError if a decorator is used without its parentheses: then it gets the handler itself."""
    if any(callable(name) for name in names):
        raise TypeError(f"write @bot.{decorator}(...), with parentheses")
