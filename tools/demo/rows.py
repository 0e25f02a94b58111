"""The rows that every platform has: what persons do there, and what somebody else tries at the callback URL."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playground.platforms.model import Wire
from tools.demo.case import Seen
from tools.demo.world import Answer, Said, World

DAY = 86_400
MEBIBYTE = 1_048_576


class Rows(ABC):
    """One platform's rows. The callback that an attacker starts from is signed by other people's cryptography."""

    @abstractmethod
    def opened(self, world: World, text: str, **more: Any) -> Said:
        """`text`, said where nobody has spoken before."""

    @abstractmethod
    def genuine(self, world: World, where: Said, age: float = 0) -> Wire:
        """A callback as the platform makes it, `age` seconds ago, for a message that was never written."""

    @abstractmethod
    def resealed(self, world: World, genuine: Wire, body: bytes) -> Wire:
        """`genuine` with another body, and a signature that holds for it where the platform's covers the body."""

    @abstractmethod
    def missigned(self, genuine: Wire) -> Wire:
        """`genuine` with one digit of its signature changed."""

    # --- persons speak, through the imitation ---

    def challenge(self, world: World) -> Seen:
        """The console's check of the callback URL."""
        done = world.post("/api/challenge", app=world.app)
        (attempt,) = done["attempts"]
        return Seen(f"{attempt['status']}, " + ("accepted" if done["ok"] else "not accepted"), attempt["ms"] / 1000)

    def text(self, world: World) -> Seen:
        """A direct message."""
        return answered(world, world.say("private", "/echo 你好, Parley"))

    def image(self, world: World) -> Seen:
        """A picture, in a direct message."""
        return answered(world, world.say("private", image=True))

    def in_thread(self, world: World) -> Seen:
        """The bot is spoken to in a thread of a group: its answer must be in the same thread."""
        said = world.say(world.group(), "/echo in here", mention=True, thread=True)
        (answer, *_) = world.answers(said.room)
        where = "in the thread" if answer["thread"] and answer["thread"] == said.thread else "outside the thread"
        return Seen(f"{answer['text']!r} {where}", answer["at"] - said.at)

    def card_and_button(self, world: World) -> Seen:
        """Two buttons, in the platform's own form, and the second of them pressed."""
        said = self.opened(world, "/card")
        (card, *_) = world.answers(said.room)
        pressed = world.post("/api/press", app=world.app, message_id=card["id"], button="coffee", sender=said.sender)
        status = pressed["attempts"][0]["status"]
        answer = world.answers(said.room, 2)[1]
        return Seen(f"{card['type']}, {status}, {answer['text']!r}", answer["at"] - pressed["at"])

    def three_times(self, world: World) -> Seen:
        """The same callback three times. The bot counts: had it run twice, the next number would tell."""
        said = self.opened(world, "/count")
        first = world.answers(said.room)[0]
        repeated = world.post("/api/deliver", message_id=said.id, times=2)["attempts"]
        world.again(said, "/count")
        numbers = " then ".join(answer["text"] for answer in world.answers(said.room, 2))
        statuses = " ".join(str(attempt["status"]) for attempt in repeated)
        return Seen(f"{statuses}; answers {numbers}", first["at"] - said.at)

    # --- somebody else speaks, at the callback URL ---

    def forged(self, world: World) -> Seen:
        """One digit of the signature is wrong."""
        return self.refused(world, lambda where: self.missigned(self.genuine(world, where)))

    def day_old(self, world: World) -> Seen:
        """A genuine callback of yesterday: the signature holds, and covers yesterday's time."""
        return self.refused(world, lambda where: self.genuine(world, where, age=DAY))

    def truncated(self, world: World) -> Seen:
        """Half of the body."""

        def attack(where: Said) -> Wire:
            wire = self.genuine(world, where)
            return self.resealed(world, wire, wire.body[: len(wire.body) // 2])

        return self.refused(world, attack)

    def one_mebibyte(self, world: World) -> Seen:
        """A genuine callback with white space behind it."""

        def attack(where: Said) -> Wire:
            wire = self.genuine(world, where)
            return self.resealed(world, wire, wire.body + b" " * (MEBIBYTE - len(wire.body)))

        return self.refused(world, attack)

    def unknown_app(self, world: World) -> Seen:
        """A genuine callback of another app, at a URL that nobody has configured."""
        return self.refused(world, lambda where: self.genuine(world, where), app="nobody")

    def refused(self, world: World, attack: Callable[[Said], Wire], app: str = "") -> Seen:
        """`attack` where somebody has spoken, who then goes on: only the person may be answered.

        One conversation is one FIFO group: had the attack been queued, its answer would have come first. At last the
        same comes as it should be, and has to be believed.
        """
        where = self.opened(world, "/echo before")
        world.answers(where.room)
        answer = _sent(world, attack(where), app)
        world.again(where, "/echo after")
        texts = [message["text"] for message in world.answers(where.room, 2)]
        believed = _sent(world, self.genuine(world, where))
        if believed.status != 200:
            return Seen(f"{answer.words}; the genuine one {believed.words}", answer.seconds)
        heard = "unheard" if texts == ["before", "after"] else f"answered {texts}"
        return Seen(f"{answer.words}, {heard}", answer.seconds)


def answered(world: World, said: Said) -> Seen:
    """The first answer since `said`."""
    (answer, *_) = world.answers(said.room, since=said.at)
    return Seen(repr(answer["text"]), answer["at"] - said.at)


@contextmanager
def fault(world: World, kind: str, **more: Any) -> Iterator[None]:
    """The platform's next API call fails so."""
    world.post("/api/faults", kind=kind, times=1, **more)
    try:
        yield
    finally:
        world.http.delete(world.stack["playground"] + "/api/faults", params={"platform": world.platform})


def _sent(world: World, wire: Wire, app: str = "") -> Answer:
    return world.call_back(wire.headers, wire.body, app, wire.query)
