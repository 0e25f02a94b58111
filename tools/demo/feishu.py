"""The cases of Feishu. Attacks are signed by `cryptography` and the standard library, not by Parley's code."""

import time
import uuid
from dataclasses import replace
from functools import partial
from random import SystemRandom
from typing import Any

from playground.platforms.feishu import wire
from playground.platforms.model import Wire
from tools.demo.case import Case, Outcome
from tools.demo.client import PlatformClient, SentMessage
from tools.demo.common import CommonCases

_RANDOM = SystemRandom()
_SIGNATURE = "X-Lark-Signature"


class Feishu(CommonCases):
    """Feishu has groups, signatures in headers, and encrypted bodies."""

    def open(self, client: PlatformClient, text: str, **more: Any) -> SentMessage:
        """A message to the bot in a new group."""
        return client.send(client.group(), text, **more)

    def genuine(self, client: PlatformClient, where: SentMessage, age: float = 0) -> Wire:
        """An encrypted and signed event."""
        plain = wire.dumps(event(client, where.room))
        return wire.callback(client.config["encrypt_key"], plain, time.time() - age, _RANDOM)

    def resealed(self, client: PlatformClient, genuine: Wire, body: bytes) -> Wire:
        """With a new signature."""
        return wire.resigned(genuine, client.config["encrypt_key"], body, time.time(), _RANDOM)

    def missigned(self, genuine: Wire) -> Wire:
        """With another first digit of the signature."""
        sent = genuine.headers[_SIGNATURE]
        return replace(genuine, headers={**genuine.headers, _SIGNATURE: f"{int(sent[0], 16) ^ 1:x}{sent[1:]}"})

    def plain(self, client: PlatformClient) -> Outcome:
        """Not encrypted, with the right verification token, to an app that has an Encrypt Key."""
        headers = {"Content-Type": "application/json"}
        return self.refused(client, lambda where: Wire(headers=headers, body=wire.dumps(event(client, where.room))))

    def login_of_nobody(self, client: PlatformClient) -> Outcome:
        """A link of a login for which no dialogue waits."""
        return self.page(client, "start", {"t": f"{uuid.uuid4().hex}.0"})

    def login_with_invented_state(self, client: PlatformClient) -> Outcome:
        """A code, brought by a browser that has begun no login here."""
        return self.page(client, "callback", {"code": uuid.uuid4().hex, "state": uuid.uuid4().hex * 2})

    def login_to_elsewhere(self, client: PlatformClient) -> Outcome:
        """A link that names another redirect address."""
        return self.page(
            client, "start", {"redirect_uri": "https://attacker.example/", "t": "https://attacker.example/"}
        )

    def page(self, client: PlatformClient, name: str, query: dict[str, str]) -> Outcome:
        """The response of a page of the logins."""
        address, began = f"{client.stack['api']}/oauth/{client.platform}/{client.app}/{name}", time.monotonic()
        headers = {"Cookie": f"__Host-parley-login={'x' * 43}"}
        response = client.http.get(address, params=query, headers=headers, follow_redirects=False)
        is_shown = "no longer valid" in response.text
        where = f"to {response.headers['location']}" if "location" in response.headers else "no redirection"
        return Outcome(f"{response.status_code}{' expired' if is_shown else ''}, {where}", time.monotonic() - began)


def event(client: PlatformClient, room: str) -> dict[str, Any]:
    """The event `im.message.receive_v1` as Feishu sends it, for a message that nobody has sent."""
    config, now = client.config, str(int(time.time() * 1000))
    header = {
        "event_id": uuid.uuid4().hex,
        "event_type": "im.message.receive_v1",
        "create_time": now,
        "token": config["verification_token"],
        "app_id": config["app_id"],
        "tenant_key": "2ed263bf32cf1651",
    }
    sender = {
        "sender_id": {"open_id": f"ou_{uuid.uuid4().hex}"},
        "sender_type": "user",
        "tenant_key": "2ed263bf32cf1651",
    }
    message = {
        "message_id": f"om_{uuid.uuid4().hex}",
        "create_time": now,
        "chat_id": room,
        "chat_type": "group",
        "message_type": "text",
        "content": wire.dumps({"text": "/echo attack"}).decode(),
    }
    return {"schema": "2.0", "header": header, "event": {"sender": sender, "message": message}}


_FEISHU = Feishu()
CASES = (
    Case("URL verification, encrypted", "200, accepted", _FEISHU.challenge),
    Case("private text", "'你好, Parley'", _FEISHU.text),
    Case("group mention in a thread", "'in here' in the thread", _FEISHU.in_thread),
    Case("image", "'Thank you for the image.'", _FEISHU.image),
    Case("card, and a press of its button", "interactive, 200, 'You chose coffee.'", _FEISHU.card_and_button),
    Case("one event three times, then another", "200 200; replies 1 then 2", _FEISHU.three_times),
    Case(
        "response of a send gets lost",
        "SENT after 2 calls: once, after",
        partial(_FEISHU.lost_response, path="/im/v1/messages"),
    ),
    *_FEISHU.attacks(),
    Case("not encrypted", "401 forged, no reply", _FEISHU.plain),
    Case("login link of nobody", "410 expired, no redirection", _FEISHU.login_of_nobody),
    Case("login code with an invented state", "410 expired, no redirection", _FEISHU.login_with_invented_state),
    Case("login link to another site", "410 expired, no redirection", _FEISHU.login_to_elsewhere),
)
