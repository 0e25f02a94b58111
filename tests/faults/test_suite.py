"""The faults suite detects defects: code that is broken on purpose fails the check, and the real code passes it."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import count, islice
from typing import Any

import pytest

from parley.adapter import Permanent
from parley.bot import open_dialogues
from parley.bot.offers import Commands
from parley.bot.once import Results
from parley.bot.reminders import Reminders
from parley.engine import attempt, callback, processor, queues, undelivered
from parley.engine.attempt import Attempt, Fallback, fallback_of
from parley.engine.aws import dynamodb
from parley.engine.direct import Direct
from parley.engine.passive_replies import PassiveReplies
from parley.engine.timekeeper import Timekeeper
from parley.journal.inbox import Decision, Inbox, Snapshot
from parley.journal.passive import Callbacks
from parley.journal.table import message_pk, number, text, timer_pk
from parley.model import AnyMedia, Message, message_key
from parley.platforms.wecom_bot import outbound as smart_bots
from tools.faults import random_runs, scenarios
from tools.faults.model import CALL
from tools.faults.oracle import Findings
from tools.faults.policies import DEFAULT_RATES, CallSite, Fault, RandomFaults, Rates
from tools.faults.random_runs import Run
from tools.faults.renderings import Renderings, renderings_of
from tools.faults.scenarios import Scenario
from tools.faults.targets import TARGETS, Target, titled

FEISHU, DISCORD, WECOM = titled("feishu"), titled("discord"), titled("wecom")
POLLING = next(target for target in TARGETS if target.polls)
TENCENT = [target for target in TARGETS if target.name in ("wecom", "wechat")]
RUN = Run(seed=5, messages=150, conversations=15)


class MarksFirst(Inbox):
    """Marks a message as handled before its work is done, as many frameworks do."""

    def open(self, message: Message) -> Snapshot:
        snapshot = Inbox.open(self, message)
        if snapshot.decided is None:
            mark = {"pk": text(message_pk(message_key(message))), "state": text("DECIDED"), "replies": number(0)}
            self.client.put_item(TableName=self.table, Item=mark)
        return snapshot

    def _decision(self, message: Message, decision: Decision, snapshot: Snapshot, now: float) -> Any:
        item: Any = Inbox._decision(self, message, decision, snapshot, now)
        for name in ("ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"):
            item["Put"].pop(name)
        return item


class ForgetsClaims(Inbox):
    """Stores state and replies, but not that the message is handled."""

    def open(self, message: Message) -> Snapshot:
        snapshot = Inbox.open(self, message)
        return Snapshot(snapshot.memory, None)

    def _commit(self, items: Any) -> None:
        for put in (item["Put"]["Item"] for item in items if "Put" in item):
            if put["pk"]["S"].startswith(("in#", "out#")):
                self.client.delete_item(TableName=self.table, Key={"pk": put["pk"]})
        Inbox._commit(self, items)


class DecidesInTwo(Inbox):
    """Stores the conversation's state and then the decision: two writes instead of one transaction."""

    def _commit(self, items: Any) -> None:
        puts = [item for item in items if "Put" in item]
        states = [item for item in puts if item["Put"]["Item"]["pk"]["S"].startswith(("conv#", "user#", "shared#"))]
        for item in states:
            self.client.put_item(TableName=self.table, Item=item["Put"]["Item"])
        Inbox._commit(self, [item for item in items if item not in states])


class OverwritesStates(Inbox):
    """Stores states without the condition that nobody has changed them meanwhile."""

    def _commit(self, items: Any) -> None:
        for put in (item["Put"] for item in items if "Put" in item):
            if put["Item"]["pk"]["S"].startswith(("user#", "shared#")):
                for name in ("ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"):
                    put.pop(name, None)
        Inbox._commit(self, items)


@cache
def _renderings(title: str) -> Renderings:
    return renderings_of(titled(title))


def renderings(target: Target) -> Renderings:
    return _renderings(target.title)


def random_run(parameters: Run, target: Target = FEISHU, inbox: type[Inbox] = Inbox) -> random_runs.RunResult:
    return random_runs.run(parameters, target, renderings(target), inbox)


def single_faults(inbox: type[Inbox], command: str = "count", target: Target = FEISHU) -> Iterator[Findings]:
    """A message with each fault at each call: what is found, run by run."""
    for scenario in scenarios.single_faults(target, inbox, commands=(command,)):
        yield scenarios.run(target, scenario, renderings(target), inbox).findings


def test_a_journal_that_marks_first_loses_messages_and_is_detected() -> None:
    assert any(found.lost for found in single_faults(MarksFirst))


def test_a_journal_that_forgets_its_claims_counts_messages_twice_and_is_detected() -> None:
    assert any(found.out_of_order for found in single_faults(ForgetsClaims))


def test_a_decision_in_two_writes_counts_twice_and_is_detected() -> None:
    assert any(found.out_of_order for found in single_faults(DecidesInTwo))


def test_states_of_people_that_are_stored_before_the_decision_count_twice_and_are_detected() -> None:
    assert any(found.out_of_order for found in single_faults(DecidesInTwo, "pay"))


def test_quotas_that_count_before_the_decision_count_twice_and_are_detected() -> None:
    assert any(found.out_of_order for found in single_faults(DecidesInTwo, "limited"))


def test_a_number_that_counts_as_two_presses_is_detected() -> None:
    assert any(found.out_of_order for found in single_faults(DecidesInTwo, "numbered", WECOM))


def test_a_pairing_code_that_two_persons_use_at_once_is_detected() -> None:
    assert any(found.duplicated for found in single_faults(OverwritesStates, "redeem", WECOM))


class ForgetsResults(Inbox):
    """Does not store the results of calls outside, and their idempotency keys are new in each attempt."""

    def record(self, message: Message, before: str, results: str, now: float) -> None:
        """Forget them."""


def test_a_journal_that_forgets_the_results_of_outside_calls_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count()
    monkeypatch.setattr(Results, "idempotency_key", lambda *_: str(next(numbers)))
    assert any(found.duplicated for found in single_faults(ForgetsResults, "pay"))


def test_a_timekeeper_that_records_before_it_sends_loses_reminders_and_is_detected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send = queues.send_together

    def forget_then_send(messages: Sequence[Message]) -> dict[int, str]:
        for message in messages:
            key = {"pk": text(timer_pk(message.id.rpartition("@")[0]))}
            dynamodb().delete_item(TableName="parley", Key=key)
        return send(messages)

    monkeypatch.setattr(queues, "send_together", forget_then_send)
    assert any(found.lost for found in single_faults(Inbox, "reminded"))


def test_schedules_that_a_new_version_does_not_set_are_lost_and_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    renderings(FEISHU)
    monkeypatch.setattr(Timekeeper, "set_schedules", lambda _self: None)
    found = scenarios.run(FEISHU, Scenario("scheduled", warm=True), renderings(FEISHU)).findings
    assert found.lost


def test_an_approval_that_stays_open_after_the_last_failure_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    renderings(FEISHU)
    monkeypatch.setattr(open_dialogues, "failure_of", lambda *_: None)
    assert any(found.lost for found in single_faults(Inbox, "ended"))


def test_an_approval_that_nobody_sees_and_that_goes_on_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    renderings(FEISHU)
    monkeypatch.setattr(undelivered, "end_approval", lambda *_: None)
    assert any(found.lost for found in single_faults(Inbox, "unshown"))


def test_a_dialogue_that_ends_once_for_each_failure_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message that ends it has another id each time, and nothing asks whether the dialogue is still open."""
    renderings(FEISHU)
    numbers, build = count(), processor.ending
    monkeypatch.setattr(processor, "ending", lambda message, id_, *more: build(message, f"{id_}{next(numbers)}", *more))
    monkeypatch.setattr(Reminders, "end", lambda *_: None)
    every = scenarios.single_faults(FEISHU, commands=("ended",))
    crashes = (each for each in every if each.faults[0][1] is Fault.CRASH_AFTER)
    assert any(scenarios.run(FEISHU, each, renderings(FEISHU)).findings.duplicated for each in crashes)


@pytest.mark.parametrize("command", ["count", "pay", "remind", "reminded", "scheduled", "limited", "redeem", "minutes"])
def test_the_real_journal_keeps_every_promise_with_any_single_fault(command: str) -> None:
    assert [found for found in single_faults(Inbox, command) if not found.good] == []


@pytest.mark.parametrize("command", ["ended", "unshown"])
def test_a_dialogue_that_cannot_go_on_ends_once_with_any_single_fault(command: str) -> None:
    """One fault in nine: they are many. `make faults` tries all."""
    some = islice(scenarios.single_faults(FEISHU, commands=(command,)), 0, None, 9)
    found = [scenarios.run(FEISHU, scenario, renderings(FEISHU)).findings for scenario in some]
    assert [each for each in found if not each.good] == []


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.title)
@pytest.mark.parametrize("command", ["ended", "unshown"])
def test_a_dialogue_that_cannot_go_on_ends_on_every_platform(target: Target, command: str) -> None:
    if command not in target.all_commands:
        pytest.skip("its card waits for a person who does not exist")
    assert scenarios.run(target, scenarios.Scenario(command, warm=True), renderings(target)).findings.good


EVERYWHERE = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.title)


@EVERYWHERE
@pytest.mark.parametrize("command", ["consult", "entrust", "entrusted"])
def test_an_agent_that_dies_at_any_step_is_paid_once_and_answers_once(command: str, target: Target) -> None:
    """Before each call of the model, each record of an answer and of a result, the approval and the decision. That is
    also after the call before. `make faults` tries the other faults.
    """
    for scenario in scenarios.single_faults(target, commands=(command,)):
        if scenario.warm and scenario.faults[0][1] is Fault.CRASH_BEFORE:
            assert scenarios.run(target, scenario, renderings(target)).findings.good, scenario


def test_the_faults_hit_each_step_of_an_agent() -> None:
    for command, expected in (("consult", 2), ("entrust", 1), ("entrusted", 1)):
        calls = scenarios.calls(FEISHU, scenarios.Scenario(command, warm=True))
        # Around each call of the model there are calls of AWS: before it, and the record of its answer after it. The
        # text so far may need the configuration of the app before.
        assert calls.count(CALL) == expected
        rest = [calls[at + 1 :] for at, call in enumerate(calls) if call == CALL]
        assert [next(each for each in after if each != "GetParameter") for after in rest] == ["UpdateItem"] * expected


def test_an_agent_that_forgets_its_answers_pays_twice_and_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count()
    monkeypatch.setattr(Results, "idempotency_key", lambda *_: str(next(numbers)))
    found = [each for each in single_faults(ForgetsResults, "consult") if not each.good]
    assert any("calls of the model" in text for each in found for text in each.duplicated)


def test_tokens_that_are_counted_before_the_decision_count_twice_and_are_detected() -> None:
    found = [each for each in single_faults(DecidesInTwo, "consult") if not each.good]
    assert any("tokens" in text for each in found for text in each.out_of_order)


def test_an_agent_that_runs_a_command_without_the_approval_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Commands, "approval", lambda *_: None)
    scenario = scenarios.Scenario("entrust", warm=True)
    assert not scenarios.run(FEISHU, scenario, renderings(FEISHU)).findings.good


@pytest.mark.parametrize("command", ["redeem", "numbered"])
def test_it_keeps_them_where_two_persons_write_at_once_and_numbers_are_presses(command: str) -> None:
    assert [found for found in single_faults(Inbox, command, WECOM) if not found.good] == []


EXPIRED_TOKENS = Run(seed=12, messages=150, conversations=15)
"""A run in which interaction tokens expire before the replies. One of these replies has an unknown outcome."""


def test_discord_keeps_every_promise_with_random_faults_and_expired_interaction_tokens() -> None:
    result = random_run(EXPIRED_TOKENS, DISCORD)
    assert result.findings.good, result.findings
    assert sum(result.faults.injected.values()) > 50


def test_a_deliverer_that_forgets_an_unknown_outcome_sends_twice_and_is_detected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forgets(sending: Attempt, refused: Permanent, media: AnyMedia | None) -> Fallback | None:
        sending.unknown_since = None
        return fallback_of(sending, refused, media)

    monkeypatch.setattr(attempt, "fallback_of", forgets)
    runs = (replace(EXPIRED_TOKENS, seed=seed) for seed in range(7, 80))
    assert any(random_run(run, DISCORD).findings.duplicated for run in runs)


def test_a_message_that_sqs_stored_in_a_failed_attempt_is_handled() -> None:
    found = Findings()
    for scenario in scenarios.failed_stores(DISCORD):
        found.add(scenarios.run(DISCORD, scenario, renderings(DISCORD)).findings)
    assert found.good, found


def test_an_error_message_in_place_of_the_reply_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    """The callback asks the person to try again although SQS has stored the message."""
    monkeypatch.setattr(callback, "definitely_failed", lambda _error: True)
    scenario = next(scenarios.failed_stores(DISCORD))
    assert scenarios.run(DISCORD, scenario, renderings(DISCORD)).findings.lost


@pytest.mark.parametrize("target", TENCENT, ids=lambda target: target.title)
def test_platforms_without_idempotency_keys_and_passive_replies_keep_every_promise(target: Target) -> None:
    result = random_run(Run(seed=1, messages=100, conversations=10), target)
    assert result.findings.good, result.findings
    assert sum(result.faults.injected.values()) > 50


@pytest.mark.parametrize("target", TENCENT, ids=lambda target: target.title)
def test_a_journal_that_marks_first_is_detected_there_too(target: Target) -> None:
    assert random_run(Run(seed=1, messages=100, conversations=10), target, MarksFirst).findings.lost


def test_a_passive_reply_that_does_not_wait_for_earlier_replies_is_detected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passive = next(target for target in TARGETS if target.replies_passively)
    monkeypatch.setattr(PassiveReplies, "_is_turn", lambda *_: True)
    runs = (Run(seed=seed, messages=200, conversations=20) for seed in range(1, 6))
    assert any(random_run(run, passive).findings.out_of_order for run in runs)


@pytest.mark.parametrize("command", ["photo", "press"])
def test_a_platform_that_polls_keeps_every_promise_with_any_single_fault(command: str) -> None:
    assert [found for found in single_faults(Inbox, command, POLLING) if not found.good] == []


def test_an_answer_to_a_poll_that_is_not_recorded_is_given_twice_and_is_detected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Callbacks, "commit", lambda *_: None)
    assert any(found.duplicated for found in single_faults(Inbox, "count", POLLING))


def test_a_poll_that_does_not_wait_for_earlier_replies_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PassiveReplies, "_is_turn", lambda *_: True)
    runs = (Run(seed=seed, messages=200, conversations=20) for seed in range(1, 6))
    assert any(random_run(run, POLLING).findings.out_of_order for run in runs)


def test_a_card_that_is_closed_late_with_the_one_message_of_the_press_is_detected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    renderings(POLLING)  # observed without the defect
    monkeypatch.setattr(smart_bots, "_closes_card", lambda _out: False)
    assert any(found.lost for found in single_faults(Inbox, "approved", POLLING))


def test_a_processor_that_delivers_past_the_replies_in_the_queue_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Direct, "_is_waiting", lambda *_: False)
    runs = (Run(seed=seed, messages=200, conversations=10) for seed in range(1, 6))
    assert any(random_run(run).findings.out_of_order for run in runs)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.title)
@pytest.mark.parametrize("at_once", [True, False])
def test_replies_are_delivered_at_once_unless_it_is_switched_off(
    monkeypatch: pytest.MonkeyPatch, target: Target, *, at_once: bool
) -> None:
    """Passive replies, which callbacks may carry, take the queue."""
    monkeypatch.setenv("PARLEY_DELIVER_AT_ONCE", str(at_once).lower())
    scenario = scenarios.Scenario("count", warm=True)
    result = scenarios.run(target, scenario, renderings(target))
    assert result.findings.good
    assert bool(result.sim.outbound.accepted) is not (at_once and not (target.replies_passively or target.polls))


@pytest.mark.parametrize("inbox", [MarksFirst, ForgetsClaims])
def test_a_random_run_detects_a_broken_journal(inbox: type[Inbox]) -> None:
    assert not random_run(RUN, inbox=inbox).findings.good


def test_the_real_journal_keeps_every_promise_in_a_random_run() -> None:
    result = random_run(RUN)
    assert result.findings.good
    assert sum(result.faults.injected.values()) > 50


DEADLY: Rates = {Fault.CRASH_BEFORE: 0.2, Fault.CRASH_AFTER: 0.2, Fault.RESPONSE_LOST: 0.1}


def test_redriven_dead_letters_are_handled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor crashes so often that messages run out of attempts. The operator sends them back afterwards."""
    decide = RandomFaults.decide

    def deadly_for_the_processor(policy: RandomFaults, call: CallSite) -> Fault | None:
        policy.rates = {**DEFAULT_RATES, **DEADLY} if call.stage == "processor" else DEFAULT_RATES
        return decide(policy, call)

    monkeypatch.setattr(RandomFaults, "decide", deadly_for_the_processor)
    found = random_run(Run(seed=2, messages=100, conversations=10)).findings
    assert found.redriven
    assert found.good, found


def test_dead_letters_are_sent_back_before_a_right_to_answer_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model kills its workers, so messages run out of attempts. People write for more than an hour."""
    calls = count()

    def deadly_at_first(_policy: RandomFaults, call: CallSite) -> Fault | None:
        return Fault.CRASH_BEFORE if call.kind == CALL and next(calls) < 20 else None

    monkeypatch.setattr(RandomFaults, "decide", deadly_at_first)
    monkeypatch.setattr(random_runs, "_COMMANDS", {"count": 1, "consult": 1})
    monkeypatch.setattr(random_runs, "_MESSAGES_PER_SECOND_PASSIVE", 0.01)
    [polled] = (target for target in TARGETS if target.title == "wecom_bot")
    found = random_run(Run(seed=1, messages=60, conversations=10), polled).findings
    assert found.redriven
    assert found.good, found


def test_nothing_is_lost_or_duplicated_if_all_functions_crash_as_often() -> None:
    """Some replies take longer than the hour for which Feishu keeps idempotency keys, and end as UNKNOWN."""
    found = random_run(Run(seed=1, messages=100, conversations=10, rates=DEADLY)).findings
    assert found.redriven
    assert (found.lost, found.duplicated, found.out_of_order, found.over_limit) == ([], [], [], [])


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.title)
def test_a_seed_determines_a_run(monkeypatch: pytest.MonkeyPatch, target: Target) -> None:
    """Each command is as frequent as the others. Nothing draws from Python's own generator."""
    monkeypatch.setattr(random_runs, "_COMMANDS", dict.fromkeys(random_runs._COMMANDS, 1))
    results: list[random_runs.RunResult] = []
    for own in range(2):
        random.seed(own)
        before = random.getstate()
        results.append(random_run(Run(seed=5, messages=100, conversations=15), target))
        assert random.getstate() == before
    first, second = ((result.findings, result.faults.injected, result.sim.clock.now) for result in results)
    assert first == second


def test_an_answer_that_people_see_growing_has_a_right_rendering_of_its_own() -> None:
    for command, ordinal in (("consult", 0), ("entrusted", 1)):
        assert len(renderings(FEISHU)[command][ordinal]) > 1
