"""Discord's logins: forms, the scopes of earlier logins, and a revocation."""

import json
import time
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from parley.adapter import Answer, App, Call
from parley.adapter.logins import LoginError, UserToken
from parley.bot import Bot, Login, Script, Turn
from parley.engine.http import Http
from parley.engine.user_tokens import UserTokens
from parley.journal.grants import Grant, GrantId
from parley.platforms import config_type
from parley.platforms.discord import login
from parley.testing import Chat
from parley.testing.browser import Browser
from parley.testing.world import _stage
from tests.factories import make_message
from tools.faults.targets import APP

REDIRECT = "https://bot.example.com/oauth/discord/a/callback"


def app() -> App:
    config = {
        "application_id": "123456789012345678",
        "public_key": "0" * 64,
        "bot_token": "token",
        "logins": {"redirect_uri": REDIRECT, "client_secret": "SECRET"},
    }
    return App("discord", "a", msgspec.convert(config, config_type("discord")))


def test_the_login_page_asks_who_the_person_is_as_well() -> None:
    url = urlsplit(login.authorise_url(app(), "guilds", "s", "c"))
    assert (url.netloc, url.path) == ("discord.com", "/oauth2/authorize")
    query = parse_qs(url.query)
    assert query["scope"] == ["identify guilds"]
    assert (query["redirect_uri"], query["code_challenge_method"]) == ([REDIRECT], ["S256"])
    assert not login.ADDS_UP


def test_the_token_endpoint_gets_a_form() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(
            200, json={"access_token": "a", "expires_in": 604_800, "refresh_token": "r", "scope": "x"}
        )

    http = Http(httpx.Client(transport=httpx.MockTransport(answer)))
    token = login.read_token(http.perform(login.code_call(app(), "C&D", "V")), 0)
    assert (token.access, token.refresh, token.expires) == ("a", "r", 604_800)
    assert sent[0].headers["content-type"] == "application/x-www-form-urlencoded"
    form: dict[str, Any] = parse_qs(sent[0].content.decode())
    assert form == {
        "grant_type": ["authorization_code"],
        "code": ["C&D"],
        "redirect_uri": [REDIRECT],
        "code_verifier": ["V"],
        "client_id": ["123456789012345678"],
        "client_secret": ["SECRET"],
    }
    assert login.refresh_call(app(), "r").form["refresh_token"] == "r"
    assert login.revoke_call(app(), UserToken(access="a", expires=0, refresh="r")).form["token"] == "r"


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (400, {"error": "invalid_grant"}, "again"),
        (401, {"error": "invalid_client"}, "configuration"),
        (429, {}, "later"),
        (502, None, "unknown"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, body: Any, trouble: str) -> None:
    with pytest.raises(LoginError) as error:
        login.read_token(Answer(status, json.dumps(body).encode()), 0)
    assert error.value.trouble == trouble


def test_who_has_logged_in() -> None:
    assert login.read_identity(Answer(200, b'{"id": "80351110224678912"}')).id == "80351110224678912"
    assert login.verdict(Answer(401)) == "token"
    assert login.identity_call(app()).url == "https://discord.com/api/v10/users/@me"


class Fake(Http, kw_only=True):
    """Discord's token endpoint and API."""

    who: str
    asked: list[tuple[str, dict[str, str], str]]

    def perform(self, call: Call, token: str = "") -> Answer:
        self.asked.append((call.url.rpartition("/api/v10")[2] or call.url, call.form, token))
        if call.url.endswith("/users/@me"):
            return Answer(200, json.dumps({"id": self.who}).encode())
        if call.url.endswith("/token"):
            body = {"access_token": "A", "expires_in": 604_800, "refresh_token": "R", "scope": "identify guilds"}
            return Answer(200, json.dumps(body).encode())
        return Answer(200, b'{"guilds": 3}')


def test_a_person_logs_in_with_discord_and_the_bot_acts_in_their_name() -> None:
    bot = Bot()

    @bot.command()
    def guilds(turn: Turn) -> Script:
        login_ = yield Login("guilds")
        return f"{login_.outcome} {turn.as_user().get('/users/@me/guilds')['guilds']}"

    @bot.command()
    def logout(turn: Turn) -> str:
        return str(turn.logout())

    redirect = f"https://bot.imitation/oauth/discord/{APP}/callback"
    chat = Chat(bot, "discord", config={"logins": {"redirect_uri": redirect, "client_secret": "S"}})
    chat.say("/guilds")
    world, stranger = chat._world, "1"
    with world.active(), _stage(world._stage):
        functions = world.processes.current
        http = Fake(cast("Any", None), who=stranger, asked=[])
        functions.oauth.http = functions.processor.users().http = http  # type: ignore[misc, union-attr]
        browser = Browser(lambda event: functions.oauth(event, None), world.platform, "https://none.imitation")
        for who, status in ((stranger, 403), (chat.received.sender.id, 200)):
            http.who = who
            location = browser.open(world.bot.login).headers["location"]
            state = parse_qs(urlsplit(location).query)["state"][0]
            assert browser.open(f"{redirect}?code=C&state={state}").status == status
    assert [url for url, _, _ in http.asked if "revoke" in url] == ["/oauth2/token/revoke"]
    chat.advance(seconds=1)
    assert chat.last.text == "done 3"
    assert http.asked[-1] == ("/users/@me/guilds", {}, "A")
    chat.say("/logout")
    assert chat.last.text == "True"
    assert http.asked[-1][1]["token"] == "R"


def test_a_logout_in_a_process_that_made_calls_before_has_time_for_the_revocation() -> None:
    http = Http(cast("Any", None))
    http.until = time.monotonic() - 100  # of an earlier message
    tokens = UserTokens(cast("Any", None), "parley", http, cast("Any", None))
    until: list[float] = []

    class Rows:
        def get(self, id_: GrantId) -> Grant:
            return Grant(id=id_, tokens="t", scopes="", expires=1, ends=1)

        remove = get

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UserTokens, "grants", property(lambda _: Rows()))
        patch.setattr(UserTokens, "_find", lambda *_: (app(), login))
        patch.setattr(UserTokens, "_revoke", lambda self, *_: until.append(self.http.until))
        assert tokens.forget(make_message(platform="discord"), time.monotonic() + 30)
    assert [at > time.monotonic() + 20 for at in until] == [True]


def test_a_logout_ends_what_was_refreshed_meanwhile() -> None:
    tokens = UserTokens(cast("Any", None), "parley", Http(cast("Any", None)), cast("Any", None))
    revoked: list[str] = []

    class Rows:
        def get(self, id_: GrantId) -> Grant:
            return Grant(id=id_, tokens="before", scopes="", expires=1, ends=1)

        def remove(self, id_: GrantId) -> Grant:
            return Grant(id=id_, tokens="after", scopes="", expires=1, ends=1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UserTokens, "grants", property(lambda _: Rows()))
        patch.setattr(UserTokens, "_find", lambda *_: (app(), login))
        patch.setattr(UserTokens, "_revoke", lambda _self, grant, *_: revoked.append(grant.tokens))
        assert tokens.forget(make_message(platform="discord"), time.monotonic() + 30)
    assert revoked == ["before", "after"]
