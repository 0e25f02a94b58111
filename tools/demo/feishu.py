"""Feishu's rows. Attacks are signed by `cryptography` and the standard library, not by Parley's own code."""

import random
import time
import uuid
from typing import Any

from playground.platforms.feishu import wire
from tools.demo.case import Case, Seen
from tools.demo.world import Answer, World

DAY = 86_400


# --- persons speak, through the imitated Feishu ---


def challenge(world: World) -> Seen:
    """The console's check of the request URL: encrypted, unsigned, within a second."""
    done = world.post("/api/challenge", app=world.app)
    (attempt,) = done["attempts"]
    return Seen(
        f"{attempt['status']}, " + ("the challenge" if done["ok"] else "not the challenge"), attempt["ms"] / 1000
    )


def private_text(world: World) -> Seen:
    """A direct message."""
    said = world.say("private", "/echo 你好, Parley")
    return _answered(world, said.room, said.at)


def group_thread(world: World) -> Seen:
    """The bot is mentioned in a topic of a group: its answer must be in the same topic."""
    said = world.say(world.group(), "/echo in here", mention=True, thread=True)
    (answer, *_) = world.answers(said.room)
    where = "in the thread" if answer["thread"] and answer["thread"] == said.thread else "outside the thread"
    return Seen(f"{answer['text']!r} {where}", answer["at"] - said.at)


def image(world: World) -> Seen:
    """A picture, in a direct message."""
    said = world.say("private", image=True)
    return _answered(world, said.room, said.at)


def card_and_button(world: World) -> Seen:
    """An interactive card, and the press of its second button."""
    said = world.say(world.group(), "/card")
    (card, *_) = world.answers(said.room)
    pressed = world.post("/api/press", app=world.app, message_id=card["id"], button="coffee", sender="lin")
    status = pressed["attempts"][0]["status"]
    answer = world.answers(said.room, 2)[1]
    return Seen(f"{card['type']}, {status}, {answer['text']!r}", answer["at"] - pressed["at"])


def three_times(world: World) -> Seen:
    """The same event three times. The bot counts: had it run twice, the next number would tell."""
    said = world.say(world.group(), "/count")
    first = world.answers(said.room)[0]
    repeated = world.post("/api/deliver", message_id=said.id, times=2)["attempts"]
    world.say(said.room, "/count")
    answers = world.answers(said.room, 2)
    numbers = " then ".join(answer["text"] for answer in answers)
    statuses = " ".join(str(attempt["status"]) for attempt in repeated)
    return Seen(f"{statuses}; answers {numbers}", first["at"] - said.at)


def lost_answer(world: World) -> Seen:
    """Feishu does what it was asked, and its answer gets lost: it is asked again, and must say it once."""
    room = world.say(world.group(), "nobody hears this", mention=False).room
    world.post("/api/faults", kind="drop_response", times=1, path="/im/v1/messages")
    try:
        said = world.say(room, "/echo once", mention=True)
        answer = world.answers(room)[0]
    finally:
        world.http.delete(world.stack["playground"] + "/api/faults", params={"platform": world.platform})
    world.say(room, "/echo after", mention=True)
    texts = [message["text"] for message in world.answers(room, 2)]
    asked = [call["key"] for call in world.calls() if call["room"] == room]
    return Seen(f"asked {asked.count(asked[0])} times, said: {', '.join(texts)}", answer["at"] - said.at)


def _answered(world: World, room: str, since: float) -> Seen:
    (answer, *_) = world.answers(room, since=since)
    return Seen(repr(answer["text"]), answer["at"] - since)


# --- somebody else speaks, at the callback URL ---


def forged(world: World) -> Seen:
    """One digit of the signature is wrong."""

    def attack(room: str) -> Answer:
        good = _signed(world, event(world, room))
        name, sent = "X-Lark-Signature", good.headers["X-Lark-Signature"]
        return world.call_back({**good.headers, name: f"{int(sent[0], 16) ^ 1:x}{sent[1:]}"}, good.body)

    return _refused(world, attack)


def day_old(world: World) -> Seen:
    """A genuine event of yesterday: the signature holds, and covers yesterday's time."""

    def attack(room: str) -> Answer:
        old = _signed(world, event(world, room), age=DAY)
        return world.call_back(old.headers, old.body)

    return _refused(world, attack)


def truncated(world: World) -> Seen:
    """Half of the body, with a signature that holds for that half."""

    def attack(room: str) -> Answer:
        whole = _signed(world, event(world, room))
        half = wire.resigned(
            whole, world.config["encrypt_key"], whole.body[: len(whole.body) // 2], time.time(), _dice()
        )
        return world.call_back(half.headers, half.body)

    return _refused(world, attack)


def plain(world: World) -> Seen:
    """Unencrypted, with the right verification token, to an app that has an Encrypt Key."""

    def attack(room: str) -> Answer:
        return world.call_back({"Content-Type": "application/json"}, wire.dumps(event(world, room)))

    return _refused(world, attack)


def one_mebibyte(world: World) -> Seen:
    """A genuine event with a megabyte of text in it."""

    def attack(room: str) -> Answer:
        large = _signed(world, event(world, room, "/echo " + "x" * 760_000))
        return world.call_back(large.headers, large.body + b" " * (1_048_576 - len(large.body)))

    return _refused(world, attack)


def unknown_app(world: World) -> Seen:
    """A genuine event of another app, at a URL that nobody has configured."""

    def attack(room: str) -> Answer:
        good = _signed(world, event(world, room))
        return world.call_back(good.headers, good.body, app="nobody")

    return _refused(world, attack)


def _refused(world: World, attack: Any) -> Seen:
    """`attack` in a room of its own, then the same, genuine: only the genuine one may be answered.

    One room is one FIFO group: had the attack been queued, its answer would have come first.
    """
    room = world.say(world.group(), "nobody hears this", mention=False).room
    answer = attack(room)
    good = _signed(world, event(world, room, "/echo genuine"))
    believed = world.call_back(good.headers, good.body)
    if believed.status != 200:
        return Seen(f"{answer.words}; the genuine one {believed.words}", answer.seconds)
    texts = [message["text"] for message in world.answers(room)]
    return Seen(f"{answer.words}, " + ("unheard" if texts == ["genuine"] else f"answered {texts}"), answer.seconds)


def event(world: World, room: str, text: str = "/echo attack") -> dict[str, Any]:
    """`im.message.receive_v1` as Feishu makes it, for a message that was never written."""
    config, now = world.config, str(int(time.time() * 1000))
    header = {
        "event_id": uuid.uuid4().hex,
        "event_type": "im.message.receive_v1",
        "create_time": now,
        "token": config["verification_token"],
        "app_id": config["app_id"],
        "tenant_key": "2ed263bf32cf1651",
    }
    sender = {
        "sender_id": {"open_id": f"ou_{uuid.uuid4().hex}"},
        "sender_type": "user",
        "tenant_key": "2ed263bf32cf1651",
    }
    message = {
        "message_id": f"om_{uuid.uuid4().hex}",
        "create_time": now,
        "chat_id": room,
        "chat_type": "group",
        "message_type": "text",
        "content": wire.dumps({"text": text}).decode(),
    }
    return {"schema": "2.0", "header": header, "event": {"sender": sender, "message": message}}


def _signed(world: World, value: dict[str, Any], age: float = 0) -> Any:
    return wire.callback(world.config["encrypt_key"], wire.dumps(value), time.time() - age, _dice())


def _dice() -> random.Random:
    return random.SystemRandom()


CASES = (
    Case("URL verification, encrypted", "200, the challenge", challenge),
    Case("private text", "'你好, Parley'", private_text),
    Case("group mention in a thread", "'in here' in the thread", group_thread),
    Case("image", "'Thank you for the image.'", image),
    Case("card, and a press of its button", "interactive, 200, 'You chose coffee.'", card_and_button),
    Case("one event three times, then another", "200 200; answers 1 then 2", three_times),
    Case("Feishu's answer to a send gets lost", "asked 2 times, said: once, after", lost_answer),
    Case("forged signature", "401 forged, unheard", forged),
    Case("signed a day ago", "401 stale, unheard", day_old),
    Case("truncated body", "400 malformed, unheard", truncated),
    Case("not encrypted", "401 forged, unheard", plain),
    Case("body of 1 MiB", "413 too_large, unheard", one_mebibyte),
    Case("unknown app", "404 unknown_app, unheard", unknown_app),
)
