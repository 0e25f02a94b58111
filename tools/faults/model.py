"""The language model of the bot under test: a service that is paid for each idempotency key, whose calls can fail."""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from parley.models import Answer, ModelError, Partial, Prompt, ToolCall
from parley.models.model import tokens_of
from tools.faults.policies import Fault

CALL = "POST /v1/chat/completions"
"""The name of its calls for the injector."""
SENT, RECEIVED = 40, 2
"""Tokens of each call."""


def _no_fault(_kind: str) -> Fault | None:
    """Outside of a simulation, no call fails."""


def _nothing(_fault: Fault) -> None:
    """Outside of a simulation, nothing follows a call."""


@dataclass(slots=True)
class PaidModel:
    """Calls the only tool that it is offered, and then says what the tool has returned.

    `paid`: the idempotency keys of its calls, by the tag of the message. A repetition of a call is paid once. `before`
    and `after` are called around each call, and decide whether it fails (`tools.faults.injector`).
    """

    paid: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    broken: int = 0
    """Tokens of the answers that have broken off."""
    before: Callable[[str], Fault | None] = _no_fault
    after: Callable[[Fault], None] = _nothing
    name = "paid"
    pictures = False
    price = (0.0, 0.0)

    def answer(self, prompt: Prompt, partial: Partial) -> Answer:
        """The answer to `prompt`. Raises ModelError, Crash."""
        fault = self.before(CALL)
        if fault is Fault.ERROR:
            raise ModelError("overloaded", again=True)
        mark = next(said.text.split()[-1] for said in reversed(prompt.messages) if said.role == "user")
        self.paid.setdefault(mark, set()).add(prompt.key)
        answer = _answer(prompt, mark)
        partial(answer.text)
        if fault is not None:
            self.after(fault)
        if fault is Fault.RESPONSE_LOST:
            self.broken += SENT + max(RECEIVED, tokens_of(answer.text))
            raise ModelError("the stream has broken off", again=True, sent=SENT, received=RECEIVED)
        return answer


def _answer(prompt: Prompt, mark: str) -> Answer:
    """The result of the tool, or a call of it. `mark`: the tag of the message. `about` is the first line of the system
    prompt.
    """
    last = prompt.messages[-1]
    if last.role == "tool":
        return Answer(text=f"done: {last.text}", sent=SENT, received=RECEIVED)
    [tool] = prompt.tools
    known = {"mark": mark, "about": prompt.system.partition("\n")[0]}
    given = {name: known[name] for name in tool.parameters["properties"]}
    call = ToolCall(id="call", name=tool.name, arguments=msgspec.json.encode(given).decode())
    return Answer(calls=(call,), stop="calls", sent=SENT, received=RECEIVED)
