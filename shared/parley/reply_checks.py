"""Checks of a reply where it is made, by a bot or a program: what cannot be stored or shown is an error there."""

from collections.abc import Iterable, Iterator

import msgspec

from parley.errors import ResultError
from parley.journal.limits import MAX_REPLY
from parley.model import Card, Destination, Markdown, Reply, Text
from parley.model.codec import decode_reply, encode
from parley.platforms import NAMES, answers_only, checks

_MAX_EMOJI = 100
"""Characters of an emoji or its name. No platform has a longer one."""
_CANNOT_WRITE_FIRST = "{} goes to {}, where a bot cannot write first: write to Destination.answering(message)"


def check_size(reply: Reply, number: int) -> int:
    """Bytes of JSON of `reply`. Raises ResultError if it is too large, or if the deliverer could not read it."""
    try:
        body = encode(reply)
        decode_reply(body)
    except (ValueError, TypeError) as error:
        # msgspec names the field and the types, and never the text of a reply.
        where = str(error) if isinstance(error, msgspec.ValidationError) else type(error).__name__
        raise ResultError(f"reply {number} is not valid: {where}") from error
    if len(body) > MAX_REPLY:
        raise ResultError(
            f"reply {number} is {len(body)} bytes of JSON; at most {MAX_REPLY} can be stored: give large media as a URL"
        )
    return len(body)


def check_destination(to: Destination) -> None:
    """Raise ValueError if nothing can be sent to `to`."""
    if to.platform not in NAMES:
        raise ValueError(f"the destination is on the platform {to.platform[:40]!r}; there are {', '.join(NAMES)}")
    if not to.app:
        raise ValueError("the destination names no app")
    if not (to.webhook or to.room_id or to.user_id):
        raise ValueError("the destination has no place: set room_id, user_id or webhook")
    if not _has_right(to):
        raise ValueError(_CANNOT_WRITE_FIRST.format("the reply", to.platform))


def check_content(reply: Reply, number: int, to: Destination) -> None:
    """Raise ResultError for a part of `reply` that its platform would lose. Edits, reactions and cards have such
    parts.
    """
    if reply.op == "edit" and is_blank(reply):
        raise ResultError(f"reply {number} is an edit without a text, card or file")
    if reply.op in ("edit", "recall") and not reply.target and to.kind != "action":
        raise ResultError(f'reply {number} has op="{reply.op}" and no target: write the id or the handle of a message')
    raise_problems(f"reply {number} {problem}" for problem in _reaction_problems(reply))
    if reply.to is not None and to.platform not in NAMES:
        raise ResultError(f"reply {number} goes to the platform {to.platform[:40]!r}; there are {', '.join(NAMES)}")
    if reply.to is not None and not _has_right(reply.to):
        raise ResultError(_CANNOT_WRITE_FIRST.format(f"reply {number}", to.platform))
    is_known = to.platform in NAMES  # a unit test may invent the platform of its message
    if is_known and any(isinstance(segment, Card) for segment in reply.segments):
        raise_problems(checks(to.platform).problems(reply, to))


def _has_right(to: Destination) -> bool:
    """Whether a bot may write to `to`, as far as it is known before the call."""
    return bool(to.reply_token) or not answers_only(to.platform)


def _reaction_problems(reply: Reply) -> Iterator[str]:
    """What is missing in a reaction, or cannot be shown with it."""
    emoji = reply.emoji or ""
    if reply.op != "react":
        if emoji:
            yield 'has an emoji and is no reaction: write op="react"'
        return
    if not emoji.strip() or len(emoji) > _MAX_EMOJI:
        yield f"is a reaction with an emoji of {len(emoji)} characters; possible are 1 to {_MAX_EMOJI}"
    if reply.segments:
        yield "is a reaction with segments: send them in a reply of their own"
    if reply.to is not None and not (reply.target or reply.to.message_id):
        yield "is a reaction to no message: set target"


def is_blank(reply: Reply) -> bool:
    """Whether `reply` has no segments but texts of white space."""
    # `str`: a value of another type is not blank, but an error that names the field (`check_size`).
    return all(isinstance(segment, Text | Markdown) and not str(segment.text).strip() for segment in reply.segments)


def raise_problems(problems: Iterable[str]) -> None:
    """Raise ResultError with all `problems`, if there are any."""
    found = list(problems)
    if found:
        raise ResultError("; ".join(found))
