"""The cases of NewChat. Attacks are signed by `cryptography`, not by Parley's code."""

# Next: Add a case for each ability that only NewChat has: threads, files, forms.

import time
import uuid
from dataclasses import replace
from functools import partial
from typing import Any

from playground.platforms.digests import flip_first_digit
from playground.platforms.model import Wire
from playground.platforms.newchat import wire
from tools.demo.case import Case
from tools.demo.client import PlatformClient, SentMessage
from tools.demo.common import CommonCases


class Newchat(CommonCases):
    """NewChat has groups, and a signature that covers the body."""

    def open(self, client: PlatformClient, text: str, **more: Any) -> SentMessage:
        """A message to the bot in a new group."""
        return client.send(client.group(), text, **more)

    def genuine(self, client: PlatformClient, where: SentMessage, age: float = 0) -> Wire:
        """A signed event."""
        event = wire.message(uuid.uuid4().hex, where.sender, where.sender, where.room, "/echo attack", time.time())
        return wire.signed(client.config["signing_secret"], event, time.time() - age)

    def resealed(self, client: PlatformClient, genuine: Wire, body: bytes) -> Wire:
        """With a new signature."""
        headers = wire.headers(client.config["signing_secret"], str(int(time.time())), body)
        return replace(genuine, headers=headers, body=body)

    def missigned(self, genuine: Wire) -> Wire:
        """With another first digit of the signature."""
        wrong = {wire.SIGNATURE: flip_first_digit(genuine.headers[wire.SIGNATURE])}
        return replace(genuine, headers={**genuine.headers, **wrong})


_CASES = Newchat()
CASES = (
    Case("verification of the URL", "200, accepted", _CASES.challenge),
    Case("text", "'你好, Parley'", _CASES.text),
    Case("card, and a press of its button", "card, 200, 'You chose coffee.'", _CASES.card_and_button),
    Case("one message three times, then another", "200 200; replies 1 then 2", _CASES.three_times),
    Case(
        "response of a send gets lost",
        "SENT after 2 calls: once, after",
        partial(_CASES.lost_response, path="/messages"),
    ),
    *_CASES.attacks(),
)
