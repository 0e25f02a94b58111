"""Runs that last, and stops: one row for a conversation.

    RUNNING   a worker is at a message of the conversation. It writes this again and again.
    STOP      a person wants it to stop. A callback writes this, past the queue.
    STOPPED   a run has ended because of it. The decision on its message writes this.
    ANSWERED  the person was told so, or that nothing was stopped. The decision on the message that stops writes this.

`since` is the time of the message that runs, or that stops. A stop is for messages that were sent before it, so one
that is delivered again stops no later message.
"""

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from parley.journal import table as t
from parley.journal.table import get_text, run_pk
from parley.model import Conversation, Message

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_VALID = 60.0
"""Seconds after which a run that writes nothing is over. A worker that dies is replaced within them."""
_KEEP = 86_400
"""Seconds until the row expires."""


class RunState(StrEnum):
    """States of the row."""

    RUNNING = "RUNNING"
    STOP = "STOP"
    STOPPED = "STOPPED"
    ANSWERED = "ANSWERED"


class Runs(msgspec.Struct):
    """The rows in the table `table`."""

    client: "DynamoDBClient"
    table: str

    def go_on(self, message: Message, now: float) -> bool:
        """Record that a worker is at `message`. False if it has to stop. Raises AwsError."""
        request = t.update(
            self.table,
            _pk(message),
            "SET #state = :running, #since = :sent, #lease_until = :until, #ttl = :ttl",
            f"{t.ABSENT} OR #state = :running OR #state = :answered OR #since < :sent",
            running=RunState.RUNNING,
            answered=RunState.ANSWERED,
            sent=message.timestamp,
            until=now + _VALID,
            ttl=int(now + _KEEP),
        )
        try:
            self.client.update_item(**request)
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def stop(self, message: Message, now: float) -> None:
        """Stop the run of an earlier message of the conversation of `message`, also one that has not been recorded yet:
        it is, when it has lasted some seconds. Raises AwsError.
        """
        request = t.update(
            self.table,
            _pk(message),
            "SET #state = :stop, #since = :sent, #ttl = :ttl",
            # One that is answered has been here before. One that has STOPPED a run is to be answered first.
            f"{t.ABSENT} OR (#since <= :sent AND #state <> :stopped AND (#since < :sent OR #state <> :answered))",
            stop=RunState.STOP,
            stopped=RunState.STOPPED,
            answered=RunState.ANSWERED,
            sent=message.timestamp,
            ttl=int(now + _KEEP),
        )
        try:
            self.client.update_item(**request)
        except self.client.exceptions.ConditionalCheckFailedException:
            return  # this stop, or a later one, is there already

    def is_stopped(self, message: Message) -> bool:
        """Whether a run has ended because of a stop that nobody has answered. Raises AwsError."""
        item = t.get(self.client, self.table, _pk(message))
        return get_text(item, "state") == RunState.STOPPED


def ended(table: str, message: Message, state: RunState, now: float) -> "TransactWriteItemTypeDef":
    """Part of the decision on `message`: its run has STOPPED, or it has stopped one, and the person is ANSWERED."""
    change = "SET #state = :state, #since = if_not_exists(#since, :sent), #ttl = :ttl"
    ttl = int(now + _KEEP)
    return {"Update": t.update(table, _pk(message), change, state=state, sent=message.timestamp, ttl=ttl)}


def _pk(message: Message) -> str:
    return run_pk(Conversation.of(message).key)
