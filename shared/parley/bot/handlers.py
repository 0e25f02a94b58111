"""A handler with what its decorator says of it."""

from collections.abc import Callable, Container, Coroutine, Iterable, Mapping
from inspect import isasyncgenfunction
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import msgspec
from msgspec.structs import replace

from parley.bot.access import OPEN, Access
from parley.bot.arguments import Signature
from parley.bot.coroutines import prepare
from parley.bot.functions import check_function, check_handler
from parley.bot.replies import Replies
from parley.bot.rules import Rule, both, optional_rule
from parley.bot.specs import command_spec
from parley.bot.turn import Turn
from parley.model import Message, Reply
from parley.model.commands import CommandSettings, CommandSpec
from parley.model.instant import Choice, Instant

if TYPE_CHECKING:
    from typing import Literal

    from parley.bot import Approve, Script
    from parley.bot.questions import Given
    from parley.model.agenda import OpenDialogue

Handler: TypeAlias = "Callable[..., Replies | Script | Coroutine[Any, Any, Replies]]"
InstantHandler = Callable[[Message], Instant | None | Coroutine[Any, Any, Instant | None]]
Offer: TypeAlias = 'bool | Literal["approve"] | Approve | None'
"""Whether a language model may call a command (`Bot.converse`)."""
Completed = Iterable[str | Choice]
Completion = Callable[[str], Completed | Coroutine[Any, Any, Completed]]
Middleware = Callable[[Turn, Callable[[], list[Reply]]], Replies]
"""A function around handlers: it gets the turn, and a function that runs the handler and returns its replies."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A handler, the rule under which it runs, and who may use it.

    `refusal`: the text for a person for whom the rule does not hold; if it is empty, the next handler gets the message.
    So it does where `scope` does not hold: the rules under which its routers are included.
    `around` is the middleware of its routers, the outermost first. `listens`: a pattern or the fallback, which gets
    messages that are not for the bot only if a rule decides that. `answers` returns whether a text answers the open
    question of a dialogue. If it does not, the dialogue ends, and the text is a new message. `registered` is what the
    handler is registered for: `/order`, `action buy`. With the name of the function, it identifies the handler of a
    dialogue in another process.
    """

    handler: Handler
    signature: Signature
    when: Rule | None = None
    refusal: str = ""
    scope: Rule | None = None
    access: Access = OPEN
    registered: str = ""
    around: tuple[Middleware, ...] = ()
    listens: bool = False
    answers: "Callable[[Turn, OpenDialogue, Given], bool] | None" = None

    @classmethod
    def of(cls, handler: Handler, when: Rule | None, **more: Any) -> Self:
        """The entry of `handler`. Raises TypeError or ValueError if its parameters or its rule are wrong."""
        check_handler(handler)
        prepare(handler)
        if more.get("refusal") and when is None:
            raise ValueError(f"{place_of(handler)}: refusal= needs a rule: write when=... beside it")
        if isasyncgenfunction(handler):
            raise TypeError(f"{place_of(handler)}: a handler that yields is no `async def`: write `def`")
        return cls(handler=handler, signature=Signature.of(handler), when=optional_rule(when), **more)

    def within(self, when: Rule | None, around: tuple[Middleware, ...]) -> Self:
        """This entry as part of a router that is included under the rule `when`."""
        rules = {"when": both(when, self.when), "scope": both(when, self.scope)}
        return replace(self, **rules, around=(*around, *self.around))


class CommandHandler(Entry, frozen=True, kw_only=True):
    """The handler of a command, with the command's name."""

    name: str
    help: str
    settings: CommandSettings = msgspec.field(default_factory=CommandSettings)
    aliases: tuple[str, ...] = ()
    tool: Offer = None

    @property
    def usage(self) -> str:
        """`/name ARGUMENTS`."""
        return f"/{self.name} {self.signature.usage}".rstrip()

    def help_in(self, locale: str) -> str:
        """The help in the language of `locale`: one of `helps`, for the locale itself or its language."""
        helps = self.settings.get("helps", {})
        language = locale.partition("-")[0]
        near = (text for name, text in helps.items() if language and name.partition("-")[0] == language)
        return helps.get(locale) or next(near, self.help)

    def spec(self, completed: Container[str]) -> CommandSpec:
        """The command for platforms that register it. The options `completed` have completions."""
        spec = command_spec(self.name, self.help, self.signature.parameters, **self.settings)
        options = (replace(option, completes=True) if option.name in completed else option for option in spec.options)
        return replace(spec, options=tuple(options))


class IntentHandler(Entry, frozen=True, kw_only=True):
    """The handler of an intent. `labels` are by language. `zone`: the time zone of its dates; empty: the bot's."""

    name: str
    examples: tuple[str, ...]
    labels: Mapping[str, str]
    zone: str


class Quick(msgspec.Struct, frozen=True, kw_only=True):
    """A function that answers within the callback: an instant function or a completion."""

    handler: Callable[[Any], Any]
    when: Rule | None = None

    @classmethod
    def of(cls, handler: Callable[[Any], Any], when: Rule | None, gets: str) -> Self:
        """The entry of `handler`, whose parameter `gets` names. Raises TypeError if it or its rule is wrong."""
        check_function("this function", handler, gets)
        prepare(handler)
        return cls(handler=handler, when=optional_rule(when))

    def within(self, when: Rule | None, _around: tuple[Middleware, ...]) -> Self:
        """This entry as part of a router that is included under the rule `when`."""
        return replace(self, when=both(when, self.when))


def name_of(handler: Callable[..., Any]) -> str:
    """Module and name of a handler. They are the same in every process."""
    return f"{handler.__module__}:{handler.__qualname__}"


def place_of(handler: Callable[..., Any]) -> str:
    """Name, file and line of a handler: `order, bot.py:12`. Empty if it has no code of its own."""
    code = getattr(handler, "__code__", None)
    return f"{handler.__name__}, {code.co_filename.rsplit('/', 1)[-1]}:{code.co_firstlineno}" if code else ""
