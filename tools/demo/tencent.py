"""The rows of WeCom and WeChat. Attacks are sealed as the imitations seal, by `cryptography`, not by Parley's code."""

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from playground.platforms.model import Wire
from playground.platforms.tencent import Tencent, wire
from playground.platforms.tencent.accounts import Account
from playground.platforms.wechat import Wechat
from playground.platforms.wecom import Wecom
from tools.demo.case import Case, Seen
from tools.demo.world import Answer, Said, World

DAY = 86_400
_IMITATIONS: dict[str, type[Tencent]] = {"wecom": Wecom, "wechat": Wechat}


# --- persons speak, through the imitation ---


def challenge(world: World) -> Seen:
    """The console's check of the URL."""
    done = world.post("/api/challenge", app=world.app)
    (attempt,) = done["attempts"]
    return Seen(f"{attempt['status']}, " + ("its echo" if done["ok"] else "not its echo"), attempt["ms"] / 1000)


def text(world: World) -> Seen:
    """A message to the app."""
    return _answered(world, _say(world, _person(), "/echo 你好, Parley"))


def image(world: World) -> Seen:
    """A picture."""
    return _answered(world, _say(world, _person(), image=True))


def card_and_button(world: World) -> Seen:
    """Two buttons, in the platform's own form, and the second of them pressed."""
    person = _person()
    said = _say(world, person, "/card")
    (card, *_) = world.answers(said.room)
    pressed = world.post("/api/press", app=world.app, message_id=card["id"], button="coffee", sender=person)
    status = pressed["attempts"][0]["status"]
    answer = world.answers(said.room, 2)[1]
    return Seen(f"{card['type']}, {status}, {answer['text']!r}", answer["at"] - pressed["at"])


def three_times(world: World) -> Seen:
    """The same message three times. The bot counts: had it run twice, the next number would tell."""
    person = _person()
    said = _say(world, person, "/count")
    first = world.answers(said.room)[0]
    repeated = world.post("/api/deliver", message_id=said.id, times=2)["attempts"]
    _say(world, person, "/count")
    numbers = " then ".join(answer["text"] for answer in world.answers(said.room, 2))
    statuses = " ".join(str(attempt["status"]) for attempt in repeated)
    return Seen(f"{statuses}; answers {numbers}", first["at"] - said.at)


def lost_answer(world: World) -> Seen:
    """The API says it and its answer gets lost. Nothing covers a repetition: it is said once, and called unknown."""
    person = _person()
    world.post("/api/faults", kind="drop_response", times=1, path="/send")
    try:
        said = _say(world, person, "/echo once")
        answer = world.answers(said.room)[0]
        state = world.wait(lambda: _state(world, said.id), lambda found: found == "UNKNOWN", lambda found: found)
    finally:
        world.http.delete(world.stack["playground"] + "/api/faults", params={"platform": world.platform})
    _say(world, person, "/echo after")
    texts = [message["text"] for message in world.answers(said.room, 2)]
    return Seen(f"{state}, said: {', '.join(texts)}", answer["at"] - said.at)


def token_dies(world: World) -> Seen:
    """The platform forgets the access token before its time."""
    world.post("/api/faults", kind="token_expired", times=1)
    try:
        return _answered(world, _say(world, _person(), "/echo with another"))
    finally:
        world.http.delete(world.stack["playground"] + "/api/faults", params={"platform": world.platform})


def within_the_callback(world: World) -> Seen:
    """An account that answers within the callback: the bot takes six seconds, the platform waits five."""
    passive = replace(world, app="passive")
    said = _say(passive, _person(), "/slow 6")
    (answer, *_) = passive.answers(said.room)
    found = passive.http.get(f"{world.stack['playground']}/api/way/{said.id}").json()["delivery"]["attempts"]
    statuses = " ".join(str(attempt["status"]) for attempt in found)
    return Seen(f"{statuses}, {answer['text']!r}", answer["at"] - said.at)


def _say(world: World, person: str, text: str = "", **more: Any) -> Said:
    asked = time.time()
    said = world.post("/api/say", app=world.app, sender=person, text=text, **more)
    return Said(said["message_id"], said["room"], asked)


def _person() -> str:
    """Somebody whom the app has never met."""
    return f"demo{uuid.uuid4().hex[:8]}"


def _state(world: World, message_id: str) -> str:
    found = world.http.get(f"{world.stack['playground']}/api/journal/{message_id}").json()
    return next((reply["state"] for reply in found.get("replies", ())), "")


def _answered(world: World, said: Said) -> Seen:
    (answer, *_) = world.answers(said.room)
    return Seen(repr(answer["text"]), answer["at"] - said.at)


# --- somebody else speaks, at the callback URL ---


def forged(world: World) -> Seen:
    """One digit of the signature is wrong."""

    def attack(imitation: Tencent, account: Account, fields: dict[str, Any]) -> Answer:
        sent = imitation.wrapped(account, fields, time.time())
        return _sent(world, replace(sent, query={**sent.query, "msg_signature": _flipped(sent)}))

    return _refused(world, attack)


def day_old(world: World) -> Seen:
    """Sealed yesterday."""
    return _refused(world, lambda imitation, account, f: _sent(world, imitation.wrapped(account, f, time.time() - DAY)))


def plain(world: World) -> Seen:
    """Not encrypted; on WeChat with a signature that holds, for that one covers no byte of the body."""

    def attack(imitation: Tencent, account: Account, fields: dict[str, Any]) -> Answer:
        sent = imitation.wrapped(account, fields, time.time())
        query = {name: value for name, value in sent.query.items() if name not in ("encrypt_type", "msg_signature")}
        kept = query if world.platform == "wechat" else sent.query
        return _sent(world, replace(sent, query=kept, body=wire.xml(fields)))

    return _refused(world, attack)


def truncated(world: World) -> Seen:
    """Half of the body."""

    def attack(imitation: Tencent, account: Account, fields: dict[str, Any]) -> Answer:
        sent = imitation.wrapped(account, fields, time.time())
        return _sent(world, replace(sent, body=sent.body[: len(sent.body) // 2]))

    return _refused(world, attack)


def bomb(world: World) -> Seen:
    """A document type with entities, in the place of the envelope."""
    body = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>'
    return _refused(
        world,
        lambda imitation, account, f: _sent(world, replace(imitation.wrapped(account, f, time.time()), body=body)),
    )


def one_mebibyte(world: World) -> Seen:
    """A genuine message with white space behind it."""

    def attack(imitation: Tencent, account: Account, fields: dict[str, Any]) -> Answer:
        sent = imitation.wrapped(account, fields, time.time())
        return _sent(world, replace(sent, body=sent.body + b" " * 1_048_576))

    return _refused(world, attack)


def unknown_app(world: World) -> Seen:
    """A genuine message, at a URL that nobody has configured."""
    return _refused(
        world, lambda imitation, account, f: _sent(world, imitation.wrapped(account, f, time.time()), app="nobody")
    )


Attack = Callable[[Tencent, Account, dict[str, Any]], Answer]


def _refused(world: World, attack: Attack) -> Seen:
    """`attack` in somebody's chat; then the person writes themselves: only that may be answered.

    One chat is one FIFO group: had the attack been queued, its answer would have come first.
    """
    imitation = _IMITATIONS[world.platform]()
    imitation.add_app(world.app, world.config)
    account, person = imitation.account(world.app), _person()
    room = _say(world, person, "/echo before").room
    world.answers(room)
    fields = {**imitation.ends(account, person), "MsgType": "text", "Content": "/echo attack"}
    answer = attack(imitation, account, fields | {"MsgId": int(imitation.message_id())})
    _say(world, person, "/echo genuine")
    texts = [message["text"] for message in world.answers(room, 2)]
    heard = "unheard" if texts == ["before", "genuine"] else f"answered {texts}"
    return Seen(f"{answer.words}, {heard}", answer.seconds)


def _sent(world: World, sent: Wire, app: str = "") -> Answer:
    return world.call_back(sent.headers, sent.body, app, sent.query)


def _flipped(sent: Wire) -> str:
    return wire.flipped(sent.query["msg_signature"])


def _cases(card: str, *more: Case) -> tuple[Case, ...]:
    return (
        Case("verification of the URL", "200, its echo", challenge),
        Case("text", "'你好, Parley'", text),
        Case("image", "'Thank you for the image.'", image),
        Case("card, and a press of its button", f"{card}, 200, 'You chose coffee.'", card_and_button),
        Case("one message three times, then another", "200 200; answers 1 then 2", three_times),
        Case("the answer to a send gets lost", "UNKNOWN, said: once, after", lost_answer),
        Case("access token dies", "'with another'", token_dies),
        *more,
        Case("forged signature", "401 forged, unheard", forged),
        Case("signed a day ago", "401 stale, unheard", day_old),
        Case("plain, to an app that encrypts", "401 forged, unheard", plain),
        Case("truncated body", "400 malformed, unheard", truncated),
        Case("DOCTYPE with entities", "400 malformed, unheard", bomb),
        Case("body of 1 MiB", "413 too_large, unheard", one_mebibyte),
        Case("unknown app", "404 unknown_app, unheard", unknown_app),
    )


WECOM = _cases("template_card")
WECHAT = _cases(
    "msgmenu", Case("six seconds, within the callback", "504 200, 'That took 6 seconds.'", within_the_callback)
)
