"""Callbacks of WeChat Official Accounts: the console's verification, messages and events in every mode, and passive
replies to them."""

from parley.adapter import Accepted, App, PassiveReply, Rejected, Request, Response
from parley.crypto import constant_time_equals
from parley.model import Action, Message, Outgoing
from parley.platforms.tencent import passive
from parley.platforms.tencent.buttons import unpack
from parley.platforms.tencent.callback import (
    check_age,
    check_signature,
    decrypted,
    is_echo,
    parsed,
    query_parameter,
)
from parley.platforms.tencent.fields import Fields
from parley.platforms.tencent.messages import Source, event, message, press
from parley.platforms.wechat.config import CONSOLE, MODE_AT, ORIGINAL_ID_AT, Config
from parley.untrusted import text


def receive(request: Request, app: App, now: float) -> Accepted | Rejected:
    """Verify, decrypt and normalise one callback. Never raises."""
    config: Config = app.config
    match request.method:
        case "GET":
            return _verification(request, config, now)
        case "POST":
            fields = _authenticated(request, config, now)
        case _:
            return Rejected(405, "malformed", "neither GET nor POST")
    if isinstance(fields, Rejected):
        return fields
    if not text(fields.get("MsgType")) or not text(fields.get("FromUserName")):
        return Rejected(400, "malformed", "no MsgType or no FromUserName")
    rejected = check_age(fields, now)
    if rejected is not None:
        return rejected
    found = _message(Source(app, fields, int(query_parameter(request, "timestamp"))))
    seconds = passive.seconds_to_wait(found, passive.WECHAT, replies_passively=config.replies_passively)
    return Accepted(passive.WECHAT.empty, (found,), passive_reply_within=seconds)


def passive_reply(
    request: Request, app: App, message: Message, replies: tuple[Outgoing, ...], now: float
) -> PassiveReply:
    """The response with as many of `replies` as fit; see `parley.adapter.SupportsPassiveReply`."""
    config: Config = app.config
    keys, encrypted = config.callback_keys, _is_encrypted(request)
    return passive.passive_reply(passive.WECHAT, request, keys, message, replies, now, encrypted=encrypted)


def _verification(request: Request, config: Config, now: float) -> Accepted | Rejected:
    """The console checks a new callback address. It expects `echostr`, which is not encrypted in any mode.

    The signature covers no `echostr`, and a callback has the same one. So only the form of an echo is given back.
    """
    rejected = check_signature(request, config.callback_keys, "signature", now=now)
    if rejected is not None:
        return rejected
    echo = query_parameter(request, "echostr")
    if not is_echo(echo):
        return Rejected(400, "malformed", "the echostr has not the form of a console's")
    return Accepted(Response(body=echo.encode(), content_type="text/plain"))


def _is_encrypted(request: Request) -> bool:
    return query_parameter(request, "encrypt_type") == "aes"


def _authenticated(request: Request, config: Config, now: float) -> Fields | Rejected:
    """The fields of an authentic callback."""
    if query_parameter(request, "encrypt_type") not in {"", "raw", "aes"}:
        return Rejected(400, "malformed", "unknown encrypt_type")
    fields = _encrypted(request, config, now) if _is_encrypted(request) else _plain(request, config, now)
    if isinstance(fields, Rejected) or not config.original_id:
        return fields
    if not constant_time_equals(text(fields.get("ToUserName")), config.original_id):
        return Rejected(401, "forged", f"addressed to another account: compare `original_id` with {ORIGINAL_ID_AT}")
    return fields


def _plain(request: Request, config: Config, now: float) -> Fields | Rejected:
    """The fields of a plain body. Nothing signs it, so only an account in plain mode accepts it.

    Any other account would accept forged bodies if a caller left out `encrypt_type`.
    """
    if config.mode != "plain":
        return Rejected(401, "forged", f"not encrypted, but `mode` is {config.mode}: compare it with {MODE_AT}")
    rejected = check_signature(request, config.callback_keys, "signature", now=now)
    if rejected is not None:
        return rejected
    fields = parsed(request.body)
    if not isinstance(fields, Rejected):
        fields.pop("Encrypt", None)
    return fields


def _encrypted(request: Request, config: Config, now: float) -> Fields | Rejected:
    """The fields of the decrypted content. Plain fields beside it (compatible mode) are not signed and are ignored."""
    keys = config.callback_keys
    if not keys.keys:
        return Rejected(401, "forged", f"encrypted, but there is no `encoding_aes_key`: see {CONSOLE.key}")
    envelope = parsed(request.body)
    if isinstance(envelope, Rejected):
        return envelope
    content = decrypted(request, keys, text(envelope.get("Encrypt")), now)
    return content if isinstance(content, Rejected) else parsed(content.text.encode())


def _message(source: Source) -> Message:
    fields = source.fields
    if text(fields.get("MsgType")) == "event":
        return event(source, text(fields.get("Event")).lower() or "unknown")
    # Only a tap makes a text with an id. Other types hold texts of persons in several fields (`tencent.repair`).
    if text(fields.get("MsgType")) == "text" and (key := text(fields.get("bizmsgmenuid"))):
        pressed = unpack(key)
        action = Action(id=pressed.id, value=pressed.value, options=pressed.options)
        return press(source, action, text(fields.get("Content")))
    return message(source)
