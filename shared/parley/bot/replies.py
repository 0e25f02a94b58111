"""The replies of a turn, from the values that handlers return."""

from collections.abc import Iterable, Iterator

from parley.model import AnySegment, Markdown, Reply, Text

ReplyLike = str | AnySegment | Reply
Replies = ReplyLike | Iterable[ReplyLike | None] | None
"""The value that a handler returns."""


def replies_of(returned: Replies) -> Iterator[Reply]:
    """The replies in the value that a handler returned, without those that have nothing to show."""
    many = (returned,) if returned is None or isinstance(returned, ReplyLike) else returned
    for what in many:
        reply = None if what is None else Reply.of(what)
        if reply is not None and not is_empty(reply):
            yield reply


def is_empty(reply: Reply) -> bool:
    """Whether `reply` is a new message of white space only. The platforms refuse such a message."""
    return reply.op == "send" and is_blank(reply)


def is_blank(reply: Reply) -> bool:
    """Whether `reply` has no segments but texts of white space."""
    # `str`: a value of another type is not blank, but an error that names the field (`parley.bot.results`).
    return all(isinstance(segment, Text | Markdown) and not str(segment.text).strip() for segment in reply.segments)
