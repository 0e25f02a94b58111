"""Imitated WeCom and WeChat with clocks that stand still, apps that call them over an in-process transport, and
Parley's own reading of what they send."""

from dataclasses import dataclass
from random import Random
from typing import Any

import httpx
import msgspec

from parley.adapter import Accepted, App, Rejected, Request, SupportsPassiveReply
from parley.model import Message, Reply
from parley.platforms import config_type, inbound
from playground.platforms.model import Attempt, Delivery, NewMessage, Wire
from playground.platforms.tencent import Tencent
from playground.platforms.wechat import Wechat
from playground.platforms.wecom import Wecom
from playground.transport import PlatformTransport

KEY = "SampleSampleSampleSampleSampleSampleSample0"
ROBOT = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
WECOM = {
    "corp_id": "ww5a3b1e0000000000",
    "agent_id": 1000002,
    "secret": "the-secret",
    "token": "callbacktoken",
    "encoding_aes_key": KEY,
    "host": "http://wecom.test",
    "webhooks": {"ops": {"url": f"http://wecom.test/cgi-bin/webhook/send?key={ROBOT}"}},
}
WECHAT = {
    "app_id": "wx5a3b1e0000000000",
    "app_secret": "the-secret",
    "token": "callbacktoken",
    "encoding_aes_key": KEY,
    "original_id": "gh_5a3b1e000000",
    "host": "http://wechat.test",
}


@dataclass
class Clock:
    now: float = 1_764_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Caller:
    """An app of an imitation: it calls the API, and reads callbacks with Parley."""

    imitation: Tencent
    app: App
    clock: Clock
    http: httpx.Client
    token: str = ""

    def call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """The answer to a call with the app's token."""
        query = {"access_token": self.token} | more.pop("params", {})
        answer = self.http.request(method, f"/cgi-bin{path}", params=query, **more)
        assert answer.status_code == 200
        return answer.json()

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        return self.call("POST", path, content=msgspec.json.encode(body))

    def upload(self, kind: str, name: str, data: bytes) -> dict[str, Any]:
        return self.call("POST", "/media/upload", params={"type": kind}, files={"media": (name, data)})

    def send_message(self, text: str = "hi", **said: Any) -> Delivery:
        """A person writes; the callback on its way."""
        self.imitation.send_message(self.app.name, "", "lin", NewMessage(text=text, **said))
        (delivery,) = self.imitation.drain_outbox()
        return delivery

    def receive(self, wire: Wire) -> Accepted | Rejected:
        return inbound(self.app.platform).receive(self.request(wire), self.app, self.clock.now)

    @staticmethod
    def request(wire: Wire) -> Request:
        return Request(method=wire.method, query=dict(wire.query), body=wire.body)

    def message(self, delivery: Delivery) -> Message:
        """What Parley makes of a callback."""
        accepted = self.receive(delivery.wire)
        assert isinstance(accepted, Accepted), accepted
        return accepted.messages[0]

    def answer(self, delivery: Delivery, *texts: str) -> str:
        """Answer a callback as Parley does; the state of the delivery after it."""
        answering = inbound(self.app.platform)
        assert isinstance(answering, SupportsPassiveReply)
        replies = tuple(map(Reply.of, texts))
        message = self.message(delivery)
        given = answering.passive_reply(self.request(delivery.wire), self.app, message, replies, self.clock.now)
        return self.take(delivery, given.response.status, given.response.body)

    def take(self, delivery: Delivery, status: int, body: bytes = b"") -> str:
        self.imitation.record_attempt(delivery, Attempt(self.clock.now, 5, status), {}, body)
        return delivery.state

    def seen(self, person: str = "lin") -> list[tuple[str, Any]]:
        """Type and content of what the app has shown to a person."""
        room = self.imitation.room("", self.app.name, self.imitation.person(person)).id
        found = [m for m in self.imitation.messages.values() if m.room == room and m.sender_kind == "bot"]
        return [(message.type, message.content) for message in found if not message.recalled]


def wecom() -> Caller:
    """A fresh WeCom, and its app with a token."""
    made = _caller(Wecom, WECOM)
    query = {"corpid": WECOM["corp_id"], "corpsecret": WECOM["secret"]}
    made.token = made.http.get("/cgi-bin/gettoken", params=query).json()["access_token"]
    return made


def wechat(**config: Any) -> Caller:
    """A fresh WeChat, and its account with a token."""
    made = _caller(Wechat, WECHAT | config)
    made.token = stable_token(made)["access_token"]
    return made


def stable_token(caller: Caller, **more: Any) -> dict[str, Any]:
    body = {"grant_type": "client_credential", "appid": WECHAT["app_id"], "secret": WECHAT["app_secret"]} | more
    return caller.http.post("/cgi-bin/stable_token", json=body).json()


def _caller(kind: type[Tencent], config: dict[str, Any]) -> Caller:
    clock = Clock()
    imitation = kind(clock=clock, random=Random(7))
    imitation.add_app("demo", config)
    http = httpx.Client(transport=PlatformTransport({config["host"]: imitation}), base_url=config["host"])
    app = App(imitation.name, "demo", msgspec.convert(config, type=config_type(imitation.name)))
    return Caller(imitation, app, clock, http)
