"""Media between the HTTP channel and all other platforms: its clients load them from the bucket of the deployment."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from parley.adapter import App
from parley.model import AnySegment, Card, File, Image
from parley.platforms.http.bodies import MediaRequest
from parley.platforms.http.media import id_in, new_media
from parley.platforms.http.persons import Person, mark_of
from playground.platforms.base import PRIVATE, NewMessage
from playground.platforms.exchange import Request, Response
from tests.unit.engine.test_passing_on import PICTURE, Relay
from tools.faults.aws import isolated
from tools.faults.targets import APP, Target, titled

HOST = "media.s3.us-east-1.amazonaws.com"
HTTP, POLLING = titled("http"), titled("http polling")
OTHERS = tuple(map(titled, ("discord", "feishu", "wechat active", "wecom")))
FROM_HTTP = [pytest.param(HTTP, there, id=f"http-{there.name}") for there in (*OTHERS, HTTP)]
TO_HTTP = [
    pytest.param(source, there, id=f"{source.name}-{there.title}")
    for source in (*OTHERS, HTTP)
    for there in (HTTP, POLLING)
    if source is there or source.name != there.name
]


class Bucket:
    """S3, without signatures. `refuses`: how many uploads it answers with an error."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.uploads = 0
        self.refuses = 0

    def api(self, request: Request) -> Response:
        assert "X-Amz-Signature" in request.query
        key = request.path.removeprefix("/")
        if request.method == "PUT":
            self.uploads += 1
            if self.uploads <= self.refuses:
                return Response(503)
            self.objects[key] = (request.body, request.headers["content-type"])
            return Response(200)
        return Response(200, self.objects[key][0]) if key in self.objects else Response(403)


class HttpRelay(Relay):
    """A relay from or to clients of the HTTP channel."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.bucket = Bucket()
        transport: Any = self.sim.processes._transport  # the network of the simulation
        transport._targets.append((f"https://{HOST}", self.bucket))

    def send(self, image: bytes = b"", file: tuple[str, bytes] | None = None) -> None:
        if self.source.name != "http":
            super().send(image, file)
            return
        name, data = file or ("", image)
        mime = "video/mp4" if file else "image/png"
        client: Any = self.sim.platforms["http"]
        account, person = client.account(APP), client.person("lin")
        whose = Person(person.id, person.name, frozenset())
        new = new_media(whose, App("http", APP, None), "k1", MediaRequest(type=mime, size=len(data)))
        self.bucket.objects[new.key] = (data, mime)
        body = {"media": [{"id": id_in(new.key), "type": mime, "name": name}]}
        sent = client.send_message(APP, PRIVATE, "lin", NewMessage(text="", deliver=False))
        client._post(account, person, sent, body, client.hex(), "message")
        self.sim.settle()

    def segments(self) -> list[dict[str, Any]]:
        """What the client got after the answer to `/here`, with the pictures of cards."""
        platform = self.sim.platforms["http"]
        replies = [each for each in platform.messages.values() if each.sender_kind != "user"][1:]
        found = [segment for each in replies for segment in each.content["segments"]]
        return [inner for segment in found for inner in (segment, *segment.get("images", ()))]

    def files(self) -> list[bytes]:
        if self.there.name != "http":
            return super().files()
        urls = [segment["url"] for segment in self.segments() if segment.get("url")]
        assert all(url.startswith(f"https://{HOST}/") and "X-Amz-Signature" in url for url in urls)
        return [self.bucket.objects[url.removeprefix(f"https://{HOST}/").partition("?")[0]][0] for url in urls]


@pytest.fixture(autouse=True)
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PARLEY_MEDIA_HOST", HOST)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA0")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with isolated():
        yield


@pytest.mark.parametrize(("source", "there"), FROM_HTTP + TO_HTTP)
def test_a_picture_is_loaded_at_the_other_place(source: Target, there: Target) -> None:
    relay = HttpRelay(source, there)
    relay.send(image=PICTURE)
    assert relay.files() == [PICTURE]
    assert "Look:" in relay.words()


@pytest.mark.parametrize(("source", "there"), FROM_HTTP + TO_HTTP)
def test_a_picture_in_a_card_is_loaded_there(source: Target, there: Target) -> None:
    relay = HttpRelay(source, there, lambda media: Card(title="New", images=(media, media)))
    relay.send(image=PICTURE)
    assert set(relay.files()) == {PICTURE}


@pytest.mark.parametrize(("source", "there"), FROM_HTTP + TO_HTTP)
def test_a_video_is_loaded_there(source: Target, there: Target) -> None:
    relay = HttpRelay(source, there)
    relay.send(file=("plan.mp4", b"a short video"))
    assert relay.files() == [b"a short video"]


@pytest.mark.parametrize("there", [HTTP, POLLING], ids=lambda target: target.title)
def test_bytes_that_the_bot_has_made_are_loaded_and_no_part_of_the_reply(there: Target) -> None:
    data = b64encode(b"a,b").decode()
    relay = HttpRelay(titled("feishu"), there, lambda _: File(name="table.csv", data=data))
    relay.send(image=PICTURE)
    assert relay.files() == [b"a,b"]
    assert not any(segment.get("data") for segment in relay.segments())
    assert [mime for _, mime in relay.bucket.objects.values()] == ["text/csv"]


def test_a_copy_belongs_to_the_person_who_gets_the_reply() -> None:
    relay = HttpRelay(titled("feishu"), HTTP)
    relay.send(image=PICTURE)
    (key,) = relay.bucket.objects
    mei = relay.sim.platforms["http"].person("mei").id
    assert key.startswith(f"{APP}/{mark_of(mei)}")


def test_a_bucket_that_is_away_for_a_moment_costs_nothing() -> None:
    relay = HttpRelay(titled("feishu"), HTTP)
    relay.bucket.refuses = 3
    relay.send(image=PICTURE)
    assert relay.files() == [PICTURE]


def test_without_the_bucket_for_a_minute_the_words_go_out() -> None:
    relay = HttpRelay(titled("feishu"), HTTP)
    relay.bucket.refuses = 1000
    started = relay.sim.clock()
    relay.send(image=PICTURE)
    assert relay.files() == []
    assert "[image: could not be sent]" in relay.words()
    assert 60 <= relay.sim.clock() - started < 200


def test_media_that_are_gone_are_words_and_the_others_are_there() -> None:
    smaller = b64encode(b"png.").decode()

    def two(media: Any) -> AnySegment:
        gone = replace(media, source=replace(media.source, app="another"))
        return Card(title="New", images=(gone, Image(data=smaller), media))

    relay = HttpRelay(titled("feishu"), HTTP, two)
    relay.send(image=PICTURE)
    assert relay.files() == [b"png.", PICTURE]


def test_a_deployment_without_the_bucket_names_the_media(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARLEY_MEDIA_HOST")
    relay = HttpRelay(titled("feishu"), HTTP)
    relay.send(image=PICTURE)
    assert relay.bucket.uploads == 0
    assert "[image]" in relay.words()
    assert [segment["type"] for segment in relay.segments()] == ["text", "image"]
    assert "source" not in msgspec.json.encode(relay.segments()).decode()
