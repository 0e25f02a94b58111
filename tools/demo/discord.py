"""Discord's rows. Attacks are signed by PyNaCl with the key that only Discord has."""

import json
import time
import uuid
from typing import Any

from nacl.signing import SigningKey

from playground.platforms.discord import wire
from playground.platforms.discord.accounts import GUILD
from playground.platforms.model import Wire
from tools.demo.case import Case, Seen
from tools.demo.world import Answer, World

DAY = 86_400
_COMMAND, _SLASH = 2, 1


# --- persons speak, through the imitated Discord ---


def address(world: World) -> Seen:
    """Saving the address: the ping, and before it the probe with a wrong signature that has to get 401."""
    done = world.post("/api/challenge", app=world.app)
    (attempt,) = done["attempts"]
    right = "a pong" if done["ok"] else "no pong"
    return Seen(f"{attempt['status']}, {right}", attempt["ms"] / 1000)


def slash(world: World) -> Seen:
    """A slash command with an option, in a direct chat."""
    said = world.say("private", "/echo 你好, Parley")
    return _answered(world, said.room, said.at)


def thread(world: World) -> Seen:
    """A slash command in a thread: its answer must be in the same thread."""
    said = world.say(world.group(), "/echo in here", thread=True)
    (answer, *_) = world.answers(said.room)
    where = "in the thread" if answer["thread"] and answer["thread"] == said.thread else "outside the thread"
    return Seen(f"{answer['text']!r} {where}", answer["at"] - said.at)


def card_and_button(world: World) -> Seen:
    """An embed with buttons, and the press of the second."""
    said = world.say(world.group(), "/card")
    (card, *_) = world.answers(said.room)
    pressed = world.post("/api/press", app=world.app, message_id=card["id"], button="coffee", sender="lin")
    status = pressed["attempts"][0]["status"]
    answer = world.answers(said.room, 2)[1]
    return Seen(f"{status}, {answer['text']!r}", answer["at"] - pressed["at"])


def three_times(world: World) -> Seen:
    """The same interaction three times, which Discord promises never to do. The bot counts."""
    said = world.say(world.group(), "/count")
    first = world.answers(said.room)[0]
    repeated = world.post("/api/deliver", message_id=said.id, times=2)["attempts"]
    world.say(said.room, "/count")
    numbers = " then ".join(answer["text"] for answer in world.answers(said.room, 2))
    statuses = " ".join(str(attempt["status"]) for attempt in repeated)
    return Seen(f"{statuses}; answers {numbers}", first["at"] - said.at)


def lost_answer(world: World) -> Seen:
    """Discord fills in the promise, and its answer gets lost: it is asked again, and must say it once."""
    room = world.say(world.group(), "nobody is told", deliver=False).room
    world.post("/api/faults", kind="drop_response", times=1, path="/messages/@original")
    try:
        said = world.say(room, "/echo once")
        answer = world.answers(room)[0]
    finally:
        world.http.delete(world.stack["playground"] + "/api/faults", params={"platform": world.platform})
    world.say(room, "/echo after")
    texts = [message["text"] for message in world.answers(room, 2)]
    return Seen(f"said: {', '.join(texts)}", answer["at"] - said.at)


def expired(world: World) -> Seen:
    """The interaction's token dies before the answer: it is said in the channel, with the bot's token."""
    room = world.group()
    world.post("/api/faults", kind="token_expired", times=1)
    try:
        said = world.say(room, "/echo late")
        (answer, *_) = world.answers(said.room)
    finally:
        world.http.delete(world.stack["playground"] + "/api/faults", params={"platform": world.platform})
    path = next(call["path"] for call in reversed(world.calls()) if call["message_id"] == answer["id"])
    how = "in the channel" if "/channels/" in path else "with the interaction's token"
    return Seen(f"{answer['text']!r} {how}", answer["at"] - said.at)


def _answered(world: World, room: str, since: float) -> Seen:
    (answer, *_) = world.answers(room, since=since)
    return Seen(repr(answer["text"]), answer["at"] - since)


# --- somebody else speaks, at the callback URL ---


def forged(world: World) -> Seen:
    """One digit of the signature is wrong."""
    return _refused(world, lambda room: _sent(world, wire.wrongly_signed(_signed(world, room))))


def unsigned(world: World) -> Seen:
    """No signature at all."""
    return _refused(world, lambda room: _sent(world, Wire(body=_signed(world, room).body)))


def day_old(world: World) -> Seen:
    """A genuine interaction of yesterday: the signature holds, and covers yesterday's time."""
    return _refused(world, lambda room: _sent(world, _signed(world, room, age=DAY)))


def truncated(world: World) -> Seen:
    """Half of the body, with a signature that holds for that half."""

    def attack(room: str) -> Answer:
        body = _signed(world, room).body
        return _sent(world, wire.signed(_key(world), body[: len(body) // 2], time.time()))

    return _refused(world, attack)


def one_mebibyte(world: World) -> Seen:
    """A genuine interaction with a megabyte of white space."""

    def attack(room: str) -> Answer:
        body = _signed(world, room).body
        return _sent(world, wire.signed(_key(world), body + b" " * (1_048_576 - len(body)), time.time()))

    return _refused(world, attack)


def unknown_app(world: World) -> Seen:
    """A genuine interaction of another application, at a URL that nobody has configured."""
    return _refused(world, lambda room: _sent(world, _signed(world, room), app="nobody"))


def _refused(world: World, attack: Any) -> Seen:
    """`attack` in a room of its own, then somebody really calls the command there: only that may be answered.

    One room is one FIFO group: had the attack been queued, its answer would have come first. What was attacked with is
    then sent once more as it should be, and has to be believed.
    """
    room = world.say(world.group(), "nobody is told", deliver=False).room
    answer = attack(room)
    world.say(room, "/echo genuine")
    texts = [message["text"] for message in world.answers(room)]
    believed = _sent(world, _signed(world, room))
    if believed.status != 200:
        return Seen(f"{answer.words}; the genuine one {believed.words}", answer.seconds)
    return Seen(f"{answer.words}, " + ("unheard" if texts == ["genuine"] else f"answered {texts}"), answer.seconds)


def _sent(world: World, sent: Wire, app: str = "") -> Answer:
    return world.call_back({"Content-Type": "application/json", **sent.headers}, sent.body, app)


def _key(world: World) -> SigningKey:
    return SigningKey(bytes.fromhex(world.stack["private"][world.platform][world.app]["signing_key"]))


def _signed(world: World, room: str, age: float = 0) -> Wire:
    """`/echo` as Discord makes it, for a command that nobody has called."""
    now = time.time() - age
    option = {"type": 3, "name": "text", "value": "attack"}
    user = {"id": wire.snowflake(now, 1), "username": "mallory", "discriminator": "0"}
    body = {
        "id": wire.snowflake(now, uuid.uuid4().int),
        "application_id": world.config["application_id"],
        "type": _COMMAND,
        "version": 1,
        "token": uuid.uuid4().hex,
        "guild_id": GUILD,
        "channel_id": room,
        "channel": {"id": room, "type": 0, "name": "demo"},
        "context": 0,
        "member": {"user": user, "roles": []},
        "data": {"id": wire.snowflake(now, 2), "name": "echo", "type": _SLASH, "options": [option]},
    }
    return wire.signed(_key(world), json.dumps(body).encode(), now)


CASES = (
    Case("saving the address: ping", "200, a pong", address),
    Case("slash command, direct chat", "'你好, Parley'", slash),
    Case("slash command in a thread", "'in here' in the thread", thread),
    Case("embed, and a press of its button", "200, 'You chose coffee.'", card_and_button),
    Case("one interaction three times, then another", "200 200; answers 1 then 2", three_times),
    Case("Discord's answer to an edit gets lost", "said: once, after", lost_answer),
    Case("interaction token dies before the answer", "'late' in the channel", expired),
    Case("forged signature", "401 forged, unheard", forged),
    Case("no signature", "401 forged, unheard", unsigned),
    Case("signed a day ago", "401 stale, unheard", day_old),
    Case("truncated body", "400 malformed, unheard", truncated),
    Case("body of 1 MiB", "413 too_large, unheard", one_mebibyte),
    Case("unknown app", "404 unknown_app, unheard", unknown_app),
)
