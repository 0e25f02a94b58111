"""The mailboxes of the HTTP channel: whatever fails, each reply is there once, in the order in which it was pushed."""

from collections.abc import Iterator
from random import Random
from typing import Any, cast

import pytest

from parley.engine.aws import dynamodb
from parley.journal.mailbox import Mailbox
from parley.journal.rows import row_of
from parley.journal.states import Row
from parley.journal.table import reply_pk
from tools.faults import random_runs
from tools.faults.aws import isolated
from tools.faults.processes import TABLE
from tools.faults.random_runs import Run
from tools.faults.renderings import renderings_of
from tools.faults.simulation import Simulation
from tools.faults.targets import titled


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulation]:
    """A run in which any call can fail, and any process can die."""
    target = titled("http")
    with isolated():
        result = random_runs.run(Run(seed=21, messages=150, conversations=12), target, renderings_of(target))
        yield result.sim


def rows(sim: Simulation) -> list[Row]:
    items = sim.aws.dynamodb.items
    return [row_of(cast("Any", item)) for pk, item in items.items() if pk.startswith(reply_pk(""))]


def read(conversation: str, random: Random) -> list[str]:
    """The ids of the replies in a mailbox, read on from the cursor, each request twice as if its response were lost."""
    mailbox, found, cursor = Mailbox(dynamodb(), TABLE, 86_400), list[str](), 0
    span = mailbox.span(conversation)
    while cursor < span.last:
        # A client may read while replies come in.
        part = span._replace(last=random.randint(max(cursor, span.first), span.last))
        page, after = mailbox.read(conversation, part, cursor)
        assert mailbox.read(conversation, part, cursor) == (page, after)
        found += [out.id for out in page]
        cursor = max(after, cursor)
    return found


def test_each_reply_is_in_the_mailbox_of_its_conversation_once(sim: Simulation) -> None:
    expected: dict[str, set[str]] = {}
    for row in rows(sim):
        expected.setdefault(row.out.to.key, set()).add(row.out.id)
    found = {conversation: read(conversation, Random(3)) for conversation in expected}
    assert {key: set(ids) for key, ids in found.items()} == expected
    assert all(len(ids) == len(set(ids)) for ids in found.values())
    assert sum(map(len, found.values())) > 150


def test_the_order_of_a_mailbox_is_that_of_the_pushes(sim: Simulation) -> None:
    pushed = list(sim.platforms["http"].messages)
    for conversation in {row.out.to.key for row in rows(sim)}:
        there = [id_ for id_ in read(conversation, Random(4)) if id_ in pushed]
        assert there == sorted(there, key=pushed.index)
