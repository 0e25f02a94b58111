"""The cases of WeCom smart bots. Attacks are encrypted by `cryptography`, not by Parley's code."""

import secrets
import time
import uuid
from dataclasses import replace
from random import SystemRandom
from typing import Any

from playground.platforms.digests import flip_first_digit
from playground.platforms.model import Wire
from playground.platforms.wecom_bot import wire
from tools.demo.case import Case, Outcome
from tools.demo.client import PlatformClient, SentMessage
from tools.demo.common import CommonCases, reply_to


class WecomBot(CommonCases):
    """Smart bots have groups and direct chats, JSON envelopes, and a signature in the query."""

    def open(self, client: PlatformClient, text: str, **more: Any) -> SentMessage:
        """A message from a new person."""
        return client.send("private", text, f"demo{uuid.uuid4().hex[:8]}", **more)

    def genuine(self, client: PlatformClient, where: SentMessage, age: float = 0) -> Wire:
        """An encrypted text."""
        config, person = client.config, {"userid": where.sender}
        chat = {"msgid": secrets.token_hex(16), "aibotid": config["bot_id"], "chattype": "single", "from": person}
        fields = {**chat, "msgtype": "text", "text": {"content": "/echo attack"}}
        return wire.callback(config["token"], config["encoding_aes_key"], fields, time.time() - age, SystemRandom())

    def resealed(self, client: PlatformClient, genuine: Wire, body: bytes) -> Wire:
        """With the same signature: it covers the encrypted text, not the body."""
        del client
        return replace(genuine, body=body)

    def missigned(self, genuine: Wire) -> Wire:
        """With another first digit of the signature."""
        wrong = flip_first_digit(genuine.query["msg_signature"])
        return replace(genuine, query={**genuine.query, "msg_signature": wrong})

    def in_group(self, client: PlatformClient) -> Outcome:
        """A message that mentions the bot in a group."""
        return reply_to(client, client.send(client.group(), "/echo 你好, Parley"))

    def text(self, client: PlatformClient) -> Outcome:
        """A message to the bot, answered by a poll."""
        return reply_to(client, self.open(client, "/echo 你好, Parley"))


_CASES = WecomBot()
CASES = (
    Case("verification of the URL", "200, accepted", _CASES.challenge),
    Case("text", "'你好, Parley'", _CASES.text),
    Case("text in a group", "'你好, Parley'", _CASES.in_group),
    Case("card, and a press of its button", "template_card, 200, 'You chose coffee.'", _CASES.card_and_button),
    Case("one message three times, then another", "200 200; replies 1 then 2", _CASES.three_times),
    *_CASES.attacks(),
)
