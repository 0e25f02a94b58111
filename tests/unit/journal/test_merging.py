"""Messages that wait for more: each is decided once, and a worker that is late changes nothing."""

import pytest

from parley.engine.aws import dynamodb
from parley.journal.forget import Forget
from parley.journal.inbox import Inbox
from parley.journal.merging import Merges, Waiting
from parley.model import Message, message_key
from parley.model.merging import joined, marker
from tests.factories import NOW, decide, make_message, make_reply

pytestmark = pytest.mark.usefixtures("aws")
KEEP = 30 * 86_400
ONE, TWO, THREE = (make_message(f"m{number}", text) for number, text in enumerate(("one", "two", "three")))


@pytest.fixture
def merges() -> Merges:
    return Merges(dynamodb(), "parley", KEEP)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox(dynamodb(), "parley", KEEP)


def waiting(merges: Merges) -> Waiting:
    found = merges.waiting(ONE)
    assert found is not None
    return found


def answer(inbox: Inbox, message: Message) -> None:
    decide(inbox, message, inbox.open(message), {}, [make_reply(message)], NOW)


def test_a_message_waits_and_others_join_it(merges: Merges, inbox: Inbox) -> None:
    assert merges.waiting(ONE) is None
    assert merges.begin(ONE, NOW, NOW)
    assert waiting(merges) == Waiting(ONE, NOW)
    assert merges.add(waiting(merges), TWO, NOW + 1, NOW)
    assert merges.add(waiting(merges), THREE, NOW + 2, NOW)
    found = waiting(merges)
    assert (found.message.content.text, found.at) == ("one\ntwo\nthree", NOW + 2)
    assert found.message.parts == (ONE, TWO, THREE)
    assert [inbox.open(each).decided for each in (ONE, TWO, THREE)] == [0, 0, None]
    answer(inbox, found.message)
    merges.close(found)
    assert merges.waiting(ONE) is None
    assert inbox.open(THREE).decided == 1


def test_a_message_that_waits_or_is_decided_does_not_begin_again(merges: Merges, inbox: Inbox) -> None:
    assert merges.begin(ONE, NOW, NOW)
    assert not merges.begin(ONE, NOW, NOW)
    assert not merges.begin(TWO, NOW, NOW)  # the first one would be lost
    answer(inbox, ONE)
    merges.close(waiting(merges))
    assert not merges.begin(ONE, NOW, NOW)


def test_nothing_joins_a_message_twice_or_one_that_is_decided(merges: Merges, inbox: Inbox) -> None:
    merges.begin(ONE, NOW, NOW)
    before = waiting(merges)
    assert merges.add(before, TWO, NOW, NOW)
    assert not merges.add(before, TWO, NOW, NOW)
    assert not merges.add(before, THREE, NOW, NOW)
    after = waiting(merges)
    answer(inbox, after.message)
    assert not merges.add(after, THREE, NOW, NOW)
    assert inbox.open(THREE).decided is None


def test_nothing_joins_a_message_on_which_a_run_has_recorded_something(merges: Merges, inbox: Inbox) -> None:
    merges.begin(ONE, NOW, NOW)
    inbox.record(ONE, "", "{}", NOW)
    assert not merges.add(waiting(merges), TWO, NOW, NOW)
    inbox.attempted(ONE, 1, NOW)
    assert not merges.add(waiting(merges), TWO, NOW, NOW)


def test_a_worker_that_is_late_closes_no_other_message(merges: Merges) -> None:
    merges.begin(ONE, NOW, NOW)
    before = waiting(merges)
    merges.add(before, TWO, NOW, NOW)
    merges.close(before)
    assert waiting(merges).message.id == TWO.id


def test_an_undecided_message_is_read_with_those_that_it_joins(merges: Merges, inbox: Inbox) -> None:
    merges.begin(ONE, NOW, NOW)
    merges.add(waiting(merges), TWO, NOW, NOW)
    inbox.failed(TWO, "KeyError", 5, NOW)
    snapshot = inbox.open(TWO)
    assert snapshot.attempts == 5
    assert '"text":"one\\ntwo"' in snapshot.joined
    answer(inbox, joined(ONE, TWO))
    assert inbox.open(TWO).joined == ""


def test_a_person_is_forgotten_after_the_answer_and_the_next_text_can_wait(merges: Merges, inbox: Inbox) -> None:
    def forget() -> None:
        Forget(dynamodb(), "parley", lambda: NOW, lambda _seconds: None)("feishu", "demo", "person")

    merges.begin(ONE, NOW, NOW)
    forget()
    assert waiting(merges).message == ONE  # it is under way
    answer(inbox, ONE)
    forget()
    assert merges.waiting(ONE) is None
    assert merges.begin(TWO, NOW, NOW)


def test_a_marker_is_the_same_for_the_same_texts_and_has_none_of_them() -> None:
    two, three = joined(ONE, TWO), joined(joined(ONE, TWO), THREE)
    assert marker(two) == marker(two)
    assert len({message_key(each) for each in (ONE, TWO, THREE, marker(ONE), marker(two), marker(three))}) == 6
    assert marker(three).content.text == ""
    assert marker(three).parts == (marker(three),)
