"""Schedules: handlers that run at times that the bot's code names, in conversations that it names."""

from collections.abc import Iterable
from inspect import isgeneratorfunction
from typing import TYPE_CHECKING, Any, Self, cast

import msgspec
from msgspec.structs import replace

from parley.bot.handlers import Entry, Middleware, name_of, place_of
from parley.bot.rules import Rule
from parley.bot.zones import zone_name
from parley.cron import next_time
from parley.model import Destination, digest
from parley.model.agenda import Timer, schedule_of
from parley.platforms import NAMES, answers_only, is_conversation

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


def checked(cron: str, zone: "str | ZoneInfo", to: Any) -> tuple[str, tuple[Destination, ...]]:
    """The name of the time zone and the destinations of `scheduled(cron, to=to, zone=zone)`.

    Raises ValueError as `next_time`, and TypeError for a value of another type.
    """
    name = zone_name(zone)
    next_time(cron, name, 0)
    several = isinstance(to, Iterable) and not isinstance(to, str)
    places: tuple[Any, ...] = tuple(cast("Iterable[Any]", to)) if several else (cast("Any", to),)
    wrong = [place for place in places if not isinstance(place, Destination)]
    if wrong:
        raise TypeError(
            f"to={wrong[0]!r}: write to=Destination(platform=..., app=..., room_id=...), or several of them"
        )
    return name, places


class Schedule(msgspec.Struct, frozen=True):
    """A handler, and when and where it runs. `id`: the same in every process; another one if any of that changes."""

    id: str
    entry: Entry
    cron: str
    zone: str
    to: Destination

    @classmethod
    def of(cls, entry: Entry, cron: str, zone: str, to: Destination) -> Self:
        """The schedule of `entry`. Raises ValueError."""
        where = place_of(entry.handler)
        if to.webhook:
            raise ValueError(f"{where}: a group webhook is no conversation; name a room, and reply with Reply(to=...)")
        if to.platform not in NAMES or not to.app or not (to.room_id or to.user_id):
            raise ValueError(f"{where}: a schedule needs a platform, an app, and a room_id or user_id")
        if answers_only(to.platform):
            raise ValueError(f"{where}: a bot cannot write first on {to.platform}")
        if isgeneratorfunction(entry.handler) and not is_conversation(to):
            raise ValueError(
                f"{where}: on {to.platform} answers to a question come in a room: write room_id, as in "
                "message.context.room_id, beside user_id"
            )
        id_ = digest(
            name_of(entry.handler), cron, zone, to.platform, to.app, to.tenant, to.room_id, to.thread_id, to.user_id
        )[:32]
        return cls(id_, entry, cron, zone, to)

    def within(self, when: Rule | None, around: tuple[Middleware, ...]) -> Self:
        """This schedule as part of a router that is included under the rule `when`."""
        return replace(self, entry=self.entry.within(when, around))

    def timer(self, now: float) -> Timer:
        """The timer of its next time after `now`."""
        return schedule_of(self.id, self.to, self.cron, self.zone, next_time(self.cron, self.zone, now), now)
