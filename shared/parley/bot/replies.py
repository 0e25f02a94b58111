"""The replies of a turn, from the values that handlers return."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from parley.errors import ResultError
from parley.model import AnySegment, Reply
from parley.reply_checks import is_blank

ReplyLike = str | AnySegment | Reply
Replies = ReplyLike | Iterable[ReplyLike | None] | None
"""The value that a handler returns. Generators also yield questions (`parley.bot.dialogues`)."""


def replies_of(returned: Replies) -> Iterator[Reply]:
    """The replies in the value that a handler returned, without those that have nothing to show. Raises ResultError."""
    many = (returned,) if returned is None or isinstance(returned, ReplyLike) else _checked(returned)
    for what in many:
        reply = None if what is None else Reply.of(_known(what))
        if reply is not None and not is_empty(reply):
            yield reply


def _checked(returned: Any) -> Iterable[Any]:
    """`returned`, if it can be a list of replies. A dictionary or a number cannot. Raises ResultError."""
    if isinstance(returned, Mapping | bytes) or not isinstance(returned, Iterable):
        raise _wrong(returned)
    return cast("Iterable[Any]", returned)


def _known(what: Any) -> ReplyLike:
    if not isinstance(what, ReplyLike):
        raise _wrong(what)
    return what


def _wrong(value: Any) -> ResultError:
    kind = "a list inside a list" if isinstance(value, list | tuple) else type(value).__name__
    return ResultError(f"a handler returned {kind}; possible are str, a segment, a Reply, a list of these, and None")


def reactions_last(replies: Iterable[Reply]) -> list[Reply]:
    """`replies` in order, the reactions after all others.

    So the first reply is a message where there is one: it takes the place of Discord's "thinking...". And each message
    has the number of its handle (`Turn.say`).
    """
    return sorted(replies, key=is_reaction)


def is_reaction(reply: Reply) -> bool:
    """Whether `reply` is a reaction to a message."""
    return reply.op == "react"


def is_empty(reply: Reply) -> bool:
    """Whether `reply` is a new message of white space only. The platforms refuse such a message."""
    return reply.op == "send" and is_blank(reply)
