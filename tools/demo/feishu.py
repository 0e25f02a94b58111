"""Feishu's rows. Attacks are signed by `cryptography` and the standard library, not by Parley's own code."""

import time
import uuid
from dataclasses import replace
from random import SystemRandom
from typing import Any

from playground.platforms.feishu import wire
from playground.platforms.model import Wire
from tools.demo.case import Case, Seen
from tools.demo.rows import Rows, fault
from tools.demo.world import Said, World

_DICE = SystemRandom()
_SIGNATURE = "X-Lark-Signature"


class Feishu(Rows):
    """What is Feishu's own: groups, signed headers, encrypted bodies."""

    def opened(self, world: World, text: str, **more: Any) -> Said:
        """`text`, to the bot in a new group."""
        return world.say(world.group(), text, **more)

    def genuine(self, world: World, where: Said, age: float = 0) -> Wire:
        """An event, encrypted and signed."""
        plain = wire.dumps(event(world, where.room))
        return wire.callback(world.config["encrypt_key"], plain, time.time() - age, _DICE)

    def resealed(self, world: World, genuine: Wire, body: bytes) -> Wire:
        """Signed anew."""
        return wire.resigned(genuine, world.config["encrypt_key"], body, time.time(), _DICE)

    def missigned(self, genuine: Wire) -> Wire:
        """With another first digit."""
        sent = genuine.headers[_SIGNATURE]
        return replace(genuine, headers={**genuine.headers, _SIGNATURE: f"{int(sent[0], 16) ^ 1:x}{sent[1:]}"})

    def lost_answer(self, world: World) -> Seen:
        """Feishu does what it was asked, and its answer gets lost: it is asked again, and must say it once."""
        with fault(world, "drop_response", path="/im/v1/messages"):
            said = self.opened(world, "/echo once")
            answer = world.answers(said.room)[0]
        world.again(said, "/echo after")
        texts = [message["text"] for message in world.answers(said.room, 2)]
        asked = [call["key"] for call in world.calls() if call["room"] == said.room]
        return Seen(f"asked {asked.count(asked[0])} times, said: {', '.join(texts)}", answer["at"] - said.at)

    def plain(self, world: World) -> Seen:
        """Unencrypted, with the right verification token, to an app that has an Encrypt Key."""
        headers = {"Content-Type": "application/json"}
        return self.refused(world, lambda where: Wire(headers=headers, body=wire.dumps(event(world, where.room))))


def event(world: World, room: str) -> dict[str, Any]:
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
        "content": wire.dumps({"text": "/echo attack"}).decode(),
    }
    return {"schema": "2.0", "header": header, "event": {"sender": sender, "message": message}}


_ROWS = Feishu()
CASES = (
    Case("URL verification, encrypted", "200, accepted", _ROWS.challenge),
    Case("private text", "'你好, Parley'", _ROWS.text),
    Case("group mention in a thread", "'in here' in the thread", _ROWS.in_thread),
    Case("image", "'Thank you for the image.'", _ROWS.image),
    Case("card, and a press of its button", "interactive, 200, 'You chose coffee.'", _ROWS.card_and_button),
    Case("one event three times, then another", "200 200; answers 1 then 2", _ROWS.three_times),
    Case("Feishu's answer to a send gets lost", "asked 2 times, said: once, after", _ROWS.lost_answer),
    Case("forged signature", "401 forged, unheard", _ROWS.forged),
    Case("signed a day ago", "401 stale, unheard", _ROWS.day_old),
    Case("truncated body", "400 malformed, unheard", _ROWS.truncated),
    Case("not encrypted", "401 forged, unheard", _ROWS.plain),
    Case("body of 1 MiB", "413 too_large, unheard", _ROWS.one_mebibyte),
    Case("unknown app", "404 unknown_app, unheard", _ROWS.unknown_app),
)
