"""What a bot asks a language model, and what the model answers, the same for every model."""

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any, Literal, Protocol

import msgspec
from msgspec.structs import replace

from parley.errors import ParleyError

Partial = Callable[[str], None]
"""Gets the text of an answer so far, again and again while the model writes."""
MAX_TEXT = 16_000
"""Bytes of UTF-8 of one answer, with the arguments of its calls. A client stops to read there."""


MOST_CALLS = 8
"""Calls of one answer that are read. Further ones are dropped."""

_LONGEST_ID = 64


class Picture(msgspec.Struct, frozen=True):
    """A picture that a person has sent. `mime`: `image/png`, `image/jpeg`, `image/gif` or `image/webp`."""

    data: bytes
    mime: str


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that the model wants to use. `arguments` is JSON as the model wrote it: it can be anything."""

    id: str
    name: str
    arguments: str = "{}"


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message for the model. `call`: the id of the call whose result it is, for the role `tool`."""

    role: Literal["user", "assistant", "tool"]
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    call: str = ""
    pictures: tuple[Picture, ...] = ()


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that the model may use. `parameters`: a JSON Schema of type `object`. `name`: `[A-Za-z0-9_-]{1,64}`."""

    name: str
    description: str
    parameters: dict[str, Any]


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a model.

    `key`: an idempotency key, the same in every attempt. `until`: the time of `time.monotonic` by which the whole
    answer must be there. `silence`: seconds for which the model may say nothing.
    """

    messages: tuple[Said, ...]
    system: str = ""
    tools: tuple[Tool, ...] = ()
    max_tokens: int = 1000
    key: str = ""
    until: float = math.inf
    silence: float = math.inf


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a model. `stop`: why it ends. `sent` and `received`: tokens of the prompt and of the answer."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    stop: Literal["end", "calls", "length", "refused"] = "end"
    sent: int = 0
    received: int = 0
    model: str = ""
    """The name of the model that has answered. `Bot.converse` sets it."""


class ModelError(ParleyError):
    """There is no answer. The message names the reason, and holds no text and no key.

    `again`: another attempt may succeed, after `seconds` if the service says so. Otherwise the request itself is wrong.
    `sent` and `received`: tokens that the attempt has cost, if the answer has begun; of `sent`, 0 stands for an
    estimate.
    """

    def __init__(
        self, reason: str, *, again: bool = False, seconds: float = 0, sent: int = 0, received: int = 0
    ) -> None:
        super().__init__(reason)
        self.again = again
        self.seconds = seconds
        self.sent = sent
        self.received = received


class Model(Protocol):
    """A language model."""

    @property
    def name(self) -> str:
        """The name, for metrics and logs."""
        ...

    @property
    def pictures(self) -> bool:
        """Whether it takes pictures."""
        ...

    @property
    def price(self) -> tuple[float, float]:
        """The price of a million tokens of a prompt, and of an answer. For a metric; zero if it is not known."""
        ...

    def answer(self, prompt: Prompt, partial: Partial) -> Answer:
        """The answer to `prompt`, in one attempt. Raises ModelError."""
        ...


def distinct(calls: Iterable[ToolCall]) -> tuple[ToolCall, ...]:
    """The first `MOST_CALLS` of `calls`, each with an id of its own: a result belongs to one call."""
    first = [replace(call, id=call.id[:_LONGEST_ID]) for call in tuple(calls)[:MOST_CALLS]]
    given, used = {call.id for call in first}, set[str]()
    found: list[ToolCall] = []
    for number, call in enumerate(first):
        free = (id_ for n in itertools.count() if (id_ := f"call_{number}_{n}") not in given)
        id_ = call.id if call.id and call.id not in used else next(free)
        used.add(id_)
        found.append(replace(call, id=id_, arguments=call.arguments or "{}"))
    return tuple(found)


def tokens_of(text: str) -> int:
    """An estimate of the tokens of `text`: one for every three bytes of UTF-8. That is one for a Chinese character, and
    a third more than models usually count for English.
    """
    return -(-len(text.encode("utf-8", "surrogatepass")) // 3)


def tokens_of_prompt(prompt: Prompt) -> int:
    """An estimate of the tokens of a prompt, without its tools."""
    return tokens_of(prompt.system) + sum(map(tokens_of_message, prompt.messages))


def tokens_of_message(said: Said) -> int:
    """An estimate of the tokens of a message, with four for its frame."""
    calls = sum(tokens_of(call.name) + tokens_of(call.arguments) for call in said.calls)
    return 4 + tokens_of(said.text) + calls
