"""Checks the results of handlers: what cannot be stored or shown is an error where the handler runs."""

from collections.abc import Container, Iterable
from typing import cast

import msgspec

from parley.adapter import ChecksInstantAnswers, SupportsInstantAnswers
from parley.bot.states import Held
from parley.bot.turn import Turn
from parley.bot.values import check_json
from parley.errors import LimitError, ResultError
from parley.journal.limits import MAX_DECISION, MAX_REPLIES, MAX_STATE
from parley.model import Card, Destination, Message, Reply, handle_of, message_key, reply_id
from parley.model.agenda import Agenda, Timer
from parley.model.aws_events import AWS
from parley.model.codec import encode
from parley.model.instant import Instant
from parley.model.state import OWNERS, Scope
from parley.platforms import NAMES, checks, inbound
from parley.reply_checks import check_content, check_size, raise_problems


def check_result(replies: list[Reply], turn: Turn) -> None:
    """Raise ResultError if `replies`, or a state of `turn`, are beyond a limit of their platform or of the journal, or
    if a state is not JSON.
    """
    if len(replies) > MAX_REPLIES:
        raise ResultError(f"{len(replies)} replies to one message; at most {MAX_REPLIES} are possible")
    size = check_states(turn) + sum(check_reply(reply, number, turn.message) for number, reply in enumerate(replies))
    _check_order(replies, message_key(turn.message))
    if size > MAX_DECISION:
        raise ResultError(f"state and replies are {size} bytes of JSON; at most {MAX_DECISION} can be decided at once")


def check_states(turn: Turn) -> int:
    """The size of the states that are loaded, in bytes of JSON. Raises ResultError if one cannot be stored."""
    loaded: dict[Scope, Held] = {scope: held for scope, held in turn.states.items() if held.loaded}
    size = sum(_state_size(held.stored({}), scope) for scope, held in loaded.items())
    for scope, held in loaded.items():
        if problem := held.problem:
            raise ResultError(f"turn.{scope} has a value that no later message could read: {problem}")
    return size


def check_reply(reply: Reply, number: int, message: Message) -> int:
    """The size of a reply to `message`, in bytes of JSON. Raises ResultError if it cannot be stored or shown."""
    size = check_size(reply, number)
    if reply.to is None and message.platform == AWS:
        raise ResultError(f"reply {number} to an AWS event has no destination: write Reply(..., to=Destination(...))")
    check_content(reply, number, reply.to or Destination.answering(message))
    return size


def _check_order(replies: list[Reply], key: str) -> None:
    """Raise ResultError for a reply that changes itself or a later one: it would wait for itself."""
    later = {handle_of(reply_id(key, number)): number for number in range(len(replies))}
    for number, reply in enumerate(replies):
        if reply.target and later.get(reply.target, -1) >= number:
            raise ResultError(f"reply {number} changes reply {later[reply.target]}, which is not sent before it")


def check_plans(turn: Turn) -> None:
    """Raise LimitError if the reminders and dialogues of the conversation do not fit beside its state, and ResultError
    for a value that the journal could not read back: no later message of the conversation could be handled.
    """
    plans = turn.plans
    if not plans.is_changed and not plans.numbers and not plans.timers:
        return
    agenda = encode(plans.agenda)
    for encoded, kind in ((agenda, Agenda), (encode(plans.timers), list[Timer])):
        try:
            msgspec.json.decode(encoded, type=kind)
        except msgspec.DecodeError as error:
            raise ResultError(f"a reminder or a dialogue has a value of a wrong type: {error}") from error
    if not plans.is_changed:
        return
    turn.states["state"].get()
    size = len(agenda) + len(encode(turn.states["state"].stored({})))
    if size > MAX_STATE:
        raise LimitError(
            f"state, reminders and dialogues are {size} bytes of JSON; at most {MAX_STATE} can be stored together",
            "too_much",
        )


def check_forms(replies: Iterable[Reply], message: Message, declared: Container[str]) -> None:
    """Raise ResultError for a card whose form the platform opens by an instant function that the bot lacks."""
    for reply in replies:
        to = reply.to or Destination.answering(message)
        ids = (each.form.id for each in reply.segments if isinstance(each, Card) and each.form)
        missing = next((id_ for id_ in ids if id_ not in declared), None)
        if missing is not None and to.platform in NAMES and isinstance(inbound(to.platform), SupportsInstantAnswers):
            raise ResultError(
                f"the form {missing[:40]!r} is not declared, so {to.platform} cannot open it: bot.form(...)"
            )


def check_instant(result: Instant, message: Message) -> None:
    """Raise ResultError if the platform of `message` cannot show `result`."""
    found = checks(message.platform) if message.platform in NAMES else None
    if isinstance(found, ChecksInstantAnswers):
        raise_problems(found.instant_problems(message, result))


def _state_size(state: object, scope: Scope) -> int:
    """Bytes of JSON of `state`. Raises ResultError."""
    if not isinstance(state, dict):
        raise ResultError(f"turn.{scope} is of type {type(state).__name__}; possible are dict and a pydantic model")
    check_json(cast("object", state), scope)
    size = len(encode(state))
    if size > MAX_STATE:
        raise LimitError(
            f"{OWNERS[scope]} state is {size} bytes of JSON; at most {MAX_STATE} can be stored", "too_much"
        )
    return size
