"""Feishu's logins against recorded vectors, and against Feishu's own SDK."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from parley.adapter import Answer, App
from parley.adapter.logins import LoginError
from parley.engine.oauth import challenge_of
from parley.platforms import config_type
from parley.platforms.feishu import login
from tests.conformance.lark import lark

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("feishu_oauth.json").read_text())["vectors"]
TROUBLES = {
    "authorize_again": "again",
    "not_allowed": "person",
    "not_installed": "person",
    "configuration": "configuration",
    "retry": "later",
    "refresh": "again",  # the token is seconds old here
}
NOW = 1_800_000_000.0


def of(kind: str) -> Callable[..., Any]:
    found = [each for each in VECTORS if each["kind"] == kind]
    assert found
    return pytest.mark.parametrize("vector", found, ids=lambda vector: vector["name"])


def app(redirect: str = "https://bot.example.com/oauth/feishu/a1/callback", host: str = "feishu", **more: Any) -> App:
    config = {
        "app_id": "cli_a1b2c3d4e5f6a7b8",
        "app_secret": "SECRET1234567890",
        "verification_token": "v",
        "host": host,
        "logins": {"redirect_uri": redirect, **more},
    }
    return App("feishu", "a1", msgspec.convert(config, config_type("feishu")))


@of("pkce_s256")
def test_the_challenge_of_pkce(vector: dict[str, Any]) -> None:
    assert challenge_of(vector["inputs"]["code_verifier"]) == vector["expected"]["code_challenge"]


@of("authorize_url")
def test_the_address_of_the_login_page(vector: dict[str, Any]) -> None:
    given, expected = vector["inputs"], vector["expected"]
    host = "lark" if "larksuite" in given["host"] else "feishu"
    made = app(host=host)
    url = urlsplit(login.authorise_url(made, given["scope"], given["state"], given.get("code_challenge", "c")))
    query = dict(parse_qsl(url.query))
    shown = urlsplit(expected["example_url"])
    assert (url.scheme, url.netloc, url.path) == (shown.scheme, shown.netloc, shown.path)
    assert set(query.pop("scope").split()) == set(expected["query"].pop("scope").split())
    assert query.pop("redirect_uri") == login.redirect_uri(made)
    expected["query"].pop("redirect_uri", None)
    if "code_challenge" not in given:  # this project always uses PKCE
        query.pop("code_challenge")
        query.pop("code_challenge_method")
    assert query == expected["query"]


@of("token_request")
@pytest.mark.parametrize("host", ["feishu", "lark"])
def test_the_request_of_a_token(vector: dict[str, Any], host: str) -> None:
    given, expected = vector["inputs"], vector["expected"]
    made = app(host=host)
    if given["grant"] == "refresh_token":
        call = login.refresh_call(made, given["refresh_token"])
        assert call.json == expected["json"]
    else:
        call = login.code_call(made, given["code"], given.get("code_verifier", "v"))
        assert call.json.items() >= {**expected["json"]}.items()
    assert (call.method, call.url, call.auth) == (expected["method"], expected[f"url_{host}"], None)


@of("token_response")
def test_the_answer_to_it(vector: dict[str, Any]) -> None:
    given, expected = vector["inputs"], vector["expected"]
    answer = Answer(given["status"], json.dumps(given["body"]).encode())
    if not expected["accepted"]:
        with pytest.raises(LoginError) as error:
            login.read_token(answer, NOW)
        assert error.value.trouble == TROUBLES[expected["class"]]
        assert str(expected["code"]) in str(error.value)
        return
    token = login.read_token(answer, NOW)
    assert (token.access, token.refresh) == (expected["access_token"], expected["refresh_token"] or "")
    assert token.expires == NOW + expected["expires_in"]
    assert (token.refresh_expires > NOW) == bool(token.refresh)


@of("user_info")
def test_who_has_logged_in(vector: dict[str, Any]) -> None:
    given, expected = vector["inputs"], vector["expected"]
    answer = Answer(given["status"], json.dumps(given["body"]).encode())
    if "class" in expected:
        with pytest.raises(LoginError) as error:
            login.read_identity(answer)
        assert error.value.trouble == TROUBLES[expected["class"]]
        return
    identity = login.read_identity(answer)
    assert (identity.id, identity.tenant) == (expected["user"], expected["tenant"])


@pytest.mark.parametrize("grant", ["code", "refresh"])
@pytest.mark.parametrize(("host", "domain"), [("feishu", lark.FEISHU_DOMAIN), ("lark", lark.LARK_DOMAIN)])
def test_the_sdk_of_feishu_sends_the_same(grant: str, host: str, domain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from lark_oapi.core.access_token import client as sdk
    from lark_oapi.core.model import Config, RawResponse

    sent: list[Any] = []
    body = {"code": 0, "access_token": "a", "expires_in": 7200, "refresh_token": "r", "refresh_token_expires_in": 9}

    def execute(_config: Any, request: Any, _option: Any) -> Any:
        sent.append(request)
        raw = RawResponse()
        raw.status_code, raw.content = 200, json.dumps(body).encode()
        return raw

    monkeypatch.setattr(sdk.Transport, "execute", execute)
    config = Config()
    config.app_id, config.app_secret, config.domain = "cli_a1b2c3d4e5f6a7b8", "SECRET1234567890", domain
    theirs, made = sdk.AccessToken(config), app(host=host)
    if grant == "code":
        read = theirs.retrieve_by_authorization_code("CODE", login.redirect_uri(made), "VERIFIER")
        call = login.code_call(made, "CODE", "VERIFIER")
    else:
        read, call = theirs.refresh("R1"), login.refresh_call(made, "R1")
    assert (call.url, call.json) == (sent[0].uri, sent[0].body)
    ours = login.read_token(Answer(200, json.dumps(body).encode()), 0)
    assert (ours.access, ours.refresh, ours.expires) == (read.access_token, read.refresh_token, read.expires_in)


def test_the_older_endpoint_is_a_setting() -> None:
    call = login.refresh_call(app(endpoint="v2"), "r")
    assert call.url == "https://open.feishu.cn/open-apis/authen/v2/oauth/token"


@pytest.mark.parametrize(
    "redirect",
    [
        "https://bot.example.com/oauth/feishu/a1/callback?x=1",
        "https://bot.example.com/oauth/feishu/a1/callback#x",
        "https://bot.example.com/callback",
        "/oauth/feishu/a1/callback",
        "javascript:/oauth/feishu/a1/callback",
    ],
)
def test_another_redirect_address_is_refused(redirect: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="redirect_uri"):
        app(redirect)
