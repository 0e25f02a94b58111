"""The HTTP client: requests, outcomes of failed calls, and limits of answers."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial

import httpx
import pytest

from parley.adapter import Auth, Call, Permanent, Transient, Unknown, Upload
from parley.engine.addresses import ForbiddenAddressError
from parley.engine.http import MAX_ANSWER, CallError, Http, client, media_client
from parley.engine.sockets import transport
from parley.model import Image

Handler = Callable[[httpx.Request], httpx.Response]


def http(handler: Handler) -> Http:
    return Http(httpx.Client(transport=httpx.MockTransport(handler)))


def call(**more: object) -> Call:
    return Call(**{"name": "send", "method": "POST", "url": "http://platform/send", **more})  # type: ignore[arg-type]


def failing(error: Exception) -> Handler:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    return handler


def test_a_call_is_sent_unchanged_and_its_answer_is_returned() -> None:
    received: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        received.append(request)
        return httpx.Response(201, json={"id": "é"}, headers={"X-Limit": "3"})

    answer = http(handler).perform(call(json={"text": "é"}, query={"a": "b c"}, headers={"X-One": "1"}))
    assert (answer.status, answer.json(), answer.headers["x-limit"]) == (201, {"id": "é"}, "3")
    assert received[0].content == '{"text":"é"}'.encode()
    assert str(received[0].url) == "http://platform/send?a=b+c"
    assert received[0].headers["content-type"] == "application/json; charset=utf-8"


def test_urls_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A URL may contain a credential. Lambda's JSON logs keep all records from INFO on."""
    with caplog.at_level("INFO"):
        query = {"corpsecret": "a-secret"}
        http(lambda _: httpx.Response(200)).perform(call(auth=Auth("query", "access_token"), query=query), "a-token")
    assert not caplog.records


@pytest.mark.parametrize(
    ("auth", "where"),
    [(Auth("header", "Authorization", "Bearer "), "header"), (Auth("query", "access_token"), "query")],
)
def test_the_token_is_sent_in_the_place_that_the_call_names(auth: Auth, where: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[request.headers.get("authorization"), request.url.params.get("access_token")])

    answer = http(handler).perform(call(auth=auth), "t-1")
    expected = ["Bearer t-1", None] if where == "header" else [None, "t-1"]
    assert json.loads(answer.body) == expected


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (httpx.ConnectError("no"), Transient),
        (httpx.ConnectTimeout("no"), Transient),
        (httpx.PoolTimeout("no"), Transient),
        (httpx.ReadTimeout("no"), Unknown),
        (httpx.ReadError("no"), Unknown),
        (httpx.WriteError("no"), Unknown),
        (httpx.RemoteProtocolError("no"), Unknown),
    ],
)
def test_an_error_is_transient_only_if_the_request_was_not_sent(error: Exception, outcome: type) -> None:
    with pytest.raises(CallError) as raised:
        http(failing(error)).perform(call())
    assert type(raised.value.outcome) is outcome


def test_an_answer_beyond_the_size_limit_is_an_unknown_outcome() -> None:
    with pytest.raises(CallError) as raised:
        http(lambda _: httpx.Response(200, content=b"x" * (MAX_ANSWER + 1))).perform(call())
    assert isinstance(raised.value.outcome, Unknown)


def test_redirects_are_not_followed() -> None:
    answer = http(lambda _: httpx.Response(302, headers={"Location": "http://elsewhere/"})).perform(
        call(auth=Auth("header", "Authorization"))
    )
    assert answer.status == 302


def test_redirects_of_media_are_not_followed() -> None:
    """The address that they lead to is not checked."""
    assert not media_client().follow_redirects
    asked: list[str] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"Location": "http://127.0.0.1/secret"})

    with pytest.raises(CallError) as raised:
        http(redirect).perform(upload(Image(url="http://media/a.png")))
    assert raised.value.outcome == Permanent("media answered 302", part="media")
    assert asked == ["http://media/a.png"]


def upload(image: Image, limit: int = 100) -> Call:
    return call(upload=Upload(field="image", media=image, limit=limit, fields={"image_type": "message"}))


def test_data_is_uploaded_as_a_multipart_form() -> None:
    bodies: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        return httpx.Response(200)

    data = base64.b64encode(b"PNG!").decode()
    http(handler).perform(upload(Image(data=data, name="a.png", mime="image/png")))
    assert b'name="image_type"\r\n\r\nmessage' in bodies[0]
    assert b'name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nPNG!' in bodies[0]


def media_server(content: bytes, status: int = 200) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.host == "media":
            return httpx.Response(status, content=content)
        return httpx.Response(200, json={"size": len(request.read())})

    return handler


def test_media_are_fetched_from_their_url_and_uploaded() -> None:
    answer = http(media_server(b"x" * 99)).perform(upload(Image(url="http://media/a.png")))
    assert answer.json()["size"] > 99


@pytest.mark.parametrize(
    ("content", "status", "outcome"),
    [(b"x" * 101, 200, Permanent), (b"", 404, Permanent), (b"", 503, Transient)],
)
def test_a_failed_fetch_of_media_is_permanent_or_transient(content: bytes, status: int, outcome: type) -> None:
    with pytest.raises(CallError) as raised:
        http(media_server(content, status)).perform(upload(Image(url="http://media/a.png")))
    assert type(raised.value.outcome) is outcome
    # Then the reply says the address in its place (`adapter.fallback`).
    assert outcome is Transient or getattr(raised.value.outcome, "part", "") == "media"


@pytest.mark.parametrize("image", [Image(url="file:///etc/passwd"), Image(url="nonsense"), Image(data="%%%"), Image()])
def test_media_without_a_usable_source_are_a_refused_part(image: Image) -> None:
    with pytest.raises(CallError) as raised:
        http(media_server(b"")).perform(upload(image))
    assert raised.value.outcome == Permanent(raised.value.outcome.reason, part="media")


INSIDE = [
    "127.0.0.1:9001",
    "127.0.0.1",
    "127.1",
    "localhost",
    "[::1]",
    "169.254.169.254",
    "[::ffff:127.0.0.1]",
    "10.0.0.1",
]


@pytest.mark.parametrize("host", INSIDE)
@pytest.mark.parametrize("operation", ["upload", "download"])
def test_a_url_from_a_message_cannot_reach_internal_addresses(host: str, operation: str) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        raise AssertionError("nothing is sent")

    url = f"http://{host}/2018-06-01/runtime/invocation/next"
    web = Http(
        httpx.Client(transport=httpx.MockTransport(handler)), httpx.Client(transport=transport(public_only=True))
    )
    reach = web.perform if operation == "upload" else partial(web.download, token="")
    with pytest.raises(CallError) as raised:
        reach(upload(Image(url=url)) if operation == "upload" else call(url=url, auth=None))
    assert isinstance(raised.value.outcome, Permanent)
    assert "address" in raised.value.outcome.reason


def test_the_media_client_reaches_public_addresses_only() -> None:
    assert media_client() is not client()
    with pytest.raises(ForbiddenAddressError):
        media_client().get("http://127.0.0.1/")


def test_the_local_stack_may_fetch_media_from_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_STAGE", "local")
    assert http(lambda _: httpx.Response(200)).perform(upload(Image(url="http://127.0.0.1/a.png"))).status == 200


def test_downloads_stop_at_their_limit() -> None:
    web = http(lambda _: httpx.Response(200, content=b"x" * 100))
    assert web.download(call(), "", limit=100)[1] == b"x" * 100
    with pytest.raises(CallError):
        web.download(call(), "", limit=99)


def test_all_calls_share_one_client() -> None:
    assert client() is client()


class Dripping(httpx.SyncByteStream):
    """An endless answer of one byte each 50 ms. No single read reaches a timeout."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            threading.Event().wait(0.05)
            yield b"x"


def test_a_slow_answer_is_cancelled_at_the_timeout_of_the_whole_call() -> None:
    with pytest.raises(CallError) as raised:
        http(lambda _: httpx.Response(200, stream=Dripping())).perform(call(timeout=0.3))
    assert raised.value.outcome == Unknown("ReadTimeout")


def test_a_slow_download_of_media_is_cancelled_as_a_transient_failure() -> None:
    web = http(lambda _: httpx.Response(200, stream=Dripping()))
    endless = Upload(field="image", media=Image(url="http://media/a"), limit=10**6)
    with pytest.raises(CallError) as raised:
        web.perform(call(timeout=0.3, upload=endless))
    assert raised.value.outcome == Transient("media: ReadTimeout", part="media")


def test_a_call_is_not_sent_if_the_worker_has_no_time_to_record_its_outcome() -> None:
    received: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        received.append(request)
        return httpx.Response(200)

    web = http(handler)
    web.ends_in(7)
    with pytest.raises(CallError) as raised:
        web.perform(call(timeout=30))
    assert isinstance(raised.value.outcome, Transient)
    assert not received
    web.ends_in(11)
    assert web.perform(call(timeout=30)).status == 200
    assert received[0].extensions["timeout"]["read"] <= 9


@pytest.mark.parametrize(
    ("image", "name"),
    [
        (Image(data=base64.b64encode(b"x").decode(), name="chart", mime="image/png"), "chart.png"),
        (Image(data=base64.b64encode(b"x").decode(), name="chart.png", mime="image/png"), "chart.png"),
        (Image(data=base64.b64encode(b"x").decode(), name="chart", mime="image/made-up"), "chart"),
        (Image(data=base64.b64encode(b"x").decode(), name="报表", mime="text/csv; charset=utf-8"), "报表"),
        (Image(data=base64.b64encode(b"x").decode(), mime="image/jpeg"), "file.jpg"),
    ],
)
def test_an_uploaded_file_has_the_suffix_of_its_type(image: Image, name: str) -> None:
    received: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        received.append(request.read().decode("utf-8", "replace"))
        return httpx.Response(200)

    http(handler).perform(upload(image))
    assert f'filename="{name}"' in received[0]


@pytest.mark.parametrize("mime", ["image/png\r\nX-Evil: 1", "image/png\n", "image", "a b/c", "image/png;\0"])
def test_an_invalid_media_type_is_refused_before_the_request(mime: str) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        raise AssertionError("nothing is sent")

    with pytest.raises(CallError) as raised:
        http(handler).perform(upload(Image(data=base64.b64encode(b"x").decode(), mime=mime)))
    assert raised.value.outcome == Permanent("the media's `mime` is not a media type such as image/png", part="media")
