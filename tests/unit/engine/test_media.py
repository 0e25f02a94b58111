"""Media of clients: uploaded to the bucket, named in a message, got by the bot, and read by those who may."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
import pytest
from botocore.config import Config as BotoConfig
from msgspec.structs import replace

from parley.adapter import App, NewMedia
from parley.bot import DownloadError
from parley.engine import objects
from parley.engine.apps import Apps
from parley.engine.aws import dynamodb
from parley.engine.callback import Callback
from parley.engine.calls import Calls
from parley.engine.copies import with_addresses
from parley.engine.download import Downloads
from parley.engine.http import Http
from parley.engine.rate_limiter import RateLimiter
from parley.engine.tokens import Tokens
from parley.model import Card, File, Image, Message, Source, with_sources
from parley.model.codec import decode_message
from parley.platforms.http import inbound
from parley.platforms.http.config import Config
from playground.platforms.http import wire
from tests.factories import make_reply
from tests.tokens import issuer, token
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
HOST = "media-bucket.s3.us-east-1.amazonaws.com"
PNG: dict[str, Any] = {"type": "image/png", "size": 4}


@pytest.fixture(autouse=True)
def bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_MEDIA_HOST", HOST)
    monkeypatch.setenv("AWS_REGION", "us-east-1")


class OneApp(Apps):
    """Has each app."""

    def get(self, platform: str, name: str) -> App:
        return App(platform, name, Config(issuers=(issuer(),)))

    def reread(self, app: App) -> App | None:
        return None


def post(clock: Clock, body: Any, route: str = "messages", *, key: str = "k1", person: str = "lin") -> tuple[int, Any]:
    sent = wire.posted(token(clock(), sub=person, rooms=["team"]), key, {})
    event = {
        "httpMethod": "POST",
        "resource": f"/v1/{{app}}/{route}",
        "pathParameters": {"app": "web"},
        "headers": dict(sent.headers),
        "body": json.dumps(body),
    }
    answer = Callback("http", inbound, OneApp(), clock)(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def received() -> Message:
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="inbound.fifo")["QueueUrl"]
    (found,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    return with_sources(decode_message(found.get("Body", "")))


# --- uploading --------------------------------------------------------------------------------------------------------


def test_an_upload_has_the_size_and_the_type_that_were_announced(clock: Clock) -> None:
    status, made = post(clock, PNG, "media")
    assert (status, made["method"]) == (201, "PUT")
    address = urlsplit(made["url"])
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert (address.scheme, address.netloc, address.path) == ("https", HOST, f"/web/{made['id']}")
    assert query["X-Amz-SignedHeaders"].split(";") == ["content-length", "content-type", "host", "if-none-match"]
    assert int(query["X-Amz-Expires"]) == made["expires_in"] == 300
    assert made["headers"] == {"Content-Type": "image/png", "Content-Length": "4", "If-None-Match": "*"}
    assert dynamodb().scan(TableName="parley")["Count"] == 1  # the rate limit


def test_the_address_is_the_one_that_the_sdk_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = objects.upload_address(NewMedia("web/a1", "image/png", 4)).url
    client = boto3.client("s3", region_name="us-east-1", config=BotoConfig(signature_version="s3v4"))
    wanted = {"Bucket": "media-bucket", "Key": "web/a1", "ContentType": "image/png", "ContentLength": 4}
    theirs = client.generate_presigned_url("put_object", Params={**wanted, "IfNoneMatch": "*"}, ExpiresIn=300)
    one, other = (parse_qs(urlsplit(url).query) for url in (ours, theirs))
    assert one["X-Amz-SignedHeaders"] == other["X-Amz-SignedHeaders"]
    if one["X-Amz-Date"] == other["X-Amz-Date"] and urlsplit(ours).netloc == urlsplit(theirs).netloc:
        assert one["X-Amz-Signature"] == other["X-Amz-Signature"]


def test_the_same_request_gets_the_same_id_and_each_person_another(clock: Clock) -> None:
    ids = [
        post(clock, PNG, "media", key=key, person=person)[1]["id"]
        for key, person in (("k1", "lin"), ("k1", "lin"), ("k2", "lin"), ("k1", "sam"))
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


WRONG: tuple[Any, ...] = (
    *({}, [], {"type": "image/png"}, {"size": 4}, PNG | {"size": 0}, PNG | {"size": 10_485_761}, PNG | {"size": "4"}),
    *(PNG | {"type": "png"}, PNG | {"type": "image/png\nx: y"}, PNG | {"name": "x"}, PNG | {"size": 1.5}),
)


@pytest.mark.parametrize("body", WRONG, ids=str)
def test_wrong_media_are_refused(clock: Clock, body: Any) -> None:
    status, document = post(clock, body, "media")
    assert (status, document["error"]) == (400, "malformed")


def test_a_deployment_without_the_bucket_takes_no_media(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARLEY_MEDIA_HOST")
    status, document = post(clock, PNG, "media")
    assert (status, document["error"]) == (404, "not_found")
    assert dynamodb().scan(TableName="parley")["Count"] == 0


# --- messages ---------------------------------------------------------------------------------------------------------


def test_the_bot_gets_uploaded_media_as_part_of_the_message(clock: Clock) -> None:
    id_ = post(clock, PNG, "media")[1]["id"]
    files = [{"id": id_, "type": "image/png", "name": "plan.png"}, {"id": id_, "type": "application/pdf"}]
    assert post(clock, {"text": "look", "media": files})[0] == 202
    message = received()
    image, file = message.content.attachments
    assert message.segments[1:] == (image, file)
    assert isinstance(image, Image)
    assert isinstance(file, File)
    assert (image.name, image.mime, image.key) == ("plan.png", "image/png", id_)
    assert image.source == Source(platform="http", app="web", message_id=message.id, key=id_)


def test_media_need_no_text(clock: Clock) -> None:
    id_ = post(clock, PNG, "media")[1]["id"]
    assert post(clock, {"media": [{"id": id_, "type": "image/png"}]})[0] == 202
    assert received().content.text == ""


def test_media_of_another_person_cannot_be_named(clock: Clock) -> None:
    id_ = post(clock, PNG, "media", person="sam")[1]["id"]
    status, document = post(clock, {"media": [{"id": id_, "type": "image/png"}]})
    assert (status, document["error"]) == (403, "not_allowed")


@pytest.mark.parametrize(
    "media", [[{"id": "../x", "type": "image/png"}], [{"id": "0" * 48}], [{"id": "0" * 48, "type": "a/b"}] * 11]
)
def test_wrong_references_are_refused(clock: Clock, media: Any) -> None:
    assert post(clock, {"text": "x", "media": media})[0] == 400


# --- bytes ------------------------------------------------------------------------------------------------------------


def downloaded(answer: httpx.Response, message: Message) -> tuple[bytes, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer

    http = Http(httpx.Client(transport=httpx.MockTransport(serve)))
    calls = Calls(http, Tokens(dynamodb(), "parley"), RateLimiter(dynamodb(), "parley"), dynamodb(), "parley")
    media = message.content.attachments[0]
    return Downloads(calls, OneApp())(media, message), seen  # type: ignore[arg-type]


@pytest.fixture
def message(clock: Clock) -> Message:
    id_ = post(clock, PNG, "media")[1]["id"]
    post(clock, {"media": [{"id": id_, "type": "image/png"}]})
    return received()


def test_the_bot_downloads_the_bytes_from_the_bucket(message: Message) -> None:
    data, (request,) = downloaded(httpx.Response(200, content=b"png."), message)
    assert data == b"png."
    assert (request.url.host, request.url.path) == (HOST, f"/web/{message.content.attachments[0].key}")
    assert "X-Amz-Signature" in request.url.params


def test_a_file_of_json_is_a_file(message: Message) -> None:
    assert downloaded(httpx.Response(200, json={"code": 1}), message)[0] == b'{"code":1}'


def test_media_that_were_not_uploaded_are_an_error_with_the_reason(message: Message) -> None:
    with pytest.raises(DownloadError, match="not uploaded"):
        downloaded(httpx.Response(404, text="<Error/>"), message)


def test_an_uploaded_page_is_saved_and_not_opened() -> None:
    disposition = "attachment; filename*=UTF-8''Lin%20%221%22%0D%0A%E9%A1%B5.html"
    ours = objects.read_address("web/a1", 'Lin "1"\r\n页.html')
    client = boto3.client("s3", region_name="us-east-1", config=BotoConfig(signature_version="s3v4"))
    wanted = {"Bucket": "media-bucket", "Key": "web/a1", "ResponseContentDisposition": disposition}
    theirs = client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=900)
    one, other = (parse_qs(urlsplit(url).query) for url in (ours, theirs))
    assert one["response-content-disposition"] == other["response-content-disposition"] == [disposition]
    if one["X-Amz-Date"] == other["X-Amz-Date"] and urlsplit(ours).netloc == urlsplit(theirs).netloc:
        assert one["X-Amz-Signature"] == other["X-Amz-Signature"]


def test_a_reply_is_read_with_an_address_that_is_made_then(message: Message) -> None:
    media = message.content.attachments[0]
    elsewhere = replace(media, source=Source(platform="feishu", app="demo", key="img_1"))
    out = make_reply(message, "x")
    out = replace(out, reply=replace(out.reply, segments=(media, Card(title="t", images=(media,)), elsewhere)))  # type: ignore[arg-type]
    image, card, other = with_addresses(out, inbound).reply.segments
    assert isinstance(image, Image)
    assert isinstance(card, Card)
    assert isinstance(other, Image)
    for shown in (image, card.images[0]):
        assert f"{HOST}/web/{media.key}?" in shown.url
        assert "X-Amz-Expires=900" in shown.url
        assert parse_qs(urlsplit(shown.url).query)["response-content-disposition"] == ["attachment"]
    assert other.url == ""
    assert out.reply.segments[0] == media  # what is stored has no address
