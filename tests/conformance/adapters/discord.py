"""Discord in the conformance suite: checks of its vectors, and requests that PyNaCl signs.

That pycryptodome, PyNaCl and `discord-interactions` agree is checked in tests/unit/platforms/discord/test_signature.py.
"""

import json
from collections.abc import Iterator
from typing import Any

from nacl.signing import SigningKey

from parley.adapter import Answer, App, Call, Headers, Rejected, Request
from parley.model import Message
from parley.platforms.discord.config import Config
from parley.platforms.discord.inbound import STALE_AFTER
from parley.platforms.discord.signature import is_valid
from tests.conformance import discord_gateway
from tests.conformance.attacks import wrong_types
from tests.conformance.kit import Adapter, Sample, Vector, expect, expect_accepted, expect_action, expect_equal, receive

KEY = SigningKey(bytes(range(32)))
OTHER_KEY = SigningKey(bytes(range(1, 33)))
APPLICATION, TOKEN = "1100000000000000001", "MTEwMDAwMDAwMDAwMDAwMDAwMQ.bot.secret"
INTERACTION_TOKEN = "aW50ZXJhY3Rpb246dG9rZW4"
SIGNED = ("x-signature-ed25519", "x-signature-timestamp")

GUILD, CHANNEL, THREAD = "1100000000000000020", "1100000000000000030", "1100000000000000031"
MEI = {"id": "1100000000000000050", "username": "mei.lin", "global_name": "梅", "discriminator": "0"}
KAI = {"id": "1100000000000000051", "username": "kai", "global_name": "Kai", "discriminator": "0"}


def make_app(key: SigningKey = KEY, **more: Any) -> App:
    """An app with this key."""
    fields = {"application_id": APPLICATION, "public_key": key.verify_key.encode().hex(), "bot_token": TOKEN, **more}
    return App("discord", "demo", Config(**fields))


APP = make_app()


# --- requests as Discord sends them -----------------------------------------------------------------------------------


def signed(body: bytes, now: float, key: SigningKey = KEY) -> Request:
    """`body` with the two signature headers."""
    stamp = str(int(now))
    signature = key.sign(stamp.encode() + body).signature.hex()
    headers = {
        "X-Signature-Ed25519": signature,
        "X-Signature-Timestamp": stamp,
        "Content-Type": "application/json",
        "User-Agent": "Discord-Interactions/1.0 (+https://discord.com)",
    }
    return Request(headers=Headers(headers), body=body)


def interaction(kind: int, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An interaction in a channel of a guild."""
    return {
        "id": "1442001234567890001",
        "application_id": APPLICATION,
        "type": kind,
        "version": 1,
        "token": INTERACTION_TOKEN,
        "guild_id": GUILD,
        "guild": {"id": GUILD, "locale": "en-US", "features": []},
        "channel_id": CHANNEL,
        "channel": {"id": CHANNEL, "type": 0, "name": "general", "guild_id": GUILD},
        "member": {"nick": "Mei", "roles": ["1100000000000000060"], "permissions": "2248473465835073", "user": MEI},
        "app_permissions": "442368",
        "locale": "zh-CN",
        "guild_locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": {"0": GUILD},
        "context": 0,
        "attachment_size_limit": 10485760,
        "data": data,
        **more,
    }


def attachment(id_: str, name: str, mime: str) -> dict[str, Any]:
    """A file that a person uploaded."""
    address = f"https://cdn.discordapp.com/ephemeral-attachments/1/{id_}/{name}?ex=69235f00&is=69220d80&hm=0a1b&"
    return {"id": id_, "filename": name, "size": 48213, "content_type": mime, "ephemeral": True, "url": address}


def option(kind: int, name: str, value: Any, **more: Any) -> dict[str, Any]:
    """An option with its value."""
    return {"name": name, "type": kind, "value": value, **more}


FILE = "1442001230000000009"


def slash() -> dict[str, Any]:
    """`/doc file check` in a thread, with an option of every type."""
    leaves = [
        option(11, "upload", FILE),
        option(3, "note", "please look at page 2, <@1100000000000000051>"),
        option(4, "pages", 3),
        option(5, "urgent", value=True),
        option(6, "reviewer", KAI["id"]),
        option(7, "where", CHANNEL),
        option(8, "team", "1100000000000000060"),
        option(9, "whoever", "1100000000000000060"),
        option(10, "ratio", 0.5),
    ]
    check = {"name": "check", "type": 1, "options": leaves}
    data = {
        "id": "1100000000000000040",
        "name": "doc",
        "type": 1,
        "options": [{"name": "file", "type": 2, "options": [check]}],
        "resolved": {
            "attachments": {FILE: attachment(FILE, "invoice.pdf", "application/pdf")},
            "users": {KAI["id"]: KAI},
            "members": {KAI["id"]: {"nick": "Kai (review)", "roles": []}},
            "roles": {"1100000000000000060": {"id": "1100000000000000060", "name": "editors"}},
            "channels": {CHANNEL: {"id": CHANNEL, "name": "general", "type": 0}},
        },
    }
    channel = {"id": THREAD, "type": 11, "name": "invoice help", "parent_id": CHANNEL, "guild_id": GUILD}
    return interaction(2, data, channel_id=THREAD, channel=channel)


def on_message() -> dict[str, Any]:
    """A context-menu command on a message."""
    target = {
        "id": "1441990000000000007",
        "channel_id": CHANNEL,
        "content": "Long text <@1100000000000000051>",
        "author": KAI,
        "mentions": [KAI],
        "attachments": [attachment(FILE, "a.png", "image/png")],
        "flags": 0,
    }
    resolved = {"messages": {target["id"]: target}}
    data = {
        "id": "1100000000000000042",
        "name": "Summarise",
        "type": 3,
        "target_id": target["id"],
        "resolved": resolved,
    }
    return interaction(2, data)


def on_user() -> dict[str, Any]:
    """A context-menu command on a person."""
    data = {"id": "1100000000000000043", "name": "Greet", "type": 2, "target_id": KAI["id"]}
    return interaction(2, {**data, "resolved": {"users": {KAI["id"]: KAI}}})


CARD = {"id": "1442001200000000004", "channel_id": CHANNEL, "content": "Pick one", "flags": 0}


def press() -> dict[str, Any]:
    """A button pressed in the direct chat with the bot."""
    direct = {"id": "1100000000000000070", "type": 1}
    body = interaction(3, {"component_type": 2, "id": 2, "custom_id": "vote?yes"}, message=CARD)
    for name in ("guild_id", "guild", "member", "guild_locale"):
        del body[name]
    return body | {"context": 1, "channel_id": direct["id"], "channel": direct, "user": MEI}


def select() -> dict[str, Any]:
    """People chosen in a select."""
    data = {"component_type": 5, "id": 3, "custom_id": "assign", "values": [KAI["id"]]}
    return interaction(3, {**data, "resolved": {"users": {KAI["id"]: KAI}}}, message=CARD)


def form() -> dict[str, Any]:
    """A submitted form, with fields in labels and in a row of the older layout."""
    fields = [
        {"type": 4, "id": 2, "custom_id": "subject", "value": "Printer on fire"},
        {"type": 3, "id": 4, "custom_id": "prio", "values": ["high", "now"]},
        {"type": 19, "id": 6, "custom_id": "shots", "values": [FILE]},
        {"type": 23, "id": 8, "custom_id": "agree", "value": True},
    ]
    row = {"type": 1, "id": 9, "components": [{"type": 4, "id": 10, "custom_id": "legacy", "value": "old style"}]}
    holders = [{"type": 18, "id": number, "component": field} for number, field in enumerate(fields)]
    resolved = {"attachments": {FILE: attachment(FILE, "fire.png", "image/png")}}
    return interaction(5, {"custom_id": "ticket?new", "components": [*holders, row], "resolved": resolved})


def completion() -> dict[str, Any]:
    """An option being typed."""
    search = {"name": "search", "type": 1, "options": [option(3, "title", "inv", focused=True)]}
    return interaction(4, {"id": "1100000000000000040", "name": "doc", "type": 1, "options": [search]})


def event() -> dict[str, Any]:
    """The webhook event of an installation."""
    data = {
        "integration_type": 0,
        "scopes": ["bot", "applications.commands"],
        "user": MEI,
        "guild": {"id": GUILD, "name": "Panda Lab", "owner_id": MEI["id"], "features": []},
    }
    inner = {"type": "APPLICATION_AUTHORIZED", "timestamp": "2026-11-22T08:15:30.064834", "data": data}
    return {"version": 1, "application_id": APPLICATION, "type": 1, "event": inner}


def ping() -> dict[str, Any]:
    """The request that Discord sends when the address is saved."""
    return {
        "id": "1442000000000000001",
        "application_id": APPLICATION,
        "type": 1,
        "version": 1,
        "token": "x",
        "user": MEI,
    }


def dump(value: Any) -> bytes:
    """JSON as Discord writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


KINDS = {
    "slash command": slash,
    "message command": on_message,
    "user command": on_user,
    "button": press,
    "select": select,
    "form": form,
    "webhook event": event,
}


def samples(now: float) -> tuple[Sample, ...]:
    """One valid request of each type."""
    others = {"completion": completion(), "ping": ping(), "event ping": {"application_id": APPLICATION, "type": 0}}
    return (
        *(Sample(name, signed(dump(make()), now), APP, headers=SIGNED) for name, make in KINDS.items()),
        *(Sample(name, signed(dump(body), now), APP, 0, headers=SIGNED) for name, body in others.items()),
    )


def wrap(payload: bytes, now: float) -> tuple[Request, App]:
    """`payload` signed, and the app that accepts it."""
    return signed(payload, now), APP


def payloads() -> Iterator[bytes]:
    """Each type of callback, with each field replaced by values of other types.

    The fields that all interactions share are replaced once.
    """
    yield from wrong_types(dump(event()))
    yield from wrong_types(dump(press()))
    for make in (slash, on_message, select, form, completion):
        body = make()
        for data in wrong_types(dump(body["data"])):
            yield dump(body | {"data": json.loads(data)})


# --- vectors ----------------------------------------------------------------------------------------------------------


def _body(vector: Vector) -> bytes:
    data = vector.inputs
    return bytes.fromhex(data["body_hex"]) if "body_hex" in data else data["body"].encode()


def _application(body: bytes) -> str:
    try:
        found = json.loads(body).get("application_id")
    except (ValueError, AttributeError):
        return APPLICATION
    return found if isinstance(found, str) and found.isdecimal() else APPLICATION


def _request(vector: Vector) -> None:
    """Check the status, the body if the vector has one, and the message of a callback that is not a ping."""
    body = _body(vector)
    key = vector.inputs["public_key_hex"]
    app = App("discord", "v", Config(application_id=_application(body), public_key=key, bot_token=TOKEN))
    stamp = vector.inputs["headers"].get("x-signature-timestamp", "")
    now = float(stamp) if stamp.isdecimal() else 1_764_000_000.0
    outcome = receive("discord", Request(headers=Headers(vector.inputs["headers"]), body=body), app, now)
    if isinstance(outcome, Rejected):
        expect_equal(outcome.status, vector.expected["status"], "status")
        return
    response, expected = outcome.response, vector.expected
    expect_equal(response.status, expected["status"], "status")
    if "json_body" in expected:
        expect_equal(json.loads(response.body), expected["json_body"], "body")
    if expected.get("empty_body"):
        expect_equal(response.body, b"", "body")
    sent = json.loads(body)
    if "event" in sent or sent["type"] not in (0, 1):
        (message,) = expect_accepted(outcome).messages or (outcome.instant,)
        _nothing_lost(sent, message)
        expect_action(vector, message)


def _nothing_lost(sent: dict[str, Any], message: Message | None) -> None:
    """Check that `raw` is the body without the token."""
    expect(message is not None, "expected a message")
    expect_equal(message and message.raw, {name: value for name, value in sent.items() if name != "token"}, "raw")


def _raw_signature(vector: Vector) -> None:
    data = vector.inputs
    message = bytes.fromhex(data["message_hex"])
    found = is_valid(data["public_key_hex"], "", message, data["signature_hex"])
    expect_equal(found, vector.expected["valid"], "valid")


CHECKS = {
    "discord_interaction": _request,
    "discord_webhook_event": _request,
    "ed25519_raw": _raw_signature,
    **discord_gateway.CHECKS,
}


# --- golden files -----------------------------------------------------------------------------------------------------


def receipt(call: Call, number: int) -> Answer:
    """A successful answer, with an id that depends on the number of the call."""
    if call.method == "DELETE":
        return Answer(204)
    return Answer(200, dump({"id": f"144200000000000000{number}"}))


ADAPTER = Adapter(
    platform="discord",
    checks=CHECKS,
    samples=samples,
    stranger=make_app(OTHER_KEY),
    wrap=wrap,
    payloads=payloads,
    app=APP,
    receipt=receipt,
    max_age=STALE_AFTER,
    max_ahead=300,
    never_in_raw=(TOKEN, INTERACTION_TOKEN),
)
