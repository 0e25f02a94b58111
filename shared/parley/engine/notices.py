"""Notices: frames for the clients that watch a conversation, right after a reply is in its mailbox.

A notice is best effort, and takes seconds at most. The mailbox has the reply: a client that misses a number reads on
from the last one that it has. A connection that takes no notice is ended, so that its client connects again.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from parley.adapter import SupportsNotices
from parley.engine import telemetry
from parley.engine.aws import AwsError, dynamodb, error_code, notice_queues, pushes, setting
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
        no frame. One that can be neither written to nor ended gets the next frame, whose number shows what it lacks.
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
        return not self.end(connection)

    def end(self, connection: str) -> bool:
        """End a connection. It is best effort. False if it may still be there."""
        try:
            self.client.delete_connection(ConnectionId=connection)
        except self.client.exceptions.GoneException:
            return True
        except AwsError as error:
            log.info("connection not ended", extra={"error": error_code(error)})
            return False
        return True


class Notices(msgspec.Struct):
    """Notifies the watchers of conversations. `pushes` and `queues`: make what is needed if there are watchers.

    `at_once`: notices that are sent at the same time.
    """

    watchers: Watchers
    pushes: "Callable[[], Pushes]"
    queues: "Callable[[], SQSClient]" = notice_queues
    clock: Callable[[], float] = time.time
    at_once: int = 16

    def send(self, platform: SupportsNotices, out: Outgoing, number: int | None) -> None:
        """Notify those that watch the conversation of `out`; see `SupportsNotices.notice`. Raises AwsError if they are
        not known.
        """
        conversation, now = out.to.key, self.clock()
        watching = self.watchers.watching(conversation, now)
        # WebSockets first: they need no other service. A slow queue keeps no notice from them.
        steps = [
            *self._to_sockets([each for each in watching if each.address.startswith(WEBSOCKET)], platform, out, number),
            *self._to_queues([each for each in watching if each.address.startswith(TCP)], conversation, number),
        ]
        self.watchers.forget(conversation, self._carry_out(steps, now + SECONDS))

    def _carry_out(self, steps: "Sequence[_Step]", until: float) -> list[Watcher]:
        """Take the steps that can begin in time. Returns the watchers that have ended."""

        def take(step: _Step) -> bool:
            if self.clock() >= until:
                telemetry.count("NoticesFailed")
                return True
            return step.notify(until)

        if min(len(steps), self.at_once) <= 1:
            taken = [take(step) for step in steps]
        else:
            with ThreadPoolExecutor(self.at_once) as pool:
                taken = list(pool.map(take, steps))
        return [step.watcher for step, is_there in zip(steps, taken, strict=True) if not is_there]

    def _to_sockets(
        self, sockets: Sequence[Watcher], platform: SupportsNotices, out: Outgoing, number: int | None
    ) -> "list[_Step]":
        if not sockets:
            return []
        pushes, person = self.pushes(), person_key(out.to.platform, out.to.app, out.to.user_id)
        out = with_addresses(out, platform)
        frames = {visible: platform.notice(out, number, visible=visible) for visible in (True, False)}

        def step(watcher: Watcher) -> _Step:
            frame = frames[not out.reply.private or watcher.person == person]
            return _Step(watcher, partial(pushes.push, watcher.address.removeprefix(WEBSOCKET), frame))

        return [step(watcher) for watcher in sockets]

    def _to_queues(self, queues: Sequence[Watcher], conversation: str, number: int | None) -> "list[_Step]":
        """Name the reply to the connectors. Each reads it from the mailbox."""
        if not queues:
            return []
        client = self.queues()
        body = msgspec.json.encode({"conversation": conversation, "number": number}).decode()
        return [_Step(each, partial(_enqueue, client, each.address.removeprefix(TCP), body)) for each in queues]


class _Step(NamedTuple):
    """The notice of one watcher. `notify`: sends it by a unix second; False if the watcher has ended."""

    watcher: Watcher
    notify: Callable[[float], bool]


def _enqueue(client: "SQSClient", queue: str, body: str, _until: float) -> bool:
    """Send `body` to a connector. False if its queue is deleted."""
    try:
        client.send_message(QueueUrl=_url(queue), MessageBody=body)
    except AwsError as error:
        if error_code(error) in NO_QUEUE:
            return False
        telemetry.count("NoticesFailed")
        log.warning("notice not queued", extra={"error": error_code(error)})
    return True


def _url(queue: str) -> str:
    """The address of a queue of this deployment, beside that of the messages."""
    return f"{setting('INBOUND_URL').rpartition('/')[0]}/{queue}"


def notices(clock: Callable[[], float] = time.time) -> Notices:
    """The notices of this process."""
    keep_for = float(setting("RETENTION_DAYS", "30")) * 86_400
    return Notices(Watchers(dynamodb(), setting("TABLE"), keep_for), lambda: Pushes(pushes(), clock), clock=clock)
