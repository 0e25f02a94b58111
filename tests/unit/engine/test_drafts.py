"""An answer while it grows: it is shown now and then, a failure is none of the handler, and one message remains."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from parley.adapter import App, Call, Config, Outcome, Permanent, Sent, Steps, Transient, Unknown
from parley.engine.calls import CallContext
from parley.engine.drafts import FIRST, Draft, Typing
from parley.engine.outgoing import apology_of, draft_in, draft_key, outgoing_of
from parley.errors import RetryAfter
from parley.model import Destination, Outgoing, Reply, Text
from parley.model.codec import encode
from tests.factories import NOW, make_message, make_reply
from tests.unit.conftest import Clock


class Platform:
    """Shows a draft by two calls, and then by one for each text."""

    DRAFT_INTERVAL = 1.0

    def open_draft(self, out: Outgoing, app: App, now: float) -> Steps:
        made = yield self._call("create", out)
        yield self._call(f"send {made.id}", out)

    def grow_draft(self, out: Outgoing, app: App, now: float) -> Call:
        return self._call(f"grow {'/'.join(out.draft_ids)}", out)

    def _call(self, name: str, out: Outgoing) -> Call:
        segment = out.reply.segments[0]
        assert isinstance(segment, Text)
        return Call(name=f"{name}: {segment.text}", method="POST", url="u")


class Renewed(Platform):
    """Takes texts for ten seconds; then it has to be told again."""

    DRAFT_LASTS = 10.0

    def renew_draft(self, out: Outgoing, app: App, now: float) -> Call:
        return self._call(f"renew {'/'.join(out.draft_ids)}", out)


class Calls:
    """Records the calls. `outcomes` are those of the next ones; then they succeed."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.outcomes: list[Outcome | ValueError] = []

    def make(self, _context: CallContext, call: Call) -> Outcome:
        self.made.append(call.name)
        outcome = self.outcomes.pop(0) if self.outcomes else Sent(f"id{len(self.made)}")
        if isinstance(outcome, ValueError):
            raise outcome
        return outcome


class Answer:
    """An answer that grows by a letter with each call."""

    def __init__(self, clock: Clock, ids: tuple[str, ...] = (), on: Platform | None = None) -> None:
        self.clock, self.calls, self.platform = clock, Calls(), on or Platform()
        self.kept: list[tuple[str, ...]] = []
        self.letters = self._letters()
        platform: Any = self.platform
        context = CallContext(make_reply(make_message()), App("feishu", "demo", Config()), platform)
        calls: Any = self.calls
        self.draft = Draft(context, platform, calls, self.kept.append, ids, clock=clock)

    @staticmethod
    def _letters() -> Iterator[str]:
        text = ""
        for letter in "abcdefgh":
            text += letter
            yield text

    def write(self, seconds: float = 2) -> list[str]:
        """Write a letter after `seconds`. The calls that this makes."""
        self.clock.now += seconds
        made, text = len(self.calls.made), next(self.letters)
        self.draft.show(lambda: Reply.of(text))
        return self.calls.made[made:]


def test_an_answer_that_is_complete_at_once_is_no_draft(clock: Clock) -> None:
    answer = Answer(clock)
    assert [answer.write(FIRST / 5) for _ in range(5)] == [[]] * 5
    assert answer.draft.ids == ()


@pytest.mark.parametrize("pace", [0.01, 0.1, 0.4])
def test_the_first_text_is_shown_within_a_second_of_the_first_token(pace: float, clock: Clock) -> None:
    answer, began = Answer(clock), clock.now
    answer.draft.show(lambda: Reply.of("text"))
    while not answer.calls.made:
        clock.now += pace
        answer.draft.show(lambda: Reply.of("text"))
    assert clock.now - began <= 1


def test_it_is_opened_and_then_grows_and_its_ids_are_recorded_before_they_are_used(clock: Clock) -> None:
    answer = Answer(clock)
    assert answer.write() == []
    assert answer.write() == ["create: ab", "send id1: ab"]
    assert answer.kept == [("id1",)]
    assert answer.write(0.1) == []
    assert answer.write() == ["grow id1/id2: abcd"]
    assert answer.draft.ids == ("id1", "id2")


def test_an_answer_that_grows_for_long_is_renewed_in_time(clock: Clock) -> None:
    answer = Answer(clock, on=Renewed())
    answer.write()
    answer.write()
    assert answer.write(9) == ["grow id1/id2: abc"]
    assert answer.write() == ["renew id1/id2: abcd", "grow id1/id2: abcd"]
    assert answer.write(9) == ["grow id1/id2: abcde"]
    answer.calls.outcomes = [Unknown("lost")]
    assert answer.write() == ["renew id1/id2: abcdef"]
    assert answer.write(5) == ["renew id1/id2: abcdefg", "grow id1/id2: abcdefg"]


def test_the_next_run_renews_what_may_have_ended(clock: Clock) -> None:
    answer = Answer(clock, ("card",), Renewed())
    answer.write()
    assert answer.write() == ["send card: ab"]
    assert answer.write() == ["renew card/id1: abc", "grow card/id1: abc"]
    assert answer.write() == ["grow card/id1: abcd"]


def test_the_next_run_goes_on_with_what_is_recorded(clock: Clock) -> None:
    answer = Answer(clock, ("card",))
    answer.write()
    assert answer.write() == ["send card: ab"]
    assert answer.draft.ids == ("card", "id1")
    assert answer.write() == ["grow card/id1: abc"]


@pytest.mark.parametrize(
    ("outcome", "restored"), [(Sent("x"), 1), (Unknown("lost"), 1), (Permanent("a later text is there"), 0)]
)
def test_after_a_text_that_was_late_the_answer_is_shown_again(outcome: Outcome, restored: int, clock: Clock) -> None:
    answer, late, shown = Answer(clock), iter([False, True]), list[bool]()
    answer.write()
    answer.write()
    answer.draft.is_late, answer.draft.restore = lambda: next(late), lambda: shown.append(True)
    answer.calls.outcomes = [outcome]
    assert answer.write() == ["grow id1/id2: abc"]
    assert answer.write() == []
    assert len(shown) == restored


def test_an_unknown_outcome_is_repeated_later(clock: Clock) -> None:
    answer = Answer(clock)
    answer.write()
    answer.calls.outcomes = [Sent("card"), Unknown("lost")]
    assert answer.write() == ["create: ab", "send card: ab"]
    assert answer.write() == []
    assert answer.write(5) == ["send card: abcd"]
    assert answer.write() == ["grow card/id3: abcde"]


@pytest.mark.parametrize("outcome", [Permanent("no"), ValueError()])
def test_a_refusal_ends_it_and_not_the_handler(outcome: Any, clock: Clock) -> None:
    answer = Answer(clock)
    answer.write()
    answer.calls.outcomes = [outcome]
    assert answer.write() == ["create: ab"]
    assert [answer.write(60) for _ in range(2)] == [[], []]
    assert answer.draft.ids == ()


def test_a_rate_limit_makes_it_slower(clock: Clock) -> None:
    answer = Answer(clock)
    answer.write()
    answer.write()
    answer.calls.outcomes = [RetryAfter(30)]
    assert answer.write() == ["grow id1/id2: abc"]
    assert answer.write(29) == []
    assert answer.write(2) == ["grow id1/id2: abcde"]


def test_a_worker_that_is_late_shows_nothing(clock: Clock) -> None:
    answer = Answer(clock)
    answer.draft.is_late = lambda: True
    assert [answer.write() for _ in range(3)] == [[], [], []]


def test_the_same_text_is_shown_once(clock: Clock) -> None:
    answer = Answer(clock)
    answer.letters = iter(["a", "same", "same", "other"])
    assert [len(answer.write()) for _ in range(4)] == [0, 2, 0, 1]


def test_none_shows_nothing_of_a_text(clock: Clock) -> None:
    answer = Answer(clock)
    answer.draft.show(None)
    assert answer.calls.made == []
    assert [answer.write(seconds) for seconds in (0, FIRST)] == [[], ["create: ab", "send id1: ab"]]


# --- the sign that an answer is being written


class TypingPlatform:
    """Shows that a reply is being written."""

    TYPING_LASTS = 15.0

    def typing(self, out: Outgoing, _app: App) -> Call:
        return Call(name=f"typing to {out.to.room_id}", method="POST", url="u")


def make_typing(clock: Clock) -> tuple[Typing, Calls]:
    platform: Any = TypingPlatform()
    calls: Any = Calls()
    context = CallContext(make_reply(make_message()), App("wechat", "demo", Config()), platform)
    return Typing(context, platform, calls, clock=clock), calls


def test_the_sign_comes_at_once_and_again_when_it_has_ended(clock: Clock) -> None:
    typing, calls = make_typing(clock)
    made: list[int] = []
    for seconds in (0, 14.9, 0.1, 1):
        clock.now += seconds
        typing.show(None)
        made.append(len(calls.made))
    assert made == [1, 1, 2, 2]
    assert typing.ids == ()


def test_a_text_that_grows_brings_the_sign_unless_it_is_complete_at_once(clock: Clock) -> None:
    typing, calls = make_typing(clock)
    made: list[int] = []
    for seconds in (0, FIRST / 2, FIRST / 2, 1, 14):
        clock.now += seconds
        typing.show(lambda: Reply.of("text"))
        made.append(len(calls.made))
    assert made == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("outcome", [Permanent("no"), RetryAfter(9), Transient("down"), ValueError()])
def test_a_sign_that_fails_is_none_of_the_handler(outcome: Any, clock: Clock) -> None:
    typing, calls = make_typing(clock)
    calls.outcomes = [outcome]
    typing.show(None)
    typing.show(None)
    assert len(calls.made) == 1


def test_no_sign_is_shown_by_a_worker_that_is_late(clock: Clock) -> None:
    typing, calls = make_typing(clock)
    typing.is_late = lambda: True
    typing.show(None)
    assert calls.made == []


# --- the end


MESSAGE = make_message()
IDS = ("card", "message")
ELSEWHERE = Destination(platform="feishu", app="demo", room_id="elsewhere")


def ends(*replies: Reply) -> list[tuple[str, tuple[str, ...]]]:
    return [(out.reply.op, out.draft_ids) for out in outgoing_of(MESSAGE, replies, IDS, NOW)]


def test_the_first_new_message_in_the_conversation_replaces_the_draft() -> None:
    new = Reply.of("done")
    others = replace(new, to=ELSEWHERE), replace(new, private=True), Reply(op="edit", target="m", segments=new.segments)
    assert ends(new) == [("send", IDS)]
    assert ends(*others, new, new) == [("send", ()), ("send", ()), ("edit", ()), ("send", IDS), ("send", ())]


def test_without_one_the_draft_is_removed() -> None:
    assert ends() == [("recall", IDS)]
    assert ends(Reply(op="react", emoji="👍")) == [("react", ()), ("recall", IDS)]


def test_without_a_draft_nothing_is_removed() -> None:
    assert outgoing_of(MESSAGE, (), (), NOW) == []


def test_an_apology_replaces_the_draft_too() -> None:
    for text, op in (("sorry", "send"), ("", "recall")):
        (apology,) = apology_of(MESSAGE, text, IDS, NOW)
        assert (apology.reply.op, apology.draft) == (op, IDS)
    assert apology_of(MESSAGE, "", (), NOW) == []


def test_the_draft_of_another_message_is_not_that_of_this_one() -> None:
    results = encode({draft_key(MESSAGE): ["card"]}).decode()
    assert draft_in(results, MESSAGE) == ("card",)
    assert draft_in(results, make_message("m2")) == ()
    assert draft_in("", MESSAGE) == ()
