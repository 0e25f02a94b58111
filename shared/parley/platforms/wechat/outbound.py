"""Sends replies of WeChat Official Accounts: customer-service, template and subscription messages.

WeChat docs: Customer service > Send messages; Template messages; Subscription notifications.

Customer-service messages have no idempotency key. The key of a template message is its `client_msg_id`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from parley.adapter import (
    IDEMPOTENT,
    Answer,
    App,
    Bucket,
    Call,
    Outcome,
    Permanent,
    Profile,
    Sent,
    Steps,
    TokenSteps,
    UndeliverableError,
)
from parley.errors import RetryAfter
from parley.markdown import in_dialect
from parley.model import AnyMedia, Other, Outgoing, digest
from parley.platforms.tencent import api, passive
from parley.platforms.tencent.media import WECHAT_FORMATS, download_call, media_type_of, upload_all, upload_call
from parley.platforms.tencent.passive_rules import TRANSFER
from parley.platforms.tencent.plain import DIALECT
from parley.platforms.tencent.render import Rendered
from parley.platforms.wechat.codes import CODES, TOKEN_SETTINGS
from parley.platforms.wechat.config import Config
from parley.platforms.wechat.render import messages

PROFILE = Profile(retry_for=3600, continues=True, resends=True)
read_addresses = api.read_addresses

TYPING_LASTS = 15.0
"""Seconds for which a person sees that the bot is typing; WeChat refuses a repetition before. WeChat docs: Customer
service > Typing status."""
_TYPING_TIMEOUT = 1.0
"""Seconds for the call while the handler waits."""
_CLIENT_MSG_ID_VALID = 600
"""Seconds for which WeChat remembers a `client_msg_id`."""


def deliver(out: Outgoing, app: App, now: float) -> Steps:
    """The calls that send `out`. Raises UndeliverableError, and RetryAfter while a callback may still carry it.

    WeChat changes no message, so an edit is a new message. A recall is impossible.
    """
    passive.hold(out, now, replies_passively=app.config.replies_passively)
    if out.to.webhook:
        raise UndeliverableError("WeChat has no group webhooks")
    if out.reply.op == "recall":
        raise UndeliverableError("WeChat has no recall")
    if not out.to.user_id:
        raise UndeliverableError("the destination names no person (user_id)")
    return passive.deferrable(_send(out, app.config), replies_passively=app.config.replies_passively)


def typing(out: Outgoing, app: App) -> Call:
    """See `parley.adapter.SupportsTyping`. WeChat changes no message, so it has no drafts."""
    return replace(_typing({"touser": out.to.user_id}, app.config), timeout=_TYPING_TIMEOUT)


def passive_form(out: Outgoing, app: App, receipts: Sequence[Sent]) -> Outgoing | None:
    """See `parley.adapter.SupportsDeferral`."""
    return passive.passive_form(passive.WECHAT, out, receipts, lambda media: _upload(media, app.config))


def outcome(call: Call, answer: Answer) -> Outcome:
    """The outcome of `call`, read from `answer`."""
    found = passive.limit_deferral(call, api.outcome(answer, CODES, call))
    if call.name == "typing" and isinstance(found, Permanent | RetryAfter):
        # The typing sign is refused if the person did nothing lately. Messages after it must not wait or fail for it.
        return Sent()
    if isinstance(found, Sent) and call.name == "download" and (address := answer.json().get("video_url")):
        return Sent(data={"url": str(address)})
    return found


def token_key(out: Outgoing, app: App) -> str | None:
    """All calls share one token."""
    return "access_token"


def token(out: Outgoing, app: App, pushed: Mapping[str, str], now: float) -> TokenSteps:
    """Fetch the stable token. Repeated calls return the same token, so no caller invalidates that of another.

    `force_refresh` is never used: it is allowed 20 times a day and invalidates the old token at once.
    """
    config: Config = app.config
    body = {
        "grant_type": "client_credential",
        "appid": config.app_id,
        "secret": config.app_secret,
        "force_refresh": False,
    }
    url = f"{config.host}/cgi-bin/stable_token"
    answer = yield Call(name="token", method="POST", url=url, json=body, idempotent_for=IDEMPOTENT)
    return api.read_token(answer, CODES, TOKEN_SETTINGS, now)


def limits(call: Call, out: Outgoing, app: App) -> tuple[Bucket, ...]:
    """2,000 calls a minute for each account. The quotas of a day are not counted here: WeChat reports when one is used
    up, and the calls wait then."""
    config: Config = app.config
    return (Bucket(f"wechat#{config.app_id}", 2000, 60),)


def download(media: AnyMedia, message_id: str, app: App) -> Call:
    """The call that fetches `media`. The answer for a video is its address: `Sent.data["url"]`."""
    return download_call(app.config.host, media)


def addresses(app: App) -> Call:
    """The call that lists the addresses from which callbacks come. `read_addresses` reads its answer."""
    return api.addresses(app.config.host)


# --- send -------------------------------------------------------------------------------------------------------------


def _send(out: Outgoing, config: Config) -> Steps:
    segments = yield from upload_all(in_dialect(out.reply.segments, DIALECT), lambda media: _upload(media, config))
    number = 0
    for message in messages(segments):
        yield _message(message, out, number, config)
        number += 1
    if not number:
        is_transfer = any(isinstance(segment, Other) and segment.name == TRANSFER for segment in out.reply.segments)
        raise UndeliverableError(f"{TRANSFER} works in passive replies only" if is_transfer else "the reply is empty")


def _upload(media: AnyMedia, config: Config) -> Call | None:
    media_type = media_type_of(media, WECHAT_FORMATS)
    if media_type is None:
        return None
    return upload_call(f"{config.host}/cgi-bin/media/upload", media, media_type, {}, with_token=True)


def _typing(to: dict[str, Any], config: Config) -> Call:
    body = to | {"command": "Typing"}
    return _call("typing", "/cgi-bin/message/custom/typing", config, body, idempotent_for=IDEMPOTENT)


def _message(message: Rendered, out: Outgoing, number: int, config: Config) -> Call:
    to = {"touser": out.to.user_id}
    match message.kind:
        case "typing":
            return _typing(to, config)
        case "template":
            # A form of a reply is another message than the form before, so the id depends on the form.
            body = to | message.content | {"client_msg_id": digest(out.id, out.form, *out.dropped, str(number))[:32]}
            path = "/cgi-bin/message/template/send"
            return _call("template", path, config, body, idempotent_for=_CLIENT_MSG_ID_VALID)
        case "subscription":
            return _call("subscription", "/cgi-bin/message/subscribe/bizsend", config, to | message.content)
        case kind:
            name = "miniprogrampage" if kind == "miniprogram" else kind
            body = to | {"msgtype": name, name: message.content}
            return _call("send", "/cgi-bin/message/custom/send", config, body)


def _call(name: str, path: str, config: Config, body: dict[str, Any], *, idempotent_for: float = 0) -> Call:
    url = f"{config.host}{path}"
    return Call(name=name, method="POST", url=url, auth=api.AUTH, json=body, idempotent_for=idempotent_for)
