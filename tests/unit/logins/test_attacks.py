"""What attackers try with logins, over the requests of browsers."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from botocore.exceptions import EndpointConnectionError

from parley.bot import Bot, Login, Script, Turn
from parley.engine import queues
from parley.engine.oauth import verifier_of
from parley.testing import Chat
from parley.testing.browser import Browser
from parley.testing.filling import PERSON
from parley.testing.world import _stage
from playground.platforms.exchange import Response
from playground.platforms.feishu import Feishu
from tools.faults.targets.feishu import _HOST, _app

SCOPE = "calendar:calendar:readonly"


class Scene:
    """A chat in which Ann is asked to log in, and browsers."""

    def __init__(self, stack: ExitStack) -> None:
        bot = Bot()

        @bot.command()
        def calendar(_turn: Turn) -> Script:
            login = yield Login(SCOPE)
            return f"End: {login.outcome}"

        self.chat = Chat(bot)
        self.chat.say("/calendar")
        self.world = self.chat._world
        self.link = self.world.bot.login
        stack.enter_context(self.world.active())
        stack.enter_context(_stage(self.world._stage))

    def browser(self) -> Browser:
        oauth = self.world.processes.current.oauth
        return Browser(lambda event: oauth(event, None), self.world.platform, _HOST)

    def callback(self, browser: Browser, person: str = PERSON) -> str:
        """The address to which the platform sends the browser back, not opened yet."""
        page = browser.open(self.link)
        return browser.open(f"{page.headers['location']}&person={person}&agreed=1").headers["location"]

    @property
    def feishu(self) -> Feishu:
        assert isinstance(self.world.platform, Feishu)
        return self.world.platform

    @property
    def grants(self) -> list[Any]:
        rows = self.world.aws.dynamodb.items
        return [row for key, row in rows.items() if str(key).startswith("grant#")]

    def bodies(self) -> list[str]:
        """The messages in the queue, taken out of it."""
        taken = iter(lambda: self.world.inbound.receive(self.world.random), None)
        return [each.body for each in taken]

    def ended(self) -> list[str]:
        self.world.work()
        return [each.text for each in self.chat.replies if each.text.startswith("End")]


@pytest.fixture
def scene() -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(stack)


def test_the_straight_way_works_once(scene: Scene) -> None:
    browser, person = scene.browser(), PERSON
    callback = scene.callback(browser, person)
    assert browser.open(callback).status == 200
    assert len(scene.grants) == 1
    assert browser.open(callback).status == 410  # a replayed callback
    assert scene.ended() == ["End: done"]
    assert scene.browser().open(scene.link).status == 410


def test_a_state_of_another_browser_is_refused_and_stays_good_for_its_own(scene: Scene) -> None:
    attacker, victim = scene.browser(), scene.browser()
    callback = scene.callback(attacker, PERSON)
    assert victim.open(callback).status == 410  # without a cookie
    scene.callback(victim, PERSON)
    assert victim.open(callback).status == 410  # with a cookie of its own
    assert scene.grants == []
    assert attacker.open(callback).status == 200


def test_an_unknown_state_and_an_injected_code_are_refused(scene: Scene) -> None:
    browser, other = scene.browser(), scene.browser()
    own, stolen = scene.callback(browser, PERSON), scene.callback(other, PERSON)
    code = parse_qs(urlsplit(stolen).query)["code"][0]
    given = parse_qs(urlsplit(own).query)
    base = own.partition("?")[0]
    assert browser.open(f"{base}?{urlencode({'code': code, 'state': '0' * 64})}").status == 410
    # The code of another login does not belong to this PKCE verifier.
    assert browser.open(f"{base}?{urlencode({'code': code, 'state': given['state'][0]})}").status == 410
    assert scene.grants == []


def test_who_reads_the_table_cannot_end_a_login(scene: Scene) -> None:
    browser = scene.browser()
    state = parse_qs(urlsplit(scene.callback(browser)).query)["state"][0]
    (secret,) = browser.cookies.values()
    stored = str(scene.world.aws.dynamodb.items)
    for each in (state, secret, verifier_of(secret, state)):
        assert each not in stored


def test_a_forwarded_link_binds_no_other_account(scene: Scene) -> None:
    victim = scene.browser()
    assert victim.open(scene.callback(victim, "bob")).status == 403
    assert scene.grants == []
    assert scene.ended() == []


def test_a_stranger_who_opens_the_link_cannot_refuse_in_the_name_of_the_person(scene: Scene) -> None:
    stranger = scene.browser()
    state = parse_qs(urlsplit(stranger.open(scene.link).headers["location"]).query)["state"][0]
    callback = scene.callback(scene.browser()).partition("?")[0]
    page = stranger.open(f"{callback}?{urlencode({'state': state, 'error': 'access_denied'})}")
    assert page.status == 200
    assert scene.ended() == []
    assert scene.browser().open(scene.callback(scene.browser())).status == 410
    assert scene.ended() == []


def test_a_login_that_the_bot_could_not_be_told_is_kept_and_the_page_says_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://sqs")

    browser = scene.browser()
    callback = scene.callback(browser)
    with monkeypatch.context() as patch:
        patch.setattr(queues, "send_messages", away)
        page = browser.open(callback)
    assert page.status == 503
    assert b"Nothing was stored" not in page.body
    assert len(scene.grants) == 1
    assert browser.open(scene.callback(browser)).status == 200
    assert scene.ended() == ["End: done"]


def test_a_state_of_one_app_is_refused_at_another(scene: Scene) -> None:
    scene.world.configure("feishu", "second", _app("second"))
    scene.world.platform.add_app("second", _app("second"))
    browser = scene.browser()
    callback = scene.callback(browser, PERSON)
    mixed = callback.replace("/feishu/demo/", "/feishu/second/")
    assert mixed != callback
    assert browser.open(mixed).status == 410
    assert browser.open(scene.link.replace("/feishu/demo/", "/feishu/second/")).status == 410
    assert scene.grants == []


def test_a_login_of_one_platform_is_refused_at_another(scene: Scene) -> None:
    browser = scene.browser()
    assert browser.open(scene.link.replace("/feishu/", "/discord/")).status in (404, 503)
    assert browser.open(scene.link.replace("/feishu/", "/wechat/")).status == 404
    assert browser.open(scene.link.replace("/demo/", "/nobody/")).status in (404, 503)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "t=",
        "t=x",
        "t=..%2F..",
        "t=" + "0" * 32 + ".0",
        "t=" + "0" * 10_000,
        "t=%00",
        "t=https%3A%2F%2Fevil.example",
        "redirect_uri=https%3A%2F%2Fevil.example",
    ],
)
def test_no_query_redirects_anywhere(scene: Scene, query: str) -> None:
    base = scene.link.partition("?")[0]
    response = scene.browser().open(f"{base}?{query}")
    assert (response.status, "location" in response.headers) == (410, False)


def test_the_browser_is_sent_to_the_configured_platform_and_back_only(scene: Scene) -> None:
    more = "&redirect_uri=https://evil.example&host=evil.example&scope=everything&client_id=x"
    location = scene.browser().open(scene.link + more).headers["location"]
    assert location.startswith(f"{_HOST}/open-apis/authen/v1/authorize?")
    query = parse_qs(urlsplit(location).query)
    assert query["redirect_uri"] == ["https://bot.imitation/oauth/feishu/demo/callback"]
    assert query["scope"] == [f"{SCOPE} offline_access"]
    assert query["code_challenge_method"] == ["S256"]


@pytest.mark.parametrize("name", ["state", "code", "error"])
def test_a_parameter_that_comes_twice_is_refused(scene: Scene, name: str) -> None:
    browser = scene.browser()
    callback = scene.callback(browser, PERSON)
    assert browser.open(f"{callback}&{name}=x&{name}=y").status == 410
    assert scene.grants == []


def test_a_page_shows_nothing_of_the_request_and_is_in_the_language_of_the_browser(scene: Scene) -> None:
    browser, text = scene.browser(), "<script>alert(1)</script>"
    base = scene.link.replace("/start", "/callback").partition("?")[0]
    query = urlencode({"state": "0" * 64, "code": text, "error": text, "error_description": text})
    for accept, title in (
        ("zh-CN,zh;q=0.9,en;q=0.8", "链接已失效"),
        ("en", "no longer valid"),
        ("", "no longer valid"),
    ):
        page = browser.open(f"{base}?{query}", accept=accept)
        assert title in page.body.decode()
        assert "alert" not in page.body.decode()
        assert_is_safe(page)


def assert_is_safe(page: Response) -> None:
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


def test_the_cookie_is_bound_to_this_host_and_out_of_reach_of_scripts(scene: Scene) -> None:
    cookie = scene.browser().open(scene.link).headers["set-cookie"]
    name, *attributes = cookie.split("; ")
    assert name.startswith("__Host-parley-login=")
    assert set(attributes) == {"Path=/", "Max-Age=600", "Secure", "HttpOnly", "SameSite=Lax"}


def test_a_login_that_takes_too_long_is_over(scene: Scene) -> None:
    browser = scene.browser()
    callback = scene.callback(browser, PERSON)
    scene.world.clock.now += 601
    assert browser.open(callback).status == 410


def test_an_expired_or_used_code_stores_nothing(scene: Scene) -> None:
    browser = scene.browser()
    callback = scene.callback(browser, PERSON)
    scene.world.clock.now += 301
    assert browser.open(callback).status == 410
    other = scene.callback(browser, PERSON)
    for code in scene.feishu.logins.codes.values():
        code.used = True
    assert browser.open(other).status == 410
    assert scene.grants == []


def test_a_press_that_claims_to_be_the_end_of_a_login_is_none(scene: Scene) -> None:
    """A client of a platform could send any value of a button."""
    from parley.bot.logins import Login as Question
    from parley.bot.questions import Given
    from parley.bot.texts import ENGLISH
    from parley.model import Message
    from tests.factories import make_message

    asker: Message = make_message()
    press = make_message("press")
    for number in (0, 1, 3):
        given = Given(place="d.0", number=number, press=press, by=press.sender)
        assert Question(SCOPE).refusal(given, asker, lambda *_: True, ENGLISH) == ENGLISH.not_yours


def test_tokens_are_encrypted_and_no_secret_is_in_a_row_or_in_the_queue(scene: Scene) -> None:
    browser = scene.browser()
    page = browser.open(scene.link)
    state = parse_qs(urlsplit(page.headers["location"]).query)["state"][0]
    assert state not in str(scene.world.aws.dynamodb.items)
    assert browser.cookies["__Host-parley-login"] not in str(scene.world.aws.dynamodb.items)
    callback = browser.open(f"{page.headers['location']}&person={PERSON}&agreed=1").headers["location"]
    browser.open(callback)
    (session,) = scene.feishu.logins.sessions
    stored = str(scene.world.aws.dynamodb.items) + "".join(scene.bodies())
    assert "parley.login" in stored
    assert session.access not in stored
    assert session.refresh not in stored
    assert parse_qs(urlsplit(callback).query)["code"][0] not in stored
