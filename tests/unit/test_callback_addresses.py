"""The tool that tells an operator where callbacks come from, against the imitated platforms."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import msgspec
import pytest

from parley.adapter import App, TokenUnavailableError
from parley.engine.http import Http
from parley.platforms import config_type
from playground.platforms.http import Request, Response
from playground.transport import PlatformTransport
from tests.unit.playground.serving import APP as FEISHU
from tests.unit.playground.tencent import Caller, wechat, wecom
from tools.callback_addresses import NotTold, addresses, difference


@pytest.fixture(params=[wecom, wechat])
def bot(request: pytest.FixtureRequest) -> Caller:
    make: Callable[[], Caller] = request.param
    return make()


class SupportsPassiveReply:
    """In the place of the API: an imitation whose answers to `getcallbackip` are changed."""

    def __init__(self, bot: Caller, **answer: object) -> None:
        self.bot, self.answer = bot, answer

    def api(self, request: Request) -> Response:
        answer = self.bot.imitation.api(request)
        return Response.of(self.answer) if request.path.endswith("/getcallbackip") else answer


def asked(bot: Caller, **answer: object) -> tuple[str, ...]:
    """What the tool finds where the platform answers so."""
    transport = PlatformTransport({bot.app.config.host: SupportsPassiveReply(bot, **answer)})
    return addresses(bot.app, Http(httpx.Client(transport=transport)))


def test_the_blocks_are_those_of_the_platform(bot: Caller) -> None:
    assert addresses(bot.app, Http(bot.http)) == ("127.0.0.1/32",)


def test_asking_ends_nobodys_token(bot: Caller) -> None:
    addresses(bot.app, Http(bot.http))
    assert bot.call("GET", "/getcallbackip")["errcode"] == 0


def test_blocks_are_sorted_and_told_once(bot: Caller) -> None:
    told = ["101.226.103.*", "2.2.2.2", "101.226.103.*", "10.0.0.0/8"]
    assert asked(bot, ip_list=told) == ("10.0.0.0/8", "101.226.103.0/24", "2.2.2.2/32")


def test_a_refusal_is_told(bot: Caller) -> None:
    with pytest.raises(NotTold, match="addresses: 45009 api freq"):
        asked(bot, errcode=45009, errmsg="api freq out of limit")


def test_an_empty_list_is_no_reason_to_lock_everybody_out(bot: Caller) -> None:
    with pytest.raises(NotTold, match="no ip_list"):
        asked(bot, errcode=0, ip_list=[])


def test_a_wrong_secret_names_the_page(bot: Caller) -> None:
    field = "secret" if bot.app.platform == "wecom" else "app_secret"
    wrong = msgspec.structs.replace(bot.app.config, **{field: "another"})
    with pytest.raises(TokenUnavailableError, match=rf"`{field}`, at "):
        addresses(replace(bot.app, config=wrong), Http(bot.http))


def test_a_platform_that_does_not_tell_says_so() -> None:
    app = App("feishu", "demo", msgspec.convert(FEISHU, type=config_type("feishu")))
    with pytest.raises(NotTold, match="feishu does not tell"):
        addresses(app, Http(httpx.Client(transport=PlatformTransport({}))))


def test_what_is_new_and_what_is_gone() -> None:
    assert list(difference(["1.1.1.1/32", "2.2.2.2/32"], ["2.2.2.2/32", "3.3.3.3/32"])) == [
        "+ 3.3.3.3/32",
        "- 1.1.1.1/32",
    ]
