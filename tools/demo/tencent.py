"""The cases that WeCom and WeChat share. Attacks are encrypted by `cryptography`, as the simulated platforms do it, not
by Parley's code.
"""

import time
import uuid
from dataclasses import replace
from functools import partial
from typing import Any

from playground.platforms.digests import flip_first_digit
from playground.platforms.model import Wire
from playground.platforms.tencent import Tencent, wire
from tools.demo.case import Case, Outcome
from tools.demo.client import PlatformClient, SentMessage
from tools.demo.common import CommonCases, fault, reply_to

_BOMB = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>'


class TencentCases(CommonCases):
    """WeCom and WeChat have direct chats only, XML envelopes, and signatures in the query."""

    def __init__(self, imitation: type[Tencent], *, keep_query: bool) -> None:
        self.imitation = imitation
        self.keep_query = keep_query
        """Whether a plain body keeps the query of an encrypted one."""

    def open(self, client: PlatformClient, text: str, **more: Any) -> SentMessage:
        """A message from a new person."""
        return client.send("private", text, f"demo{uuid.uuid4().hex[:8]}", **more)

    def genuine(self, client: PlatformClient, where: SentMessage, age: float = 0) -> Wire:
        """An encrypted text."""
        imitation = self._simulated(client)
        return imitation.callback(imitation.account(client.app), self._fields(client, where), time.time() - age)

    def resealed(self, client: PlatformClient, genuine: Wire, body: bytes) -> Wire:
        """With the same signature: it covers the encrypted text, not the body."""
        del client
        return replace(genuine, body=body)

    def missigned(self, genuine: Wire) -> Wire:
        """With another first digit of the signature."""
        return replace(
            genuine, query={**genuine.query, "msg_signature": flip_first_digit(genuine.query["msg_signature"])}
        )

    def text(self, client: PlatformClient) -> Outcome:
        """A message to the app."""
        return reply_to(client, self.open(client, "/echo 你好, Parley"))

    def image(self, client: PlatformClient) -> Outcome:
        """A picture."""
        return reply_to(client, self.open(client, "", image=True))

    def token_expired(self, client: PlatformClient) -> Outcome:
        """The platform revokes the access token early."""
        with fault(client, "token_expired"):
            return reply_to(client, self.open(client, "/echo with a new token"))

    def passive(self, client: PlatformClient) -> Outcome:
        """An account in passive mode. The bot takes six seconds, and the platform disconnects after five."""
        passive = replace(client, app="passive")
        sent = self.open(passive, "/slow 6")
        (reply, *_) = passive.replies(sent.room)
        statuses = " ".join(str(attempt["status"]) for attempt in passive.delivery(sent.id)["attempts"])
        return Outcome(f"{statuses}, {reply['text']!r}", reply["at"] - sent.at)

    def plain(self, client: PlatformClient) -> Outcome:
        """Not encrypted. If the query does not claim encryption, its signature is valid: it does not cover the body."""

        def attack(where: SentMessage) -> Wire:
            sent = self.genuine(client, where)
            bare = {name: sent.query[name] for name in sent.query.keys() - {"encrypt_type", "msg_signature"}}
            body = wire.xml(self._fields(client, where))
            return replace(sent, query=sent.query if self.keep_query else bare, body=body)

        return self.refused(client, attack)

    def bomb(self, client: PlatformClient) -> Outcome:
        """A document type with entities, in place of the envelope."""
        return self.refused(client, lambda where: replace(self.genuine(client, where), body=_BOMB))

    def _simulated(self, client: PlatformClient) -> Tencent:
        imitation = self.imitation()
        imitation.add_app(client.app, client.config)
        return imitation

    def _fields(self, client: PlatformClient, where: SentMessage) -> dict[str, Any]:
        imitation = self._simulated(client)
        ends = imitation.addresses(imitation.account(client.app), where.sender)
        return {**ends, "MsgType": "text", "Content": "/echo attack", "MsgId": int(imitation.message_id())}

    def cases(self, card: str, *more: Case) -> tuple[Case, ...]:
        """The cases of one platform, with `more` of its own. `card` is the type of a card's message."""
        return (
            Case("verification of the URL", "200, accepted", self.challenge),
            Case("text", "'你好, Parley'", self.text),
            Case("image", "'Thank you for the image.'", self.image),
            Case("card, and a press of its button", f"{card}, 200, 'You chose coffee.'", self.card_and_button),
            Case("one message three times, then another", "200 200; replies 1 then 2", self.three_times),
            Case(
                "response of a send gets lost",
                "UNKNOWN after 1 call: once, after",
                partial(self.lost_response, path="/send"),
            ),
            Case("access token is revoked", "'with a new token'", self.token_expired),
            *more,
            *self.attacks(),
            Case("not encrypted", "401 forged, no reply", self.plain),
            Case("DOCTYPE with entities", "400 malformed, no reply", self.bomb),
        )
