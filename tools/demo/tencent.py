"""The rows of WeCom and WeChat. Attacks are sealed as the imitations seal, by `cryptography`, not by Parley's code."""

import time
import uuid
from dataclasses import replace
from typing import Any

from playground.platforms.digests import flip_first_digit
from playground.platforms.model import Wire
from playground.platforms.tencent import Tencent, wire
from tools.demo.case import Case, Seen
from tools.demo.rows import Rows, answered, fault
from tools.demo.world import Said, World

_BOMB = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>'


class TencentRows(Rows):
    """What is theirs: direct chats only, envelopes of XML, signatures in the query that cover no plain body."""

    def __init__(self, imitation: type[Tencent], *, keep_query: bool) -> None:
        self.imitation = imitation
        self.keep_query = keep_query
        """Whether what says that a body is encrypted stays with a plain one."""

    def opened(self, world: World, text: str, **more: Any) -> Said:
        """`text`, from somebody whom the app has never met."""
        return world.say("private", text, f"demo{uuid.uuid4().hex[:8]}", **more)

    def genuine(self, world: World, where: Said, age: float = 0) -> Wire:
        """A text, sealed."""
        imitation = self._knowing(world)
        return imitation.callback(imitation.account(world.app), self._fields(world, where), time.time() - age)

    def resealed(self, world: World, genuine: Wire, body: bytes) -> Wire:
        """The signature is inside the envelope's reach only: it stays."""
        del world
        return replace(genuine, body=body)

    def missigned(self, genuine: Wire) -> Wire:
        """With another first digit."""
        wrong = flip_first_digit(genuine.query["msg_signature"])
        return replace(genuine, query={**genuine.query, "msg_signature": wrong})

    def text(self, world: World) -> Seen:
        """A message to the app."""
        return answered(world, self.opened(world, "/echo 你好, Parley"))

    def image(self, world: World) -> Seen:
        """A picture."""
        return answered(world, self.opened(world, "", image=True))

    def lost_answer(self, world: World) -> Seen:
        """The API says it and its answer gets lost. Nothing covers a repetition: said once, and called unknown."""
        with fault(world, "drop_response", path="/send"):
            said = self.opened(world, "/echo once")
            answer = world.answers(said.room)[0]
            state = world.wait(lambda: _state(world, said.id), lambda found: found == "UNKNOWN", lambda found: found)
        world.again(said, "/echo after")
        texts = [message["text"] for message in world.answers(said.room, 2)]
        return Seen(f"{state}, said: {', '.join(texts)}", answer["at"] - said.at)

    def token_dies(self, world: World) -> Seen:
        """The platform forgets the access token before its time."""
        with fault(world, "token_expired"):
            return answered(world, self.opened(world, "/echo with another"))

    def within_the_callback(self, world: World) -> Seen:
        """An account that answers within the callback: the bot takes six seconds, the platform waits five."""
        passive = replace(world, app="passive")
        said = self.opened(passive, "/slow 6")
        (answer, *_) = passive.answers(said.room)
        found = passive.http.get(f"{world.stack['playground']}/api/trace/{said.id}").json()["delivery"]["attempts"]
        statuses = " ".join(str(attempt["status"]) for attempt in found)
        return Seen(f"{statuses}, {answer['text']!r}", answer["at"] - said.at)

    def plain(self, world: World) -> Seen:
        """Not encrypted; where the query says so too, its signature holds, for that one covers no byte of the body."""

        def attack(where: Said) -> Wire:
            sent = self.genuine(world, where)
            bare = {name: sent.query[name] for name in sent.query.keys() - {"encrypt_type", "msg_signature"}}
            body = wire.xml(self._fields(world, where))
            return replace(sent, query=sent.query if self.keep_query else bare, body=body)

        return self.refused(world, attack)

    def bomb(self, world: World) -> Seen:
        """A document type with entities, in the place of the envelope."""
        return self.refused(world, lambda where: replace(self.genuine(world, where), body=_BOMB))

    def _knowing(self, world: World) -> Tencent:
        imitation = self.imitation()
        imitation.add_app(world.app, world.config)
        return imitation

    def _fields(self, world: World, where: Said) -> dict[str, Any]:
        imitation = self._knowing(world)
        ends = imitation.addresses(imitation.account(world.app), where.sender)
        return {**ends, "MsgType": "text", "Content": "/echo attack", "MsgId": int(imitation.message_id())}

    def cases(self, card: str, *more: Case) -> tuple[Case, ...]:
        """All of them; a card is of the type `card`."""
        return (
            Case("verification of the URL", "200, accepted", self.challenge),
            Case("text", "'你好, Parley'", self.text),
            Case("image", "'Thank you for the image.'", self.image),
            Case("card, and a press of its button", f"{card}, 200, 'You chose coffee.'", self.card_and_button),
            Case("one message three times, then another", "200 200; answers 1 then 2", self.three_times),
            Case("the answer to a send gets lost", "UNKNOWN, said: once, after", self.lost_answer),
            Case("access token dies", "'with another'", self.token_dies),
            *more,
            Case("forged signature", "401 forged, unheard", self.forged),
            Case("signed a day ago", "401 stale, unheard", self.day_old),
            Case("plain, to an app that encrypts", "401 forged, unheard", self.plain),
            Case("truncated body", "400 malformed, unheard", self.truncated),
            Case("DOCTYPE with entities", "400 malformed, unheard", self.bomb),
            Case("body of 1 MiB", "413 too_large, unheard", self.one_mebibyte),
            Case("unknown app", "404 unknown_app, unheard", self.unknown_app),
        )


def _state(world: World, message_id: str) -> str:
    found = world.http.get(f"{world.stack['playground']}/api/journal/{message_id}").json()
    return next((reply["state"] for reply in found.get("replies", ())), "")
