"""A deliverer of a real platform whose API a test scripts."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from parley.adapter import Answer, App, Call, Unknown
from parley.engine import delivery
from parley.engine.aws import dynamodb
from parley.engine.calls import Calls
from parley.engine.delivery import Deliverer
from parley.engine.http import CallError
from parley.engine.rate_limiter import RateLimiter
from parley.engine.tokens import Tokens
from parley.errors import RetryAfter
from parley.journal.inbox import Inbox
from parley.journal.outbox import Outbox
from parley.journal.passive import DeferredReplies
from parley.journal.rows import row_of
from parley.journal.states import Row
from parley.journal.table import get, reply_pk
from parley.model import Destination, Outgoing, Reply, reply_id
from parley.model.codec import encode
from parley.platforms import outbound
from tests.conformance.kit import adapters
from tests.unit.conftest import Clock

ADAPTERS = adapters()
TOKENS = {"code": 0, "errcode": 0, "tenant_access_token": "t", "access_token": "t", "expire": 7200, "expires_in": 7200}
Script = Callable[[Call, int], Answer | None]
"""The answer to the n-th call, from 0. None: the call succeeds."""


def refusal(platform: str, code: int, status: int = 400, **more: Any) -> Answer:
    """The answer of the platform that refuses a call with `code`."""
    if platform in ("wecom", "wechat"):
        return Answer(200, json.dumps({"errcode": code, "errmsg": "no", **more}).encode())
    return Answer(status, json.dumps({"code": code, "msg": "no", "message": "no", **more}).encode())


class Scripted:
    """A deliverer whose calls, except token calls, are answered by `script`."""

    def __init__(
        self, platform: str, clock: Clock, patch: pytest.MonkeyPatch, script: Script, app: App | None = None
    ) -> None:
        self.platform, self.clock, self.script = platform, clock, script
        self.app = app or ADAPTERS[platform].app
        self.made: list[Call] = []
        self.refused: set[int] = set()
        """Positions in `made` of the calls that did not succeed."""
        limiter = RateLimiter(dynamodb(), "parley", clock, clock.sleep)
        tokens = Tokens(dynamodb(), "parley", clock, clock.sleep)
        calls = Calls(self, tokens, limiter, dynamodb(), "parley", clock)  # type: ignore[arg-type]
        outbox, deferred = Outbox(dynamodb(), "parley", 2), DeferredReplies(dynamodb(), "parley", 86_400)
        self.deliverer = Deliverer(outbox, deferred, calls, self, clock)  # type: ignore[arg-type]
        patch.setattr(delivery, "outbound", outbound)

    @property
    def names(self) -> list[str]:
        """The names of the calls."""
        return [call.name for call in self.made]

    def get(self, _platform: str, _name: str) -> App:
        """The app, as `Apps` returns it."""
        return self.app

    def perform(self, call: Call, token: str = "") -> Answer:
        """The platform's answer. A status of 0 means that it is lost, although the call has succeeded."""
        if call.name == "token":
            return Answer(200, json.dumps(TOKENS).encode())
        number = len(self.made)
        self.made.append(call)
        answer = self.script(call, number)
        if answer is None:
            return ADAPTERS[self.platform].receipt(call, number)
        if not answer.status:
            raise CallError(Unknown("the answer was lost"))
        self.refused.add(number)
        return answer

    def deliver(self, reply: Reply, *, ordinal: int = 0, **to: Any) -> Row:
        """The row of the reply when it is final."""
        out = Outgoing(
            id=reply_id("key", ordinal),
            message_key="key",
            ordinal=ordinal,
            to=Destination(platform=self.platform, app="demo", **to),
            reply=reply,
            created=self.clock.now,
        )
        Inbox(dynamodb(), "parley", 86_400).add(out, self.clock.now)
        record = {"body": encode(out).decode(), "messageId": "r", "attributes": {"ApproximateReceiveCount": "1"}}
        for _ in range(60):
            try:
                self.deliverer(record)
                return row_of(get(dynamodb(), "parley", reply_pk(out.id)))
            except RetryAfter as later:
                self.clock.now += max(later.seconds, 0.1)
        raise AssertionError("the reply never ends")


LOST = Answer(0)
"""The answer to a call is lost."""


def answered(**answers: list[Answer]) -> Script:
    """The n-th call of a name gets the n-th of these answers. All other calls succeed."""
    left = {name: iter(given) for name, given in answers.items()}
    return lambda call, _: next(left.get(call.name, iter(())), None)
