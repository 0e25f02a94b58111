"""Callbacks of WeCom apps: the console's verification, messages, events and card clicks, and answers within them."""

from parley.adapter import Accepted, App, PassiveReply, Rejected, Request, Response
from parley.crypto import seal
from parley.model import Action, Message, Reply
from parley.platforms.tencent import passive
from parley.platforms.tencent.buttons import unpack
from parley.platforms.tencent.callback import CallbackKeys, decrypted, parsed, query_parameter
from parley.platforms.tencent.fields import Fields, each, inner, integer, text
from parley.platforms.tencent.messages import Source, created, event, message, press
from parley.platforms.wecom.config import CONSOLE, Config
from parley.platforms.wecom.passive import VOICE

_NOTHING = Response(content_type="text/plain")
_SUCCESS = Response(body=b"success", content_type="text/plain")
"""What commands of the provider platform want; anything else counts as an error there."""
_PRESSES = ("template_card_event", "template_card_menu_event", "taskcard_click")
_CARD_LIFE = 72 * 3600
"""Seconds that a click's `ResponseCode` allows one change of the card (WeCom docs: Update template cards)."""


def receive(request: Request, app: App, now: float) -> Accepted | Rejected:
    """One callback: verified, decrypted, normalised. Never raises."""
    config: Config = app.config
    match request.method:
        case "GET":
            return _verification(request, config, now)
        case "POST":
            return _delivery(request, app, now)
        case _:
            return Rejected(405, "malformed", "neither GET nor POST")


def passive_reply(request: Request, app: App, message: Message, replies: tuple[Reply, ...], now: float) -> PassiveReply:
    """The response that says `replies`; see `parley.adapter.SupportsPassiveReply`. Media and cards are left to the API."""
    config: Config = app.config
    plan = passive.plan(replies, VOICE)
    if plan.body is None:
        return PassiveReply(_NOTHING, plan.sent, plan.rest)
    content = passive.decrypt_again(request, config.keys, config.receivers)
    if content is None:
        return PassiveReply(_NOTHING)
    return PassiveReply(passive.response(plan.body, content, message, config.token, request, now), plan.sent, plan.rest)


def _door(config: Config) -> CallbackKeys:
    return CallbackKeys(config.token, config.keys, config.receivers, CONSOLE)


def _verification(request: Request, config: Config, now: float) -> Accepted | Rejected:
    """The console tries out an address: it wants to see the text that it encrypted, and nothing else."""
    # Base64 never holds spaces: one is a plus sign that was decoded once too often on the way.
    echo = decrypted(request, _door(config), query_parameter(request, "echostr").replace(" ", "+"), now)
    if isinstance(echo, Rejected):
        return echo
    return Accepted(Response(body=echo.text.encode(), content_type="text/plain"))


def _delivery(request: Request, app: App, now: float) -> Accepted | Rejected:
    config: Config = app.config
    envelope = parsed(request.body)
    if isinstance(envelope, Rejected):
        return envelope
    encrypted = text(envelope, "Encrypt") or text(envelope, "encrypt")
    if not encrypted:
        return Rejected(401, "forged", "the body is not encrypted")
    # `ToUserName` outside is signed by nothing: who it is for is said by what was decrypted.
    content = decrypted(request, _door(config), encrypted, now)
    if isinstance(content, Rejected):
        return content
    fields = parsed(content.text.encode())
    if isinstance(fields, Rejected):
        return fields
    stamp = int(query_parameter(request, "timestamp"))
    if command := text(fields, "InfoType"):
        tenant = text(fields, "AuthCorpId")
        return _command(command, Source(app, fields, stamp, tenant))
    return _message(Source(app, fields, stamp, content.receiver), config)


def _message(source: Source, config: Config) -> Accepted | Rejected:
    kind, name = text(source.fields, "MsgType"), text(source.fields, "Event").lower()
    if not kind:
        return Rejected(400, "malformed", "neither MsgType nor InfoType: not a callback of an app")
    if kind != "event":
        found = message(source)
    elif name in _PRESSES:
        found = _press(source, config)
    else:
        found = event(source, name or "unknown")
    waits = config.reply_mode == "passive" and found.sender.kind == "user"
    return Accepted(_NOTHING, (found,), passive_reply_within=passive.PATIENCE if waits else 0)


def _press(source: Source, config: Config) -> Message:
    """A click on a template card. It brings the right to change that card once."""
    fields = source.fields
    id_, value = unpack(text(fields, "EventKey"))
    chosen = {text(item, "QuestionKey"): _options(item) for item in _items(fields)}
    action = Action(
        id=id_,
        value=value,
        message_id=text(fields, "TaskId"),
        form={question: ",".join(options) for question, options in chosen.items()},
        options=tuple(option for options in chosen.values() for option in options),
    )
    code = text(fields, "ResponseCode")
    if not code:
        return press(source, action)
    return press(source, action, reply_token=seal(config.secret, code), until=created(source) + _CARD_LIFE)


def _items(fields: Fields) -> list[Fields]:
    return [item for item in each(inner(fields, "SelectedItems"), "SelectedItem") if isinstance(item, dict)]


def _options(item: Fields) -> list[str]:
    return [option for option in each(inner(item, "OptionIds"), "OptionId") if isinstance(option, str)]


def _command(name: str, source: Source) -> Accepted:
    """What the provider platform says about third-party apps. The ticket is a credential: kept, never a message."""
    if name == "suite_ticket":
        ticket, stamp = text(source.fields, "SuiteTicket"), integer(text(source.fields, "TimeStamp"))
        return Accepted(
            _SUCCESS,
            credentials={"suite_ticket": ticket} if ticket else {},
            credentials_issued_at=stamp or source.stamp,
        )
    return Accepted(_SUCCESS, (event(source, name),))
