"""Media for the bot: fetched with the app's token, or an error with the reason."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from parley.adapter import Bucket, Limit
from parley.bot import DownloadError
from parley.engine import download as module
from parley.engine.apps import Apps
from parley.engine.aws import dynamodb, ssm
from parley.engine.calls import Calls
from parley.engine.download import Downloads
from parley.engine.http import Http
from parley.engine.rate_limiter import RateLimiter
from parley.engine.tokens import Tokens
from parley.model import Image, Message
from playground.platforms.wecom_bot import wire

pytestmark = pytest.mark.usefixtures("aws")
CONFIG = {"app_id": "cli_a", "app_secret": "s", "verification_token": "v", "host": "http://feishu"}


class Server:
    """Issues the tokens `t1`, `t2`, ... and accepts only `valid`."""

    def __init__(self, valid: str = "t1", media: httpx.Response | None = None) -> None:
        self.valid = valid
        self.media = media or httpx.Response(200, content=b"PNG", headers={"content-type": "image/png"})
        self.tokens = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if "tenant_access_token" in request.url.path:
            self.tokens += 1
            return httpx.Response(200, json={"code": 0, "tenant_access_token": f"t{self.tokens}", "expire": 7200})
        if request.headers["authorization"] != f"Bearer {self.valid}":
            return httpx.Response(400, json={"code": 99991663, "msg": "invalid"})
        return self.media


@pytest.fixture
def fetch(message: Callable[..., Message]) -> Callable[..., bytes]:
    ssm().put_parameter(
        Name="/parley/unit/feishu/demo", Value=msgspec.json.encode(CONFIG).decode(), Type="SecureString"
    )

    def run(server: Server, **changes: Any) -> bytes:
        http = Http(httpx.Client(transport=httpx.MockTransport(server)))
        calls = Calls(http, Tokens(dynamodb(), "parley"), RateLimiter(dynamodb(), "parley"), dynamodb(), "parley")
        return Downloads(calls, Apps())(Image(key="img_1"), msgspec.structs.replace(message(), **changes))

    return run


def test_media_are_downloaded_with_the_token_of_the_app(fetch: Callable[..., bytes]) -> None:
    assert fetch(Server()) == b"PNG"


def test_a_refused_token_is_replaced_once(fetch: Callable[..., bytes]) -> None:
    server = Server(valid="t2")
    assert fetch(server) == b"PNG"
    assert server.tokens == 2
    with pytest.raises(DownloadError):
        fetch(Server(valid="never"))


def test_a_download_waits_for_the_rate_limit_of_its_api(fetch: Callable[..., bytes]) -> None:
    limiter = RateLimiter(dynamodb(), "parley")
    limiter.pause(Bucket("feishu#cli_a#download", 50, 1, Limit(1000, 60)), limiter.clock() + 60)
    with pytest.raises(DownloadError, match="rate limit"):
        fetch(Server())


def test_a_refused_download_raises_an_error_with_the_reason(fetch: Callable[..., bytes]) -> None:
    with pytest.raises(DownloadError, match="234003"):
        fetch(Server(media=httpx.Response(400, json={"code": 234003, "msg": "not in the message"})))


def test_a_download_for_an_unknown_app_raises_an_error(fetch: Callable[..., bytes]) -> None:
    with pytest.raises(DownloadError):
        fetch(Server(), app="gone")


def test_the_table_of_downloads_comes_from_the_environment() -> None:
    assert module.downloads().calls.table == "parley"


WECHAT = {"app_id": "wx1", "app_secret": "s", "token": "t", "mode": "plain", "host": "http://wechat"}


@pytest.mark.parametrize(
    ("media", "wanted"),
    [
        (httpx.Response(200, content=b"AMR", headers={"content-type": "audio/amr"}), b"AMR"),
        (httpx.Response(200, content=b"{ no JSON", headers={"content-type": "text/plain"}), b"{ no JSON"),
        (
            httpx.Response(200, content=b'{"video_url":"http://cdn/film"}', headers={"content-type": "text/plain"}),
            b"MP4",
        ),
        (httpx.Response(200, json={"video_url": "http://cdn/gone"}), "answered 404"),
        (
            httpx.Response(200, content=b'{"errcode":40007,"errmsg":"x"}', headers={"content-type": "text/plain"}),
            "40007",
        ),
    ],
)
def test_a_wechat_answer_of_type_text_may_be_media_a_url_or_an_error(
    message: Callable[..., Message], media: httpx.Response, wanted: bytes | str
) -> None:
    ssm().put_parameter(
        Name="/parley/unit/wechat/demo", Value=msgspec.json.encode(WECHAT).decode(), Type="SecureString"
    )

    def server(request: httpx.Request) -> httpx.Response:
        if request.url.host == "cdn":
            assert "access_token" not in request.url.params
            return httpx.Response(200, content=b"MP4") if request.url.path == "/film" else httpx.Response(404)
        if request.url.path.endswith("stable_token"):
            return httpx.Response(200, json={"access_token": "T", "expires_in": 7200})
        assert request.url.params["access_token"] == "T"
        return media

    http = Http(httpx.Client(transport=httpx.MockTransport(server)))
    calls = Calls(http, Tokens(dynamodb(), "parley"), RateLimiter(dynamodb(), "parley"), dynamodb(), "parley")
    downloads = Downloads(calls, Apps())
    received = msgspec.structs.replace(message(), platform="wechat")
    if isinstance(wanted, bytes):
        assert downloads(Image(key="m"), received) == wanted
        return
    with pytest.raises(DownloadError, match=wanted):
        downloads(Image(key="m"), received)


@pytest.mark.parametrize("refused", ["token", "media"])
def test_a_picture_refused_by_the_api_is_fetched_from_the_url_in_the_callback(
    message: Callable[..., Message], refused: str
) -> None:
    ssm().put_parameter(
        Name="/parley/unit/wechat/demo", Value=msgspec.json.encode(WECHAT).decode(), Type="SecureString"
    )

    def server(request: httpx.Request) -> httpx.Response:
        if request.url.host == "mmbiz":
            assert "access_token" not in request.url.params
            return httpx.Response(200, content=b"PNG")
        if refused == "token":
            return httpx.Response(200, json={"errcode": 40164, "errmsg": "invalid ip"})
        if request.url.path.endswith("stable_token"):
            return httpx.Response(200, json={"access_token": "T", "expires_in": 7200})
        return httpx.Response(200, json={"errcode": 48001, "errmsg": "api unauthorized"})

    http = Http(httpx.Client(transport=httpx.MockTransport(server)))
    calls = Calls(http, Tokens(dynamodb(), "parley"), RateLimiter(dynamodb(), "parley"), dynamodb(), "parley")
    downloads, received = Downloads(calls, Apps()), msgspec.structs.replace(message(), platform="wechat")
    assert downloads(Image(key="m", url="http://mmbiz/picture"), received) == b"PNG"
    with pytest.raises(DownloadError):
        downloads(Image(key="m"), received)


@pytest.mark.parametrize(("key", "reason"), [("k" * 43, ""), ("j" * 43, "cannot be decrypted")])
def test_the_files_of_a_smart_bot_are_decrypted(message: Callable[..., Message], key: str, reason: str) -> None:
    config = {"token": "t", "encoding_aes_key": key}
    ssm().put_parameter(Name="/parley/unit/wecom_bot/demo", Value=msgspec.json.encode(config).decode(), Type="String")
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, content=wire.file("k" * 43, b"PNG")))
    http = Http(httpx.Client(transport=transport))
    calls = Calls(http, Tokens(dynamodb(), "parley"), RateLimiter(dynamodb(), "parley"), dynamodb(), "parley")
    sent = msgspec.structs.replace(message(), platform="wecom_bot")
    download = Downloads(calls, Apps())
    if reason:
        with pytest.raises(DownloadError, match=reason):
            download(Image(url="http://store/1"), sent)
    else:
        assert download(Image(url="http://store/1"), sent) == b"PNG"
