"""A received picture or file goes to another place, on any platform: its bytes are uploaded there."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from random import Random
from typing import Annotated, Any

import pytest
from msgspec.structs import replace

from parley.bot import Ask, Bot, Option, Script, Turn
from parley.bot.rules import platform as on
from parley.model import AnySegment, Card, Destination, Image, Reply, Text
from parley.testing import Chat
from playground.platforms.base import PRIVATE, NewMessage
from playground.platforms.exchange import Request, Response
from playground.sample_image import png
from tools.faults.aws import isolated
from tools.faults.policies import FaultPlan
from tools.faults.simulation import Simulation
from tools.faults.targets import APP, Target, titled

TARGETS = tuple(map(titled, ("discord", "feishu", "wechat active", "wecom")))
PAIRS = [pytest.param(one, other, id=f"{one.name}-{other.name}") for one in TARGETS for other in TARGETS]
PICTURE = png(8, 8)
VIDEO = ("plan.mp4", b"a short video")
"""The only kind of file that people can send on each platform."""


class Relay:
    """A bot that passes on what Lin sends on the platform `source` to Mei on the platform `there`."""

    def __init__(self, source: Target, there: Target, build: Callable[[Any], AnySegment] = lambda media: media) -> None:
        self.source, self.there, self.build = source, there, build
        self.to: Destination | None = None
        targets = (source,) if source is there else (source, there)
        self.sim = Simulation(targets, FaultPlan(), self._bot(), Random(0))
        for target in targets:
            if target.register is not None:
                platform: Any = self.sim.platforms[target.name]
                target.register(platform, target.apps[APP], self._bot().specs())
        self._say(there, "mei", NewMessage(text="/here"))

    def _bot(self) -> Bot:
        bot = Bot()

        @bot.command()
        def here(turn: Turn) -> str:
            to = Destination.answering(turn.message)
            self.to = Destination(
                platform=to.platform, app=to.app, tenant=to.tenant, room_id=to.room_id, user_id=to.user_id
            )
            return "here"

        @bot.command()
        def look(turn: Turn, picture: Annotated[str, Option(kind="file")] = "") -> Reply:
            del picture
            return self._reply(turn)

        @bot.fallback(when=~on("discord"))
        def other(turn: Turn) -> Reply:
            return self._reply(turn)

        return bot

    def _reply(self, turn: Turn) -> Reply:
        media = turn.message.content.attachments[0]
        return Reply(segments=(Text(text="Look:"), self.build(media)), to=self.to)

    def _say(self, target: Target, person: str, message: NewMessage) -> None:
        self.sim.platforms[target.name].send_message(APP, PRIVATE, person, message)
        self.sim.settle()

    def send(self, image: bytes = b"", file: tuple[str, bytes] | None = None) -> None:
        """Lin sends a picture or a file."""
        text = "/look" if self.source.name == "discord" else ""
        self._say(self.source, "lin", NewMessage(text=text, image=image, file=file))

    def refuse(self, answer: Callable[[Request], Response | None]) -> None:
        """The API of the source answers so. None: as usual."""
        platform: Any = self.sim.platforms[self.source.name]
        api = platform.api
        platform.api = lambda request: answer(request) or api(request)

    def shown(self) -> list[dict[str, Any]]:
        """The parts of what people read there, after the answer to `/here`."""
        platform = self.sim.platforms[self.there.name]
        messages = [each for each in platform.messages.values() if each.sender_kind != "user"]
        return [part for message in messages[1:] for part in platform.parts(message)]

    def words(self) -> str:
        """The text that people read there."""
        return "\n".join(str(part.get("text", "")) for part in self.shown())

    def files(self) -> list[bytes]:
        """The files that people see there, those in cards too."""
        platform = self.sim.platforms[self.there.name]
        return [platform.media(str(key))[1] for key in keys_in(self.shown())]


def keys_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        found: dict[str, Any] = value
        if found.get("kind") in ("image", "file", "video", "audio") and found.get("key"):
            yield found["key"]
        value = list(found.values())
    for inner in value if isinstance(value, list) else ():
        yield from keys_in(inner)


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    with isolated():
        yield


@pytest.mark.parametrize(("source", "there"), PAIRS)
def test_a_received_picture_is_shown_at_the_other_place(source: Target, there: Target) -> None:
    relay = Relay(source, there)
    relay.send(image=PICTURE)
    assert relay.files() == [PICTURE]
    assert "Look:" in relay.words()


@pytest.mark.parametrize(("source", "there"), PAIRS)
def test_a_received_picture_is_shown_in_a_card(source: Target, there: Target) -> None:
    relay = Relay(source, there, lambda media: Card(title="New", images=(media,)))
    relay.send(image=PICTURE)
    assert relay.files() == [PICTURE]


@pytest.mark.parametrize(("source", "there"), PAIRS)
def test_a_received_video_is_sent_to_the_other_place(source: Target, there: Target) -> None:
    relay = Relay(source, there)
    relay.send(file=VIDEO)
    if (source.name, there.name) == ("feishu", "wechat"):  # a file, which is no message there
        assert "[plan.mp4: cannot be sent here]" in relay.words()
    else:
        assert relay.files() == [VIDEO[1]]


@pytest.mark.parametrize(("source", "there"), PAIRS)
def test_media_that_are_gone_are_words(source: Target, there: Target) -> None:
    if source is there and source.name in ("wecom", "wechat"):
        return  # the platform knows the picture by its handle
    relay = Relay(source, there)
    relay.refuse(lambda request: Response(404, b"{}") if is_download(request) else None)
    relay.send(image=PICTURE)
    assert relay.files() == []
    assert "Look:" in relay.words()
    assert "image" in relay.words()


@pytest.mark.parametrize("source", [titled("feishu"), titled("discord")], ids=lambda target: target.name)
def test_a_source_that_does_not_answer_delays_the_words_for_a_minute(source: Target) -> None:
    relay = Relay(source, titled("wecom"))
    relay.refuse(lambda request: Response(500) if is_download(request) else None)
    started = relay.sim.clock()
    relay.send(image=PICTURE)
    assert "Look:" in relay.words()
    assert 60 <= relay.sim.clock() - started < 200


def test_a_source_that_answers_again_within_a_minute_costs_nothing() -> None:
    relay = Relay(titled("feishu"), titled("discord"))
    answers = iter([Response(500), Response(500)])
    relay.refuse(lambda request: next(answers, None) if is_download(request) else None)
    relay.send(image=PICTURE)
    assert relay.files() == [PICTURE]


def test_a_picture_that_is_too_large_for_the_other_place_is_words() -> None:
    relay = Relay(titled("feishu"), titled("wecom"))
    relay.send(image=PICTURE + bytes(11 * 1024 * 1024))
    assert relay.files() == []
    assert "[image: could not be sent]" in relay.words()


def test_the_app_of_the_source_may_be_gone() -> None:
    def from_another(media: Any) -> AnySegment:
        return replace(media, source=replace(media.source, app="another"))

    relay = Relay(titled("feishu"), titled("wecom"), from_another)
    relay.send(image=PICTURE)
    assert "[image: could not be sent]" in relay.words()


def test_what_the_bot_has_made_of_received_media_is_its_own() -> None:
    smaller = png(1, 1)
    data = b64encode(smaller).decode()
    relay = Relay(titled("feishu"), titled("wecom"), lambda media: replace(media, key="", data=data))
    relay.refuse(lambda request: Response(404, b"{}") if is_download(request) else None)
    relay.send(image=PICTURE)
    assert relay.files() == [smaller]


def test_a_picture_of_an_earlier_message_can_be_read_and_passed_on() -> None:
    bot = Bot()

    @bot.command()
    def report(turn: Turn) -> Script:
        picture = yield Ask("Picture?", type=Image)
        text = yield Ask("What is it?")
        turn.say(Reply(segments=(Text(text=f"{text}, {len(turn.fetch(picture))} bytes"), picture)))

    chat = Chat(bot)
    chat.say("/report")
    chat.say(image=PICTURE)
    chat.say("a fire")
    assert f"a fire, {len(PICTURE)} bytes" in str(chat.replies[-2])
    assert str(chat.last) == "(image)"


def is_download(request: Request) -> bool:
    """Whether it fetches the bytes of a message, on any platform."""
    return any(part in request.path for part in ("/resources/", "/attachments/", "/media/get", "/media/", "/pic"))
