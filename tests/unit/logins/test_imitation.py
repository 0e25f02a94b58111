"""The imitation of Feishu refuses what Feishu refuses. Codes: Feishu docs, Get and Refresh user_access_token."""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from playground.platforms.exchange import Request, Response
from playground.platforms.feishu import Feishu
from tools.faults.targets.feishu import _app

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REDIRECT = "https://bot.imitation/oauth/feishu/demo/callback"
V3, V2 = "/oauth/v3/token", "/open-apis/authen/v2/oauth/token"
SCOPES = "calendar:calendar:readonly offline_access"


class Console:
    """An imitation with two apps, and its time."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.feishu = Feishu(clock=lambda: self.now)
        for name in ("demo", "other"):
            self.feishu.add_app(name, _app(name))

    def authorise(self, **changed: str) -> Response:
        query = {
            "client_id": "cli_demo",
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": SCOPES,
            "state": "s",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "person": "ann",
            "agreed": "1",
        }
        given = {name: value for name, value in {**query, **changed}.items() if value}
        return self.feishu.api(Request("GET", "/open-apis/authen/v1/authorize", given))

    def code(self, **changed: str) -> str:
        return parse_qs(urlsplit(self.authorise(**changed).headers["location"]).query)["code"][0]

    def token(self, path: str = V3, app: str = "demo", **body: Any) -> dict[str, Any]:
        who = {"client_id": f"cli_{app}", "client_secret": f"secret-{app}"}
        given = {name: value for name, value in {**who, **body}.items() if value is not None}
        return json.loads(self.feishu.api(Request("POST", path, body=json.dumps(given).encode())).body)

    def exchange(self, code: str, path: str = V3, **changed: Any) -> dict[str, Any]:
        body = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return self.token(path, **{**body, **changed})

    def refresh(self, refresh: str, **more: Any) -> dict[str, Any]:
        return self.token(grant_type="refresh_token", refresh_token=refresh, **more)


@pytest.fixture
def console() -> Console:
    return Console()


def test_a_code_is_good_once_and_for_five_minutes(console: Console) -> None:
    code = console.code()
    assert console.exchange(code)["code"] == 0
    assert console.exchange(code)["code"] == 20065
    late = console.code()
    console.now += 301
    assert console.exchange(late)["code"] == 20004
    assert console.exchange("invented")["code"] == 20003


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"redirect_uri": f"{REDIRECT}/"}, 20071),
        ({"redirect_uri": None}, 20071),
        ({"code_verifier": "w" * 43}, 20049),
        ({"code_verifier": None}, 20049),
        ({"client_secret": "wrong"}, 20002),
        ({"client_id": "cli_nobody"}, 20048),
        ({"app": "other"}, 20024),
        ({"grant_type": "password"}, 20036),
    ],
)
@pytest.mark.parametrize("path", [V3, V2])
def test_what_does_not_belong_to_the_code_is_refused(
    console: Console, changed: dict[str, Any], refusal: int, path: str
) -> None:
    assert console.exchange(console.code(), path, **changed)["code"] == refusal


def test_only_the_older_endpoint_takes_a_verifier_without_a_challenge(console: Console) -> None:
    codes = [console.code(code_challenge="", code_challenge_method="") for _ in range(2)]
    assert console.exchange(codes[0], V2)["code"] == 0
    assert console.exchange(codes[1], V3)["code"] == 20049


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"redirect_uri": "https://evil.example/"}, "20029"),
        ({"redirect_uri": f"{REDIRECT}?x=1"}, "20029"),
        ({"scope": "contact:everything"}, "20027"),
        ({"client_id": "cli_nobody"}, "20048"),
    ],
)
def test_the_page_redirects_to_no_other_address_and_gives_no_other_scope(
    console: Console, changed: dict[str, str], text: str
) -> None:
    page = console.authorise(**changed)
    assert (page.status, text in page.body.decode()) == (200, True)
    assert "location" not in page.headers


def test_a_refresh_token_is_good_once_and_the_old_access_token_for_a_minute(console: Console) -> None:
    first = console.exchange(console.code())
    second = console.refresh(first["refresh_token"])
    assert second["code"] == 0
    assert console.refresh(first["refresh_token"])["code"] == 20073
    assert console.refresh(second["refresh_token"], app="other")["code"] == 20024
    assert console.refresh("invented")["code"] == 20026
    assert who(console, first["access_token"]) == 0
    console.now += 61
    assert who(console, first["access_token"]) == 99991677
    assert who(console, second["access_token"]) == 0
    console.now += 604_800
    assert console.refresh(second["refresh_token"])["code"] == 20037


def test_without_the_scope_there_is_no_refresh_token_and_scopes_add_up(console: Console) -> None:
    assert "refresh_token" not in console.exchange(console.code(scope="docx:document:readonly"))
    both = console.exchange(console.code(scope="calendar:calendar:readonly"))
    assert set(both["scope"].split()) == {"docx:document:readonly", "calendar:calendar:readonly"}


def who(console: Console, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    answer = console.feishu.api(Request("GET", "/open-apis/authen/v1/user_info", headers=headers))
    return json.loads(answer.body)["code"]
