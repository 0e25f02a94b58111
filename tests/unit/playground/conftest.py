"""A simulated Feishu with a fixed clock, and a bot that calls its API in the same process."""

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
import pytest

from playground.platforms.feishu import Feishu
from playground.transport import PlatformTransport
from tests.unit.playground.clock import Clock

HOST = "https://open.feishu.cn"
APP = {
    "app_id": "cli_a1b2c3d4e5f60708",
    "app_secret": "the-app-secret",
    "encrypt_key": "Wk4qZr8vT1mXy6bN",
    "verification_token": "vtk_7c19b2e0f4",
    "webhooks": {"builds": {"url": f"{HOST}/open-apis/bot/v2/hook/hook-1", "secret": "hook-secret"}},
}


@dataclass
class Bot:
    """Calls the API as an app."""

    http: httpx.Client
    secret: str = "the-app-secret"
    headers: dict[str, str] = field(default_factory=dict)

    def login(self) -> str:
        body = {"app_id": APP["app_id"], "app_secret": self.secret}
        token = self.http.post("/open-apis/auth/v3/tenant_access_token/internal", json=body).json()
        self.headers = {"Authorization": f"Bearer {token['tenant_access_token']}"}
        return token["tenant_access_token"]

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.http.request(method, f"/open-apis{path}", headers=self.headers, **more)

    def send(self, room: str, text: str = "hi", *, kind: str = "chat_id", **more: Any) -> httpx.Response:
        body = {"receive_id": room, "msg_type": "text", "content": json.dumps({"text": text})} | more
        return self.call("POST", "/im/v1/messages", params={"receive_id_type": kind}, json=body)

    def card(self, room: str, card: dict[str, Any]) -> httpx.Response:
        return self.send(room, msg_type="interactive", content=json.dumps(card))


@pytest.fixture
def clock() -> Clock:
    return Clock(1_718_000_000.0)


@pytest.fixture
def feishu(clock: Clock) -> Feishu:
    made = Feishu(clock=clock, random=Random(7))
    made.add_app("demo", APP)
    return made


@pytest.fixture
def bot(feishu: Feishu) -> Bot:
    made = Bot(httpx.Client(transport=PlatformTransport({HOST: feishu}), base_url=HOST))
    made.login()
    return made


@pytest.fixture
def team(feishu: Feishu) -> str:
    return feishu.room_id("team", "group")
