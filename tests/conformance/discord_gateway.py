"""Checks of the vectors of Discord's Gateway: the connector's protocol, and its events as messages."""

import json
from collections.abc import Callable
from typing import Any

from connectors.discord import closing, frames
from connectors.discord.api import may_identify, rounds
from connectors.discord.frames import Identity
from connectors.discord.session import Close, Connect, Permit, Phase, Saved, Send, Session
from parley.adapter import App
from parley.platforms.discord.config import Config
from parley.platforms.discord.gateway import Event, messages_of
from parley.platforms.discord.intents import INTENTS, PRIVILEGED, bits
from tests.conformance.kit import NotApplicable, Vector, expect, expect_equal

APP = App("discord", "v", Config(application_id="1000000000000000001", public_key="00" * 32, bot_token="t"))
BASE = "wss://gateway.discord.gg"
NOW = 1000.0


def _close_code(vector: Vector) -> None:
    made = _live({"session_id": "s", "resume_url": "wss://r.discord.gg", "seq": 5})
    made.closed(vector.inputs["code"], NOW)
    action = "stop" if made.phase is Phase.STOPPED else "resume" if made.saved.session_id else "identify"
    expect_equal(action, vector.expected["action"], "action")


def _intent(vector: Vector) -> None:
    name = vector.inputs["name"]
    expect_equal(INTENTS[name], vector.expected["value"], "value")
    expect_equal(name in PRIVILEGED, vector.expected["privileged"], "privileged")


def _intents_sum(vector: Vector) -> None:
    expect_equal(bits(vector.inputs["names"]), vector.expected["value"], "value")


def _shard(vector: Vector) -> None:
    found = frames.shard_of(vector.inputs["guild_id"] or "", vector.inputs["num_shards"])
    expect_equal(found, vector.expected["shard_id"], "shard")


def _identify_order(vector: Vector) -> None:
    shards, at_once = vector.inputs["num_shards"], vector.inputs["max_concurrency"]
    expect_equal([shard % at_once for shard in range(shards)], vector.expected["rate_limit_keys"], "keys")
    expect_equal(rounds(shards, at_once), vector.expected["rounds"], "rounds")


def _gateway_url(vector: Vector) -> None:
    if vector.inputs.get("compress"):
        raise NotApplicable("the connector asks for no compression")
    expect_equal(frames.address(vector.inputs["base"]), vector.expected["url"], "url")


def _payload(vector: Vector) -> None:
    given = vector.inputs
    if "token" in given:
        who = Identity(token=given["token"], intents=given["intents"], shard=tuple(given["shard"]))
        expect_equal(frames.identify(who), vector.expected, "frame")
    else:
        expect_equal(frames.heartbeat(given["seq"]), vector.expected, "frame")


def _payload_limit(vector: Vector) -> None:
    filler = "x" * (vector.inputs["bytes"] - len('{"op":1,"d":""}'))
    try:
        frames.encoded({"op": 1, "d": filler})
        sent = True
    except ValueError:
        sent = False
    expect_equal(sent, vector.expected["may_send"], "may_send")


def _waiting(state: dict[str, Any]) -> Session:
    """A session with an open socket on which nothing has come."""
    saved = Saved(
        session_id=state["session_id"] or "", resume_url=state["resume_url"] or "", seq=state["seq"], user_id="1"
    )
    made = Session(Identity(token="t", intents=1), saved, lambda: 0.5)
    made.start(NOW)
    made.permitted(BASE, NOW)
    made.opened(NOW)
    return made


def _live(state: dict[str, Any]) -> Session:
    made = _waiting(state)
    made.received(json.dumps({"op": 10, "d": {"heartbeat_interval": 41250}}), NOW)
    made.received(json.dumps({"op": 0, "t": "RESUMED", "s": state["seq"], "d": {}}), NOW)
    return made


def _frame(vector: Vector) -> None:
    state, frame, expected = vector.inputs["state"], vector.inputs["frame"], vector.expected
    early = frame["op"] == frames.HELLO or not state["session_id"]
    made = _waiting(state) if early else _live(state)
    actions = made.received(json.dumps(frame), NOW)
    sent = [action.frame for action in actions if isinstance(action, Send)]
    for wanted, found in zip(expected["send"], sent, strict=True):
        expect_equal(found["op"], wanted["op"], "op")
        if isinstance(wanted.get("d"), dict):
            expect(wanted["d"].items() <= found["d"].items(), f"expected {wanted['d']}")
    _then(made, actions, expected["then"] or "")
    found = {"seq": made.seq, "session_id": made.saved.session_id or None, "resume_url": made.saved.resume_url or None}
    expect_equal(found, expected["state"], "state")


def _then(made: Session, actions: list[Any], then: str) -> None:
    """What happens after the frame, as the vector describes it in words."""
    closes = [action for action in actions if isinstance(action, Close)]
    expect_equal(bool(closes), "close with 4000" in then or "identify" in then or "resume" in then.split(), "closes")
    if not closes:
        return
    expect_equal(closes[0].code, closing.RESUMABLE, "code")
    seq = made.seq
    following = made.closed(closes[0].code, NOW)
    if "wait 1 to 5 s" in then:
        expect(1 <= made.wake_at - NOW <= 5, "waits one to five seconds")
    following = following or made.tick(made.wake_at)
    if "identify" in then:
        expect_equal(following, [Permit()], "next")
    else:
        expect_equal(following, [Connect(frames.address(made.saved.resume_url))], "next")
    made.seq = seq


def _zombie(vector: Vector) -> None:
    made = _live({"session_id": "s", "resume_url": "wss://r.discord.gg", "seq": 5})
    made.tick(made.wake_at)
    (action,) = made.tick(made.wake_at)
    expect(isinstance(action, Close), "closes")
    expect_equal(getattr(action, "code", None), vector.expected["close_code"], "code")
    expect_equal(made.saved.session_id, "s", "session")


def _session_start(vector: Vector) -> None:
    found = may_identify(vector.inputs["session_start_limit"])
    expect_equal(found.wait == 0, vector.expected["identify"], "identify")
    expect_equal(found.wait * 1000, vector.expected["wait_ms"], "wait")
    expect_equal(found.is_low, vector.expected["alarm"], "alarm")


def _message_create(vector: Vector) -> None:
    frame, expected = vector.inputs["frame"], vector.expected
    bot = vector.inputs["bot_user_id"]
    found = messages_of(Event(frame["t"], frame["d"], bot, "id", 1_800_000_000.0), APP, {})
    expect_equal(bool(found), expected["take"], "take")
    if not found:
        return
    (message,) = found
    expect_equal(message.content.text, expected["text"], "text")
    expect_equal("direct" if message.context.private else "group", expected["chat"], "chat")
    expect_equal(message.reply_to, expected.get("reply_to", ""), "reply_to")


def _dedupe(vector: Vector) -> None:
    ids = [message.id for id_ in vector.inputs["message_ids"] for message in messages_of(_written(id_), APP, {})]
    expect_equal(list(dict.fromkeys(ids)), vector.expected["forwarded"], "forwarded")


def _written(id_: str) -> Event:
    data = {"id": id_, "channel_id": "2", "author": {"id": "3"}, "content": "hi", "type": 0}
    return Event("MESSAGE_CREATE", data, "1", "id", NOW)


def _zlib(_vector: Vector) -> None:
    raise NotApplicable("the connector asks for no compression")


CHECKS: dict[str, Callable[[Vector], None]] = {
    "close_code": _close_code,
    "intent": _intent,
    "intents_sum": _intents_sum,
    "shard": _shard,
    "identify_order": _identify_order,
    "gateway_url": _gateway_url,
    "payload": _payload,
    "payload_limit": _payload_limit,
    "frame": _frame,
    "zombie": _zombie,
    "session_start": _session_start,
    "message_create": _message_create,
    "dedupe": _dedupe,
    "zlib_stream": _zlib,
}
