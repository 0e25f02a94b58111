"""Clients of the HTTP channel that are connected get each reply once and in order, also if something fails."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any

import pytest

from parley.adapter import Position
from parley.engine.callback import Callback
from parley.engine.connections import Connections
from parley.engine.resuming import Resuming
from parley.journal.watchers import Watchers
from tools.faults import random_runs, scenarios, sockets
from tools.faults.findings import Findings
from tools.faults.gateway import Gateway
from tools.faults.policies import DEFAULT_RATES
from tools.faults.random_runs import Run
from tools.faults.renderings import Renderings, renderings_of
from tools.faults.scenarios import Scenario
from tools.faults.targets import titled

SOCKETS = titled("http sockets")
RUN = Run(seed=23, messages=120, conversations=12)


@cache
def renderings() -> Renderings:
    return renderings_of(SOCKETS)


def single_faults(command: str = "count", every: int = 1) -> Iterator[Findings]:
    """A message with each fault at each call, or with one of `every` of these."""
    for scenario in islice(scenarios.single_faults(SOCKETS, commands=(command,)), 0, None, every):
        yield scenarios.run(SOCKETS, scenario, renderings()).findings


def broken_runs() -> Iterator[Findings]:
    """Random runs, in which many calls fail."""
    rates = {fault: 2 * rate for fault, rate in DEFAULT_RATES.items()}
    for seed in range(1, 9):
        yield random_runs.run(replace(RUN, seed=seed, rates=rates), SOCKETS, renderings()).findings


@pytest.mark.parametrize("command", ["count", "press", "long", "late", "grow"])
def test_a_connected_client_gets_each_reply_once_with_any_single_fault(command: str) -> None:
    """One fault in seven. `make faults` tries all."""
    found = list(single_faults(command, every=7))
    assert len(found) > 40
    assert [each for each in found if not each.good] == []


def test_the_faults_hit_each_step_of_a_connection() -> None:
    calls = scenarios.calls(SOCKETS, Scenario("count", warm=False))
    # Ticket, handshake, `hello`, `open`, the message and the acknowledgement; and what comes on the connection.
    assert calls.count(sockets.RESPONSE) >= 6
    assert calls.count("PostToConnection") >= 4  # ready, opened, accepted, reply
    assert calls.count("DeleteItem") >= 1  # the ticket


def test_replies_that_were_announced_and_did_not_come_are_asked_for_again() -> None:
    # The function dies while it sends the last reply of all, so no later reply shows the client that one is missing.
    result = random_runs.run(
        Run(seed=988583, messages=60, conversations=6, merge=scenarios.MERGE), SOCKETS, renderings()
    )
    assert result.findings.good


def test_a_random_run_ends_many_connections_and_keeps_every_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    ends, lose = list[str](), Gateway.lose

    def recorded(self: Gateway, id_: str, **more: Any) -> None:
        ends.append(id_)
        lose(self, id_, **more)

    monkeypatch.setattr(Gateway, "lose", recorded)
    result = random_runs.run(RUN, SOCKETS, renderings())
    assert result.findings.good, result.findings
    assert len(set(ends)) > 30


def test_a_message_that_is_accepted_before_it_is_stored_is_lost_and_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    renderings()
    do, store = Connections._do, Callback.store

    def tells_first(self: Connections, connection: Any, action: Any, app: Any) -> Any:
        monkeypatch.setattr(Callback, "store", lambda *_: None)
        try:
            refused = do(self, connection, action, app)
        finally:
            monkeypatch.setattr(Callback, "store", store)
        return store(self.callback, action.accepted, app) if hasattr(action, "accepted") else refused

    monkeypatch.setattr(Connections, "_do", tells_first)
    assert any(found.lost for found in single_faults())


def test_a_connection_that_is_not_told_what_was_missed_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    renderings()

    def only_new(self: Resuming, conversation: str, person: str, after: int | None, now: float) -> Position:
        del person, after
        last = self.mailbox.span(conversation).last or self.mailbox.begin(conversation, now).last
        return Position(last, last)

    monkeypatch.setattr(Resuming, "position", only_new)
    assert any(found.lost for found in single_faults())


def test_an_acknowledgement_of_more_than_was_handled_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    renderings()
    acknowledged = Watchers.acknowledged

    def ahead(self: Watchers, conversation: str, person: str) -> int | None:
        found = acknowledged(self, conversation, person)
        return None if found is None else found + 1

    monkeypatch.setattr(Watchers, "acknowledged", ahead)
    assert any(found.lost for found in broken_runs())
