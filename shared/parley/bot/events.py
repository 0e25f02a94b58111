"""Portable names of events: `member_joined` is the same event on every platform that has it."""

from parley.model import Message
from parley.platforms import NAMES, portable_events

PORTABLE = (
    "member_joined",
    "member_left",
    "bot_added",
    "bot_removed",
    "app_installed",
    "app_removed",
    "person_followed",
    "person_unfollowed",
    "chat_opened",
    "room_changed",
    "room_closed",
    "reaction_added",
    "reaction_removed",
    "message_read",
    "message_recalled",
    "menu_pressed",
    "location_reported",
)
"""All portable names. docs/events.md lists the platforms that have them."""
_CLOSE = 0.8
"""The similarity from which an unknown name counts as a misspelled one."""


def names_of(message: Message) -> tuple[str, ...]:
    """The names under which an event is handled: the platform's own, then the portable one if there is one."""
    found = portable_events(message.platform).get(message.event) if message.platform in NAMES else None
    return (message.event, found) if found and found != message.event else (message.event,)


def check_name(name: str) -> None:
    """Raise ValueError if `name` looks like a misspelled portable name. Other names are the platforms' own, of which
    there is no complete list.
    """
    if name in PORTABLE or any(name in portable_events(platform) for platform in NAMES):
        return
    from difflib import get_close_matches  # noqa: PLC0415  # most bots name no event of a platform

    close = get_close_matches(name, PORTABLE, n=1, cutoff=_CLOSE)
    if close:
        raise ValueError(f"there is no event {name!r}: write {close[0]!r}")
