"""Callbacks of WeChat Official Accounts: the console's verification, messages and events in every mode, and answers
within them."""

from parley.adapter import Accepted, App, PassiveReply, Rejected, Request, Response
from parley.crypto import constant_time_equals
from parley.model import Action, Message, Reply
from parley.platforms.tencent import passive
from parley.platforms.tencent.buttons import unpack
from parley.platforms.tencent.callback import CallbackKeys, check_signature, decrypted, parsed, query_parameter
from parley.platforms.tencent.fields import Fields, text
from parley.platforms.tencent.messages import Source, event, message, press
from parley.platforms.wechat.config import CONSOLE, MODE_AT, ORIGINAL_ID_AT, Config
from parley.platforms.wechat.render import VOICE

_SUCCESS = Response(body=b"success", content_type="text/plain")
"""Nothing to say. Plain in every mode and data format."""
_DEAF = ("unsubscribe", "templatesendjobfinish", "masssendjobfinish")
"""Events after which nobody is there to read an answer."""


def receive(request: Request, app: App, now: float) -> Accepted | Rejected:
    """One callback: verified, decrypted where it is encrypted, normalised. Never raises."""
    config: Config = app.config
    match request.method:
        case "GET":
            return _verification(request, config, now)
        case "POST":
            fields = _believed(request, config, now)
        case _:
            return Rejected(405, "malformed", "neither GET nor POST")
    if isinstance(fields, Rejected):
        return fields
    if not text(fields, "MsgType") or not text(fields, "FromUserName"):
        return Rejected(400, "malformed", "no MsgType or no FromUserName")
    found = _message(Source(app, fields, int(query_parameter(request, "timestamp"))))
    waits = config.reply_mode == "passive" and found.event not in _DEAF
    return Accepted(_SUCCESS, (found,), passive_reply_within=passive.PATIENCE if waits else 0)


def passive_reply(request: Request, app: App, message: Message, replies: tuple[Reply, ...], now: float) -> PassiveReply:
    """The response that says `replies`; see `parley.adapter.SupportsPassiveReply`. Encrypted if the request was."""
    config: Config = app.config
    plan = passive.plan(replies, VOICE)
    if plan.body is None:
        return PassiveReply(_SUCCESS, plan.sent, plan.rest)
    encrypted = _is_encrypted(request)
    content = passive.decrypt_again(request, config.keys, config.receivers) if encrypted else None
    if encrypted and content is None:
        return PassiveReply(_SUCCESS)
    return PassiveReply(passive.response(plan.body, content, message, config.token, request, now), plan.sent, plan.rest)


def _door(config: Config) -> CallbackKeys:
    return CallbackKeys(config.token, config.keys, config.receivers, CONSOLE)


def _verification(request: Request, config: Config, now: float) -> Accepted | Rejected:
    """The console tries out an address: it wants to see the text that it sent, which no mode encrypts."""
    refused = check_signature(request, _door(config), "signature", now=now)
    if refused is not None:
        return refused
    echo = query_parameter(request, "echostr").encode("utf-8", "replace")
    return Accepted(Response(body=echo, content_type="text/plain"))


def _is_encrypted(request: Request) -> bool:
    return query_parameter(request, "encrypt_type") == "aes"


def _believed(request: Request, config: Config, now: float) -> Fields | Rejected:
    """The fields of a callback that can be trusted."""
    if query_parameter(request, "encrypt_type") not in {"", "raw", "aes"}:
        return Rejected(400, "malformed", "an encrypt_type that nobody knows")
    fields = _encrypted(request, config, now) if _is_encrypted(request) else _plain(request, config, now)
    if isinstance(fields, Rejected) or not config.original_id:
        return fields
    if not constant_time_equals(text(fields, "ToUserName"), config.original_id):
        return Rejected(401, "forged", f"it is meant for another account: compare `original_id` with {ORIGINAL_ID_AT}")
    return fields


def _plain(request: Request, config: Config, now: float) -> Fields | Rejected:
    """A body that nothing signs. Only an account that says so takes it: else leaving out a parameter would forge."""
    if config.mode != "plain":
        return Rejected(401, "forged", f"not encrypted, but `mode` is {config.mode}: compare it with {MODE_AT}")
    refused = check_signature(request, _door(config), "signature", now=now)
    if refused is not None:
        return refused
    fields = parsed(request.body)
    if not isinstance(fields, Rejected):
        fields.pop("Encrypt", None)
    return fields


def _encrypted(request: Request, config: Config, now: float) -> Fields | Rejected:
    """What was decrypted. Plain fields beside it, as in compatible mode, are signed by nothing and not looked at."""
    if not config.keys:
        return Rejected(401, "forged", f"encrypted, but there is no `encoding_aes_key`: see {CONSOLE.key}")
    envelope = parsed(request.body)
    if isinstance(envelope, Rejected):
        return envelope
    content = decrypted(request, _door(config), text(envelope, "Encrypt"), now)
    return content if isinstance(content, Rejected) else parsed(content.text.encode())


def _message(source: Source) -> Message:
    fields = source.fields
    if text(fields, "MsgType") == "event":
        return event(source, text(fields, "Event").lower() or "unknown")
    if key := text(fields, "bizmsgmenuid"):
        id_, value = unpack(key)
        return press(source, Action(id=id_, value=value), text(fields, "Content"))
    return message(source)
