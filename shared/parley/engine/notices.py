"""Notices: frames for the clients that watch a conversation, right after a reply is in its mailbox.

A notice is best effort, and takes seconds at most. The mailbox has the reply: a client that misses a number reads on
from the last one that it has. A connection that takes no notice is ended, so that its client connects again.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from parley.adapter import SupportsNotices
from parley.engine import telemetry
from parley.engine.aws import AwsError, dynamodb, error_code, pushes, setting, sqs
from parley.engine.copies import with_addresses
from parley.engine.telemetry import log
from parley.journal.watchers import TCP, WEBSOCKET, Watcher, Watchers
from parley.model import Outgoing, person_key

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

SECONDS = 3.0
"""Seconds for all notices of a reply. Connections that are left then get none."""
_TRIES = 3
_PAUSE = 0.1
"""Seconds until the second try; the third one waits for twice that."""
NO_QUEUE = frozenset({"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"})
"""The error codes of a request to a queue that is deleted."""


class Pushes(msgspec.Struct):
    """Writes to WebSockets. `client`: that of API Gateway's `apigatewaymanagementapi`."""

    client: Any
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def push(self, connection: str, data: bytes, until: float) -> bool:
        """Send one frame, by the unix second `until`. False if the connection has ended, or is ended because it takes
        no frame.
        """
        for attempt in range(_TRIES):
            try:
                self.client.post_to_connection(ConnectionId=connection, Data=data)
            except self.client.exceptions.GoneException:
                return False
            except AwsError as error:
                pause = _PAUSE * 2**attempt
                if attempt + 1 < _TRIES and self.clock() + pause < until:
                    self.sleep(pause)
                    continue
                telemetry.count("NoticesFailed")
                log.warning("notice not sent", extra={"error": error_code(error)})
                break
            else:
                return True
        self.end(connection)
        return False

    def end(self, connection: str) -> None:
        """End a connection. It is best effort."""
        try:
            self.client.delete_connection(ConnectionId=connection)
        except AwsError as error:
            log.info("connection not ended", extra={"error": error_code(error)})


class Notices(msgspec.Struct):
    """Notifies the watchers of conversations. `pushes` and `queues`: make what is needed if there are watchers.

    `at_once`: frames that are sent at the same time.
    """

    watchers: Watchers
    pushes: "Callable[[], Pushes]"
    queues: "Callable[[], SQSClient]" = sqs
    clock: Callable[[], float] = time.time
    at_once: int = 16

    def send(self, platform: SupportsNotices, out: Outgoing, number: int | None) -> None:
        """Notify those that watch the conversation of `out`; see `SupportsNotices.notice`. Raises AwsError if they are
        not known.
        """
        conversation, now = out.to.key, self.clock()
        watching = self.watchers.watching(conversation, now)
        sockets = [each for each in watching if each.address.startswith(WEBSOCKET)]
        dead = self._enqueue((each for each in watching if each.address.startswith(TCP)), conversation, number)
        self.watchers.forget(conversation, dead)
        if not sockets:
            return
        person = person_key(out.to.platform, out.to.app, out.to.user_id)
        out = with_addresses(out, platform)
        frames = {visible: platform.notice(out, number, visible=visible) for visible in (True, False)}
        pairs = [(each, frames[not out.reply.private or each.person == person]) for each in sockets]
        gone = self._push(pairs, now + SECONDS)
        self.watchers.forget(conversation, gone)

    def _push(self, pairs: Sequence[tuple[Watcher, bytes]], until: float) -> list[Watcher]:
        """Push each frame. Returns the watchers that have ended."""
        pushes = self.pushes()

        def push(pair: tuple[Watcher, bytes]) -> bool:
            watcher, frame = pair
            if self.clock() >= until:
                telemetry.count("NoticesFailed")
                return True
            return pushes.push(watcher.address.removeprefix(WEBSOCKET), frame, until)

        if min(len(pairs), self.at_once) == 1:
            done = [push(pair) for pair in pairs]
        else:
            with ThreadPoolExecutor(self.at_once) as pool:
                done = list(pool.map(push, pairs))
        return [watcher for (watcher, _frame), sent in zip(pairs, done, strict=True) if not sent]

    def _enqueue(self, watchers: Iterable[Watcher], conversation: str, number: int | None) -> list[Watcher]:
        """Name the reply to the connectors. Each reads it from the mailbox. Returns those whose queue is gone."""
        gone: list[Watcher] = []
        body = msgspec.json.encode({"conversation": conversation, "number": number}).decode()
        for watcher in watchers:
            try:
                self.queues().send_message(QueueUrl=_url(watcher.address.removeprefix(TCP)), MessageBody=body)
            except AwsError as error:
                if error_code(error) in NO_QUEUE:
                    gone.append(watcher)
                    continue
                telemetry.count("NoticesFailed")
                log.warning("notice not queued", extra={"error": error_code(error)})
        return gone


def _url(queue: str) -> str:
    """The address of a queue of this deployment, beside that of the messages."""
    return f"{setting('INBOUND_URL').rpartition('/')[0]}/{queue}"


def notices(clock: Callable[[], float] = time.time) -> Notices:
    """The notices of this process."""
    keep_for = float(setting("RETENTION_DAYS", "30")) * 86_400
    return Notices(Watchers(dynamodb(), setting("TABLE"), keep_for), lambda: Pushes(pushes(), clock), clock=clock)
