"""Simulated WeCom and WeChat with fixed clocks, and apps that call their APIs and read their callbacks with Parley."""

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
from tests.factories import answers_to
from tests.unit.playground.clock import Clock

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
class Caller:
    """An app: it calls the API, and reads callbacks with Parley."""

    platform: Tencent
    app: App
    clock: Clock
    http: httpx.Client
    token: str = ""

    def call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """The response to a call with the app's token."""
        query = {"access_token": self.token} | more.pop("params", {})
        response = self.http.request(method, f"/cgi-bin{path}", params=query, **more)
        assert response.status_code == 200
        return response.json()

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        return self.call("POST", path, content=msgspec.json.encode(body))

    def upload(self, kind: str, name: str, data: bytes) -> dict[str, Any]:
        return self.call("POST", "/media/upload", params={"type": kind}, files={"media": (name, data)})

    def send_message(self, text: str = "hi", **more: Any) -> Delivery:
        """A person sends a message. Returns its delivery."""
        self.platform.send_message(self.app.name, "", "lin", NewMessage(text=text, **more))
        (delivery,) = self.platform.drain_outbox()
        return delivery

    def receive(self, wire: Wire) -> Accepted | Rejected:
        return inbound(self.app.platform).receive(self.request(wire), self.app, self.clock.now)

    @staticmethod
    def request(wire: Wire) -> Request:
        return Request(method=wire.method, query=dict(wire.query), body=wire.body)

    def message(self, delivery: Delivery) -> Message:
        """The message that Parley reads from a callback."""
        accepted = self.receive(delivery.wire)
        assert isinstance(accepted, Accepted), accepted
        return accepted.messages[0]

    def reply_passively(self, delivery: Delivery, *texts: str) -> str:
        """Respond to a callback with Parley's passive reply. Returns the state of the delivery."""
        adapter = inbound(self.app.platform)
        assert isinstance(adapter, SupportsPassiveReply)
        message = self.message(delivery)
        replies = answers_to(message, *map(Reply.of, texts))
        reply = adapter.passive_reply(self.request(delivery.wire), self.app, message, replies, self.clock.now)
        return self.respond(delivery, reply.response.status, reply.response.body)

    def respond(self, delivery: Delivery, status: int, body: bytes = b"") -> str:
        self.platform.record_attempt(delivery, Attempt(self.clock.now, 5, status), {}, body)
        return delivery.state

    def bot_messages(self, person: str = "lin") -> list[tuple[str, Any]]:
        """Type and content of the app's messages to a person, without recalled ones."""
        room = self.platform.room("", self.app.name, self.platform.person(person)).id
        found = [m for m in self.platform.messages.values() if m.room == room and m.sender_kind == "bot"]
        return [(message.type, message.content) for message in found if not message.recalled]


def wecom() -> Caller:
    """A new WeCom, and its app with a token."""
    made = _caller(Wecom, WECOM)
    made.token = wecom_token(made)["access_token"]
    return made


def wechat(**config: Any) -> Caller:
    """A new WeChat, and its account with a token."""
    made = _caller(Wechat, WECHAT | config)
    made.token = stable_token(made)["access_token"]
    return made


def stable_token(caller: Caller, **more: Any) -> dict[str, Any]:
    """The response of WeChat's API for stable tokens."""
    body = {"grant_type": "client_credential", "appid": WECHAT["app_id"], "secret": WECHAT["app_secret"]} | more
    return caller.http.post("/cgi-bin/stable_token", json=body).json()


def wecom_send(bot: Caller, kind: str = "text", content: Any = None, to: str = "lin", **more: Any) -> dict[str, Any]:
    """Send an app message. Returns the response."""
    body = {"touser": to, "agentid": 1000002, "msgtype": kind, kind: content or {"content": "hi"}}
    return bot.post("/message/send", **(body | more))


def wecom_token(bot: Caller, **more: str) -> dict[str, Any]:
    """The response of WeCom's token API."""
    query = {"corpid": WECOM["corp_id"], "corpsecret": WECOM["secret"]} | more
    return bot.http.get("/cgi-bin/gettoken", params=query).json()


def openid(bot: Caller, person: str = "lin") -> str:
    """A person's user id at the account."""
    return bot.platform.user_id(bot.platform.account("demo"), person)


def wechat_send(bot: Caller, kind: str = "text", content: Any = None, **more: Any) -> int:
    """Send a customer-service message. Returns the error code."""
    body = {"touser": openid(bot), "msgtype": kind, kind: content or {"content": "hi"}}
    return bot.post("/message/custom/send", **(body | more))["errcode"]


def emit_event(bot: Caller, kind: str, **more: Any) -> Any:
    """Emit an event of Lin. Returns its delivery."""
    return bot.platform.emit_event("demo", kind, {"sender": "lin", **more})


def _caller(kind: type[Tencent], config: dict[str, Any]) -> Caller:
    clock = Clock()
    platform = kind(clock=clock, random=Random(7))
    platform.add_app("demo", config)
    http = httpx.Client(transport=PlatformTransport({config["host"]: platform}), base_url=config["host"])
    app = App(platform.name, "demo", msgspec.convert(config, type=config_type(platform.name)))
    return Caller(platform, app, clock, http)
