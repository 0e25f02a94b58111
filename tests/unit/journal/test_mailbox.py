"""A reply is in the mailbox of its conversation once, and a client that reads by the numbers gets each once."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from parley.engine.aws import dynamodb
from parley.journal import mailbox as module
from parley.journal.inbox import Inbox
from parley.journal.mailbox import Mailbox, MailboxBusyError, Span
from parley.journal.table import box_pk, key, reply_pk
from parley.model import Image, Outgoing, Reply, plain_text

pytestmark = pytest.mark.usefixtures("aws")
NOW = 1_800_000_000.0
FIRST = int(NOW * 1000) + 1


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox(dynamodb(), "parley", 86_400)


@pytest.fixture
def stored(reply: Callable[..., Outgoing]) -> Callable[..., Outgoing]:
    """Stores a reply, as the decision on its message does."""

    def store(text: str, ordinal: int, **more: Any) -> Outgoing:
        made = replace(reply(text, ordinal=ordinal), **more)
        Inbox(dynamodb(), "parley", 86_400).add(made, NOW)
        return made

    return store


def texts(replies: list[Outgoing]) -> list[str]:
    return [plain_text(out.reply.segments) for out in replies]


def test_replies_are_read_in_order_from_a_cursor_on(mailbox: Mailbox, stored: Callable[..., Outgoing]) -> None:
    made = [stored(text, ordinal) for ordinal, text in enumerate("abc")]
    place = made[0].to.key
    assert mailbox.span(place) == (0, 0)
    for out in made:
        mailbox.put(out, NOW)
    last = mailbox.span(place).last
    span = mailbox.span(place)
    for after in (None, 0, FIRST - 1):
        assert texts(mailbox.read(place, span, after)[0]) == ["a", "b", "c"]
    found, cursor = mailbox.read(place, span, FIRST)
    assert (texts(found), cursor) == (["b", "c"], last)
    assert mailbox.read(place, span, cursor) == ([], cursor)


def test_a_reply_is_put_once(mailbox: Mailbox, stored: Callable[..., Outgoing]) -> None:
    made = [stored(text, ordinal) for ordinal, text in enumerate("ab")]
    for out in (*made, *made, made[0]):
        mailbox.put(out, NOW)
    assert mailbox.span(made[0].to.key).last == FIRST + 1


def test_each_put_returns_the_number_of_the_reply(mailbox: Mailbox, stored: Callable[..., Outgoing]) -> None:
    made = [stored(text, ordinal) for ordinal, text in enumerate("ab")]
    assert [mailbox.put(out, NOW) for out in (*made, *made)] == [FIRST, FIRST + 1] * 2


def test_a_mailbox_can_begin_before_its_first_reply(mailbox: Mailbox, stored: Callable[..., Outgoing]) -> None:
    out = stored("a", 0)
    place = out.to.key
    begun = mailbox.begin(place, NOW)
    assert begun == mailbox.begin(place, NOW + 9) == mailbox.span(place) == Span(FIRST, FIRST - 1)
    assert [mailbox.read(place, begun, after) for after in (None, 0, FIRST - 1)] == [([], FIRST - 1)] * 3
    assert mailbox.put(out, NOW + 10) == FIRST
    assert mailbox.span(place) == mailbox.begin(place, NOW + 10) == Span(FIRST, FIRST)
    assert texts(mailbox.read(place, mailbox.span(place), None)[0]) == ["a"]


def test_a_reply_that_has_expired_keeps_its_number(mailbox: Mailbox, stored: Callable[..., Outgoing]) -> None:
    made = [stored(text, ordinal) for ordinal, text in enumerate("abc")]
    for out in made:
        mailbox.put(out, NOW)
    dynamodb().delete_item(TableName="parley", Key=key(reply_pk(made[1].id)))
    place = made[0].to.key
    found, last = mailbox.numbered(place, mailbox.span(place), 0)
    assert [(number, out and plain_text(out.reply.segments)) for number, out in found] == [
        (FIRST, "a"),
        (FIRST + 1, None),
        (FIRST + 2, "c"),
    ]
    assert last == FIRST + 2


def test_a_reply_that_is_forgotten_is_not_put(mailbox: Mailbox, reply: Callable[..., Outgoing]) -> None:
    assert mailbox.put(reply("never stored"), NOW) is None
    assert mailbox.span(reply().to.key) == (0, 0)


def test_two_workers_give_two_numbers(
    mailbox: Mailbox, stored: Callable[..., Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another reply is put between the two requests of the first one."""
    first, second = stored("first", 0), stored("second", 1)
    span, interrupted = Mailbox.span, list[int]()

    def interrupt(self: Mailbox, conversation: str) -> Span:
        found = span(self, conversation)
        if not interrupted:
            interrupted.append(1)
            mailbox.put(second, NOW)
        return found

    monkeypatch.setattr(Mailbox, "span", interrupt)
    mailbox.put(first, NOW)
    assert texts(mailbox.read(first.to.key, mailbox.span(first.to.key), 0)[0]) == ["second", "first"]


def test_a_mailbox_that_is_always_busy_is_an_error(
    mailbox: Mailbox, stored: Callable[..., Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = stored("a", 0)
    mailbox.put(stored("b", 1), NOW)
    monkeypatch.setattr(Mailbox, "span", lambda *_: Span(5, 5))
    with pytest.raises(MailboxBusyError):
        mailbox.put(out, NOW)


def test_a_mailbox_that_has_expired_begins_with_a_higher_number(
    mailbox: Mailbox, stored: Callable[..., Outgoing]
) -> None:
    first, later = stored("a", 0), stored("b", 1)
    mailbox.put(first, NOW)
    before = mailbox.span(first.to.key).last
    dynamodb().delete_item(TableName="parley", Key={"pk": {"S": f"box#{first.to.key}"}})
    mailbox.put(later, NOW + 40 * 86_400)
    span = mailbox.span(first.to.key)
    assert texts(mailbox.read(first.to.key, span, before)[0]) == ["b"]
    assert span.first == span.last > before


def test_replies_that_have_expired_are_left_out(mailbox: Mailbox, stored: Callable[..., Outgoing]) -> None:
    made = [stored(text, ordinal) for ordinal, text in enumerate("abc")]
    for out in made:
        mailbox.put(out, NOW)
    dynamodb().delete_item(TableName="parley", Key={"pk": {"S": f"out#{made[1].id}"}})
    span = mailbox.span(made[0].to.key)
    found, cursor = mailbox.read(made[0].to.key, span, 0)
    assert (texts(found), cursor) == (["a", "c"], span.last)


def test_a_reply_of_which_only_the_number_is_visible_is_left_for_the_next_time(
    mailbox: Mailbox, stored: Callable[..., Outgoing]
) -> None:
    made = [stored(text, ordinal) for ordinal, text in enumerate("ab")]
    place = made[0].to.key
    for out in made:
        mailbox.put(out, NOW)
    entry = key(box_pk(place, FIRST + 1))
    hidden = dynamodb().delete_item(TableName="parley", Key=entry, ReturnValues="ALL_OLD")["Attributes"]
    span = mailbox.span(place)
    found, cursor = mailbox.read(place, span, FIRST - 1)
    assert (texts(found), cursor) == (["a"], FIRST)
    assert mailbox.read(place, span, FIRST) == ([], FIRST)
    dynamodb().put_item(TableName="parley", Item=hidden)
    found, cursor = mailbox.read(place, span, FIRST)
    assert (texts(found), cursor) == (["b"], FIRST + 1)


def test_a_page_is_bounded_and_the_next_one_goes_on(
    mailbox: Mailbox, stored: Callable[..., Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 250_000)
    picture = Reply(segments=(Image(data="A" * 100_000),))
    made = [stored("", ordinal, reply=picture) for ordinal in range(5)]
    for out in made:
        mailbox.put(out, NOW)
    span, read, cursor = mailbox.span(made[0].to.key), list[str](), 0
    while cursor < span.last:
        found, cursor = mailbox.read(made[0].to.key, span, cursor)
        assert 1 <= len(found) <= 2
        read += [out.id for out in found]
    assert read == [out.id for out in made]


def test_the_rows_expire_with_the_replies(mailbox: Mailbox, stored: Callable[..., Outgoing]) -> None:
    out = stored("a", 0)
    mailbox.put(out, NOW)
    for pk in (f"box#{out.to.key}", f"box#{out.to.key}#{FIRST}"):
        row = dynamodb().get_item(TableName="parley", Key={"pk": {"S": pk}}).get("Item", {})
        assert row.get("ttl") == {"N": str(int(NOW + 86_400))}
