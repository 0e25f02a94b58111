"""The replies of a conversation for several clients, each at its own place."""

import asyncio
import random
from collections.abc import Callable

import pytest
from botocore.exceptions import EndpointConnectionError

from connectors.tcp import feeds as module
from connectors.tcp.feeds import Feeds, Page
from connectors.tcp.limits import Limits
from connectors.tcp.session import Action, Phase, Send, Session
from parley.adapter import Client
from parley.platforms.http.frames import Reply, reply_frame

KEY, PAGE, LAST = "conversation", 5, 40


class Member:
    """A client that has the conversation open after the number `cursor`."""

    def __init__(self, cursor: int) -> None:
        client = Client(platform="http", app="web", person="lin", name="", rooms=frozenset(), until=0)
        self.session: Session | None = Session(Limits(), 0, phase=Phase.LIVE, client=client, sent={KEY: cursor})
        self.got: list[int] = []
        self.after: Callable[[], None] = lambda: None

    def act(self, actions: list[Action]) -> None:
        for action in actions:
            assert isinstance(action, Send)
            assert self.session is not None
            assert action.frame.startswith(b'{"type":"reply"')
            self.got.append(self.session.sent[KEY])
            self.after()


async def sent(members: list[Member], read: Callable[[int], None] = lambda _after: None) -> None:
    async def page(_key: str, after: int) -> Page:
        await asyncio.sleep(0)
        read(after)
        return Page([(number, None) for number in range(after + 1, min(LAST, after + PAGE) + 1)], LAST)

    feeds = Feeds(page)
    feed = feeds.get(KEY, "")
    feed.members |= set(members)

    async def again() -> None:
        feeds.wake(KEY)
        while feed.task is not None:
            await feed.task

    await again()
    for _ in range(3):  # clients that were blocked read again
        for member in members:
            if member.session is not None and member.session.is_blocked:
                member.session.unblocked(0)
        await again()


def test_each_client_gets_what_follows_on_its_own_place() -> None:
    members = [Member(cursor) for cursor in (0, 17, 39, 40, 50)]
    asyncio.run(sent(members))
    assert [member.got for member in members] == [
        list(range(1, 41)),
        list(range(18, 41)),
        [40],
        [],
        [],
    ]


@pytest.mark.parametrize("seed", range(30))
def test_a_client_that_is_blocked_at_any_moment_misses_none_and_gets_none_twice(seed: int) -> None:
    draw = random.Random(seed)
    members = [Member(cursor) for cursor in (0, 0, 12)]

    def block_some(_after: int) -> None:
        for member in members:
            session = member.session
            if session is not None and draw.random() < 0.5:
                session.unblocked(0) if session.is_blocked else session.blocked(0)

    for member in members:
        member.after = lambda: block_some(0) if draw.random() < 0.05 else None
    asyncio.run(sent(members, block_some))
    for member, cursor in zip(members, (0, 0, 12), strict=True):
        assert member.got == list(range(cursor + 1, cursor + 1 + len(member.got)))


def test_a_mailbox_that_cannot_be_read_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0.0)
    failures = [1, 2]

    def fail(_after: int) -> None:
        if failures:
            failures.pop()
            raise EndpointConnectionError(endpoint_url="https://dynamodb")

    member = Member(0)
    asyncio.run(sent([member], fail))
    assert member.got == list(range(1, 41))


def test_a_reply_that_is_not_readable_yet_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0.0)
    hidden = [1, 2]

    async def page(_key: str, after: int) -> Page:
        last = LAST - 1 if hidden and hidden.pop() else LAST
        return Page([(number, None) for number in range(after + 1, last + 1)], LAST)

    async def run(member: Member) -> None:
        feeds = Feeds(page)
        feeds.get(KEY, "").members.add(member)
        feeds.wake(KEY)
        while (task := feeds.get(KEY, "").task) is not None:
            await task

    member = Member(LAST - 1)
    asyncio.run(run(member))
    assert member.got == [LAST]


def test_a_client_that_begins_again_and_again_keeps_no_new_reply_from_the_others() -> None:
    current, again = Member(LAST), Member(0)
    reads: list[int] = []

    async def page(_key: str, after: int) -> Page:
        reads.append(after)
        if len(reads) == 30:
            again.session = None  # it leaves
        elif after >= PAGE and again.session is not None:
            again.session.sent[KEY] = 0
        last = LAST + len(reads) // 10  # a new reply with every tenth read
        return Page([(number, None) for number in range(after + 1, min(last, after + PAGE) + 1)], last)

    async def run() -> None:
        feeds = Feeds(page)
        feeds.get(KEY, "").members |= {current, again}
        feeds.wake(KEY)
        async with asyncio.timeout(5):
            while (task := feeds.get(KEY, "").task) is not None:
                await task

    asyncio.run(run())
    assert len(reads) >= 30
    assert current.got == [LAST + 1, LAST + 2, LAST + 3]


def test_a_reply_that_is_not_readable_yet_keeps_no_older_one_from_the_others() -> None:
    current, behind, complete = Member(LAST - 1), Member(0), asyncio.Event()
    behind.after = lambda: complete.set() if len(behind.got) == LAST - 1 else None

    async def page(_key: str, after: int) -> Page:
        return Page([(number, None) for number in range(after + 1, min(LAST - 1, after + PAGE) + 1)], LAST)

    async def run() -> None:
        feeds = Feeds(page)
        feed = feeds.get(KEY, "")
        feed.members |= {current, behind}
        feeds.wake(KEY)
        assert feed.task is not None
        async with asyncio.timeout(5):
            await complete.wait()
        assert not feed.task.done(), "it is read again"
        feed.task.cancel()
        await asyncio.gather(feed.task, return_exceptions=True)

    asyncio.run(run())
    assert (current.got, behind.got) == ([], list(range(1, LAST)))


def test_all_conversations_are_read_if_notices_are_lost() -> None:
    members = {key: Member(0) for key in ("a", "b")}

    async def page(_key: str, after: int) -> Page:
        return Page([(1, None)] if after < 1 else [], 1)

    async def run() -> None:
        feeds = Feeds(page)
        for key, member in members.items():
            assert member.session is not None
            member.session.sent[key] = 0
            feeds.get(key, "").members.add(member)
        feeds.wake_all()
        await asyncio.gather(*(feed.task for feed in feeds.by_key.values() if feed.task))

    asyncio.run(run())
    assert [len(member.got) for member in members.values()] == [1, 1]


def test_a_feed_without_clients_reads_nothing() -> None:
    def never(_after: int) -> None:
        raise AssertionError

    asyncio.run(sent([], never))


def test_an_expired_reply_has_a_frame_with_its_number_alone() -> None:
    assert reply_frame("", 7, None, "lin", 1000) == b'{"type":"reply","room":"","cursor":"7"}'
    assert Reply(room="", cursor="7").reply is None
