"""The message that a client posts: a documented subset of the unified message."""

from typing import Annotated

import msgspec

from parley.model import digest
from parley.untrusted import decode_json


class Press(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A press of a button, a choice from a menu, or a form that is sent."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    value: str = ""
    message_id: str = ""
    """The id of the reply that holds the card."""
    form: dict[str, str] = {}
    options: tuple[str, ...] = ()


class Posted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a client posts. The token says who sends it."""

    text: str = ""
    room: str = ""
    """Empty: the direct chat of the person with the bot."""
    thread: str = ""
    reply_to: str = ""
    """The id of the message or reply that it answers."""
    locale: str = ""
    action: Press | None = None


def posted_in(body: bytes) -> Posted:
    """The message in `body`. Raises ValueError, which names the field and never its value."""
    try:
        document = decode_json(body)
    except ValueError as error:
        raise ValueError("The body is not JSON.") from error
    try:
        found = msgspec.convert(document, Posted)
    except msgspec.ValidationError as error:
        raise ValueError(f"{error}.") from error
    if found.action is not None and found.text:
        raise ValueError("A message has either `text` or `action`.")
    if found.action is None and not found.text.strip():
        raise ValueError("The message is empty: `text` or `action` is missing.")
    return found


def fingerprint(posted: Posted) -> str:
    """Equal for bodies that mean the same: the order of fields, white space and empty fields do not count."""
    return digest(msgspec.json.encode(posted, order="deterministic").decode())
