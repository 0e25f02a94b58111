"""The faults suite finds what is wrong: journals that are broken on purpose are caught, and the real one is not."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from parley.adapter import Permanent
from parley.engine import attempt, callback
from parley.engine.attempt import Attempt, Fallback, fallback_of
from parley.engine.passive_replies import PassiveReplies
from parley.journal.inbox import Inbox, Snapshot, State
from parley.journal.states import Replies
from parley.journal.table import message_pk, number, text
from parley.model import Message, Outgoing, message_key
from tools.faults import dice, scripted
from tools.faults.forms import Forms, forms_of
from tools.faults.oracle import Findings
from tools.faults.subjects import SUBJECTS, Subject
from tools.faults.trouble import USUAL, CallSite, Dice, Fault, Rates

SUBJECT = SUBJECTS[0]
RUN = dice.Run(seed=5, messages=150, conversations=15)


class MarksFirst(Inbox):
    """Marks a message as handled when it is taken up, and works later: what many frameworks do."""

    def open(self, message: Message) -> Snapshot:
        snapshot = Inbox.open(self, message)
        if snapshot.decided is None:
            mark = {"pk": text(message_pk(message_key(message))), "state": text("DECIDED"), "replies": number(0)}
            self.client.put_item(TableName=self.table, Item=mark)
        return snapshot

    def _decision(self, message: Message, replies: int, before: Replies, now: float) -> Any:
        decision: Any = Inbox._decision(self, message, replies, before, now)
        for name in ("ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"):
            decision["Put"].pop(name)
        return decision


class ForgetsClaims(Inbox):
    """Stores state and replies, and not that the message is handled."""

    def open(self, message: Message) -> Snapshot:
        snapshot = Inbox.open(self, message)
        return Snapshot(snapshot.state, snapshot.version, None)

    def decide(
        self, message: Message, snapshot: Snapshot, state: State, replies: Sequence[Outgoing], now: float
    ) -> None:
        self.client.delete_item(TableName=self.table, Key={"pk": text(message_pk(message_key(message)))})
        for out in replies:
            self.client.delete_item(TableName=self.table, Key={"pk": text(f"out#{out.id}")})
        Inbox.decide(self, message, snapshot, state, replies, now)


class DecidesInTwo(Inbox):
    """Stores the conversation's state and, a moment later, the decision: two writes where one transaction belongs."""

    def decide(
        self, message: Message, snapshot: Snapshot, state: State, replies: Sequence[Outgoing], now: float
    ) -> None:
        for item in self._memory(message, snapshot, state, replies, now):
            if "Put" in item:
                self.client.put_item(TableName=self.table, Item=item["Put"]["Item"])
        stored = Inbox.open(self, message)
        Inbox.decide(self, message, stored, stored.state, replies, now)


@cache
def forms() -> Forms:
    return forms_of(SUBJECT)


@cache
def forms_of_discord() -> Forms:
    return forms_of(DISCORD)


def crashes_of(inbox: type[Inbox]) -> Findings:
    """A plain message with each crash at each call."""
    found = Findings()
    for case in scripted.cases(SUBJECT, inbox, commands=("count",)):
        found.add(scripted.play(SUBJECT, case, forms(), inbox).findings)
    return found


def test_a_journal_that_marks_first_loses_messages_and_is_caught() -> None:
    assert crashes_of(MarksFirst).lost


def test_a_journal_that_forgets_its_claims_counts_messages_twice_and_is_caught() -> None:
    assert crashes_of(ForgetsClaims).out_of_order


def test_a_decision_in_two_writes_counts_twice_and_is_caught() -> None:
    assert crashes_of(DecidesInTwo).out_of_order


def test_the_real_journal_keeps_every_promise_at_every_call_of_a_plain_message() -> None:
    assert crashes_of(Inbox).good


DISCORD = next(subject for subject in SUBJECTS if subject.name == "discord")
ENDED_TOKENS = dice.Run(seed=12, messages=150, conversations=15)
"""A run in which tokens of interactions end before their answers, one of which may have been said."""


def test_interactions_of_discord_keep_every_promise_when_anything_fails_and_their_tokens_die() -> None:
    played = dice.play(ENDED_TOKENS, DISCORD, forms_of_discord())
    assert played.findings.good, played.findings
    assert sum(played.dice.thrown.values()) > 50


def test_a_deliverer_that_forgets_what_an_ended_token_may_have_said_says_it_twice_and_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forgets(job: Attempt, refused: Permanent) -> Fallback | None:
        job.unknown_since = None
        return fallback_of(job, refused)

    monkeypatch.setattr(attempt, "fallback_of", forgets)
    assert dice.play(ENDED_TOKENS, DISCORD, forms_of_discord()).findings.duplicated


def test_what_the_queue_has_and_the_callback_was_not_told_of_is_said_to_all() -> None:
    found = Findings()
    for case in scripted.untold(DISCORD):
        found.add(scripted.play(DISCORD, case, forms_of_discord()).findings)
    assert found.good, found


def test_words_that_stand_where_the_answer_belongs_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A callback that asks the person to try again, as the answer, and has stored the message all the same."""
    monkeypatch.setattr(callback, "definitely_failed", lambda _error: True)
    case = next(scripted.untold(DISCORD))
    assert scripted.play(DISCORD, case, forms_of_discord()).findings.lost


TENCENT = [subject for subject in SUBJECTS if subject.name in ("wecom", "wechat")]


@pytest.mark.parametrize("subject", TENCENT, ids=lambda subject: subject.title)
def test_platforms_without_keys_and_answers_within_callbacks_keep_every_promise(subject: Subject) -> None:
    played = dice.play(dice.Run(seed=1, messages=100, conversations=10), subject, forms_of(subject))
    assert played.findings.good, played.findings
    assert sum(played.dice.thrown.values()) > 50


@pytest.mark.parametrize("subject", TENCENT, ids=lambda subject: subject.title)
def test_a_journal_that_marks_first_is_caught_there_too(subject: Subject) -> None:
    run = dice.Run(seed=1, messages=100, conversations=10)
    assert dice.play(run, subject, forms_of(subject), MarksFirst).findings.lost


def test_an_answer_within_a_callback_that_waits_for_nothing_overtakes_and_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passive = next(subject for subject in SUBJECTS if subject.replies_passively)
    monkeypatch.setattr(PassiveReplies, "_is_turn", lambda *_: True)
    runs = (dice.Run(seed=seed, messages=200, conversations=20) for seed in range(1, 6))
    assert any(dice.play(run, passive, forms_of(passive)).findings.out_of_order for run in runs)


@pytest.mark.parametrize("inbox", [MarksFirst, ForgetsClaims])
def test_random_trouble_catches_a_broken_journal_too(inbox: type[Inbox]) -> None:
    assert not dice.play(RUN, SUBJECT, forms(), inbox).findings.good


def test_random_trouble_does_not_break_the_real_journal() -> None:
    played = dice.play(RUN, SUBJECT, forms())
    assert played.findings.good
    assert sum(played.dice.thrown.values()) > 50


DEADLY: Rates = {Fault.CRASH_BEFORE: 0.2, Fault.CRASH_AFTER: 0.2, Fault.LOST: 0.1}


def test_what_went_to_the_dead_letters_and_was_sent_back_is_handled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot's workers die so often that messages run out of attempts; the operator sends them back afterwards."""
    decide = Dice.decide

    def deadly_for_the_bot(policy: Dice, call: CallSite) -> Fault | None:
        policy.rates = {**USUAL, **DEADLY} if call.stage == "processor" else USUAL
        return decide(policy, call)

    monkeypatch.setattr(Dice, "decide", deadly_for_the_bot)
    found = dice.play(dice.Run(seed=2, messages=100, conversations=10), SUBJECT, forms()).findings
    assert found.parked
    assert found.good, found


def test_where_the_deliverers_workers_die_as_often_nothing_is_lost_or_said_twice() -> None:
    """Some replies take longer than the hour for which Feishu knows their keys, and end as UNKNOWN."""
    found = dice.play(dice.Run(seed=3, messages=100, conversations=10, rates=DEADLY), SUBJECT, forms()).findings
    assert found.parked
    assert (found.lost, found.duplicated, found.out_of_order, found.over_limit) == ([], [], [], [])


def test_a_seed_tells_everything_about_a_run() -> None:
    runs = [dice.play(RUN, SUBJECT, forms()) for _ in range(2)]
    first, second = ((played.findings, played.dice.thrown, played.world.clock.now) for played in runs)
    assert first == second
