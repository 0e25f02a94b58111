"""The replies of the conversations that clients of this instance have open.

A notice says that a conversation has a new reply; the reply itself is read from the mailbox. Each client is sent what
follows on the last reply that it was sent. So nothing waits in memory for a client that reads slowly, and a notice that
is lost, repeated or out of order changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from connectors.tcp.session import Action, Phase, Session
from parley.engine.aws import AwsError, error_code
from parley.engine.telemetry import log
from parley.model import Outgoing
from parley.platforms.http.frames import MAX_FRAME, Typing, encode, reply_frame

_PAUSE, _LAST_PAUSE = 0.5, 10.0
"""Seconds before another try to read a mailbox."""
_BEYOND_ALL = 2**63
"""A number that no reply has."""


class Page(msgspec.Struct, frozen=True):
    """Replies of a mailbox with their numbers, without a gap. None: a reply that has expired. `last`: the number of the
    last reply that the mailbox had.
    """

    replies: list[tuple[int, Outgoing | None]]
    last: int


class Member(Protocol):
    """A connection that has the conversation open."""

    session: Session | None

    def act(self, actions: list[Action]) -> None:
        """Carry out what its session has decided."""
        ...


@dataclass(slots=True, eq=False)
class Feed:
    """A conversation. `watched_until`: Unix second until which this instance is notified; 0 if it is not."""

    key: str
    room: str
    members: set[Member] = field(default_factory=set[Member])
    joining: int = 0
    watched_until: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_due: bool = False
    task: "asyncio.Task[None] | None" = None

    @property
    def is_needed(self) -> bool:
        """Whether a client has the conversation open, or is about to open it."""
        return bool(self.members) or self.joining > 0

    def behind(self, last: int) -> list[int]:
        """The places of the clients that can be sent replies, and lack some of those up to the number `last`."""
        sessions = (member.session for member in self.members)
        ready = (one for one in sessions if one and one.phase is Phase.LIVE and not one.is_blocked)
        return [one.sent[self.key] for one in ready if one.sent.get(self.key, last) < last]


class Feeds:
    """The open conversations by their keys. `read` reads a page of a mailbox after a number; it raises AwsError."""

    def __init__(self, read: Callable[[str, int], Awaitable[Page]]) -> None:
        self._read = read
        self.by_key: dict[str, Feed] = {}

    def get(self, key: str, room: str) -> Feed:
        """The feed of a conversation."""
        return self.by_key.setdefault(key, Feed(key, room))

    def drop(self, feed: Feed) -> None:
        """Forget a feed that is not needed."""
        if not feed.is_needed and not feed.watched_until and self.by_key.get(feed.key) is feed:
            del self.by_key[feed.key]

    def wake(self, key: str) -> None:
        """The conversation may have new replies, or a client can be sent more."""
        if feed := self.by_key.get(key):
            self._wake(feed)

    def wake_all(self) -> None:
        """Notices may be lost: any conversation may have new replies."""
        for feed in self.by_key.values():
            self._wake(feed)

    def _wake(self, feed: Feed) -> None:
        feed.is_due = True
        if feed.task is None:
            feed.task = asyncio.get_running_loop().create_task(self._run(feed))

    def typing(self, key: str) -> None:
        """The bot works on a message of the conversation."""
        feed = self.by_key.get(key)
        if feed is None:
            return
        frame = encode(Typing(room=feed.room))
        for member in list(feed.members):
            if member.session:
                member.act(member.session.typing(frame))

    async def _run(self, feed: Feed) -> None:
        pause = _PAUSE
        try:
            while feed.is_due and feed.members:
                feed.is_due = False
                try:
                    is_done = await self._send(feed)
                except AwsError as error:
                    log.warning("replies not readable", extra={"conversation": feed.key, "error": error_code(error)})
                    is_done = False
                if not is_done:
                    feed.is_due = True
                    await asyncio.sleep(pause)
                    pause = min(_LAST_PAUSE, pause * 2)
        finally:
            feed.task = None

    async def _send(self, feed: Feed) -> bool:
        """Send the replies that are there to all clients that can be sent some. False if one is not readable yet.

        Who lacks the least comes first: a client that reads from the beginning keeps no new reply from the others.
        """
        last = unreadable = _BEYOND_ALL
        while places := [place for place in feed.behind(last) if place < unreadable]:
            after = max(places)
            page = await self._read(feed.key, after)
            last, previous = page.last, after
            for number, out in page.replies:
                _send_one(feed, previous, number, out)
                previous = number
            if not page.replies and after < last:
                unreadable = after
        return unreadable == _BEYOND_ALL


def _cursor(member: Member, key: str) -> int:
    return member.session.sent.get(key, -1) if member.session else -1


def _send_one(feed: Feed, previous: int, number: int, out: Outgoing | None) -> None:
    """Send a reply to all clients that have the one before it. Those that were blocked then get it later."""
    frames: dict[str, bytes] = {}
    for member in list(feed.members):
        session = member.session
        if session is None or session.client is None or session.is_blocked or _cursor(member, feed.key) < previous:
            continue
        # A reply that only one person may see has a frame of its own for each person.
        person = session.client.person
        seen_as = person if out is not None and out.reply.private else ""
        if seen_as not in frames:
            frames[seen_as] = reply_frame(feed.room, number, out, person, MAX_FRAME)
        member.act(session.reply(feed.key, number, frames[seen_as]))
