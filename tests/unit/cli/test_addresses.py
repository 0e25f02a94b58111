"""The tool that prints the addresses of callbacks, with the simulated platforms."""

from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from parley.adapter import App, TokenUnavailableError
from parley.engine.http import Http
from parley.platforms import config_type
from parley_cli.addresses import AddressesUnavailableError, addresses, difference
from playground.platforms.exchange import Request, Response
from playground.transport import PlatformTransport
from tests.conformance.adapters.wecom import SUITES
from tests.unit.cli.tool import parley
from tests.unit.playground.serving import APP as FEISHU
from tests.unit.playground.tencent import Caller, wechat, wecom


@pytest.fixture(params=[wecom, wechat])
def bot(request: pytest.FixtureRequest) -> Caller:
    make: Callable[[], Caller] = request.param
    return make()


class ChangedApi:
    """The API of a simulated platform, with another response to `getcallbackip`."""

    def __init__(self, bot: Caller, **answer: object) -> None:
        self.bot, self.answer = bot, answer

    def api(self, request: Request) -> Response:
        answer = self.bot.platform.api(request)
        return Response.of(self.answer) if request.path.endswith("/getcallbackip") else answer


def addresses_in(bot: Caller, **answer: object) -> tuple[str, ...]:
    """The addresses that the tool finds if the platform responds with `answer`."""
    transport = PlatformTransport({bot.app.config.host: ChangedApi(bot, **answer)})
    return addresses(bot.app, Http(httpx.Client(transport=transport)))


def test_the_blocks_are_those_of_the_platform(bot: Caller) -> None:
    assert addresses(bot.app, Http(bot.http)) == ("127.0.0.1/32",)


def test_the_request_does_not_revoke_a_token(bot: Caller) -> None:
    addresses(bot.app, Http(bot.http))
    assert bot.call("GET", "/getcallbackip")["errcode"] == 0


def test_blocks_are_sorted_and_printed_once(bot: Caller) -> None:
    listed = ["101.226.103.*", "2.2.2.2", "101.226.103.*", "10.0.0.0/8"]
    assert addresses_in(bot, ip_list=listed) == ("10.0.0.0/8", "101.226.103.0/24", "2.2.2.2/32")


def test_a_rejection_is_an_error_with_the_platforms_code(bot: Caller) -> None:
    with pytest.raises(AddressesUnavailableError, match="addresses: 45009 api freq"):
        addresses_in(bot, errcode=45009, errmsg="api freq out of limit")


def test_an_empty_list_is_an_error(bot: Caller) -> None:
    with pytest.raises(AddressesUnavailableError, match="no ip_list"):
        addresses_in(bot, errcode=0, ip_list=[])


def test_a_wrong_secret_names_the_field_and_the_page(bot: Caller) -> None:
    field = "secret" if bot.app.platform == "wecom" else "app_secret"
    wrong = msgspec.structs.replace(bot.app.config, **{field: "another"})
    with pytest.raises(TokenUnavailableError, match=rf"`{field}`, at "):
        addresses(replace(bot.app, config=wrong), Http(bot.http))


def test_an_app_that_many_companies_install_is_an_error_without_a_call() -> None:
    transport = PlatformTransport({})
    with pytest.raises(AddressesUnavailableError, match="name an internal app"):
        addresses(SUITES, Http(httpx.Client(transport=transport)))


def test_a_platform_without_such_an_api_is_an_error() -> None:
    app = App("feishu", "demo", msgspec.convert(FEISHU, type=config_type("feishu")))
    with pytest.raises(AddressesUnavailableError, match="feishu has no API"):
        addresses(app, Http(httpx.Client(transport=PlatformTransport({}))))


def test_the_difference_lists_new_and_removed_blocks() -> None:
    assert list(difference(["1.1.1.1/32", "2.2.2.2/32"], ["2.2.2.2/32", "3.3.3.3/32"])) == [
        "+ 3.3.3.3/32",
        "- 1.1.1.1/32",
    ]


@pytest.mark.parametrize("make", [wecom, wechat])
def test_the_command_prints_blocks_and_differences_to_earlier_ones(
    make: Callable[[], Caller],
    store: Callable[..., None],
    platforms: Callable[..., None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bot = make()
    name = f"{bot.app.platform}/helper"
    platforms(**{bot.app.platform: bot.platform})
    store(name, msgspec.to_builtins(bot.app.config))
    assert parley("app", "addresses", name) == 0
    assert capsys.readouterr().out == "127.0.0.1/32\n"
    known = tmp_path / "known"
    for before, status, shown in (("127.0.0.1/32", 0, ""), ("10.0.0.0/8", 3, "+ 127.0.0.1/32\n- 10.0.0.0/8\n")):
        known.write_text(before)
        assert parley("app", "addresses", name, "--known", str(known)) == status
        assert capsys.readouterr().out == shown
    assert parley("app", "addresses", name, "--known", str(tmp_path / "none")) == 1
    assert "No such file" in capsys.readouterr().err
