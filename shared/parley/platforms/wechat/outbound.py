"""Replies of WeChat Official Accounts: customer-service, template and subscription messages (WeChat docs: Customer
service > Send messages; Template messages; Subscription notifications).

Nothing covers a repeated customer-service message. A template message is covered by its `client_msg_id`.
"""

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

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
from parley.model import AnyMedia, Outgoing, digest
from parley.platforms.tencent import api, media, passive
from parley.platforms.wechat.codes import CODES, WRONG
from parley.platforms.wechat.config import Config
from parley.platforms.wechat.render import Rendered, media_type_of, parts, shown

PROFILE = Profile(retry_for=3600)
read_addresses = api.addresses

_ANSWERS = "answers"
"""`Call.note` of what could also be said in a callback: messages in the conversation, of accounts that answer there."""
_COVERED = 580
"""Seconds. A `client_msg_id` is remembered for ten minutes; the rest is for the way there."""


def deliver(out: Outgoing, app: App, now: float) -> Steps:
    """The calls that say `out`. Raises UndeliverableError, and RetryAfter where a callback may still answer with it."""
    passive.hold(out, app.config.reply_mode, now)
    if out.to.webhook:
        raise UndeliverableError("WeChat has no group webhooks")
    if out.reply.op != "send":
        raise UndeliverableError(f"WeChat has no {out.reply.op}")
    if not out.to.user_id:
        raise UndeliverableError("the destination names no person (user_id)")
    return _send(out, app.config)


def outcome(call: Call, answer: Answer) -> Outcome:
    """What `answer` means for `call`."""
    found = api.outcome(call, answer, CODES)
    if call.name == "typing" and isinstance(found, Permanent | RetryAfter):
        # It is refused where the person did nothing lately; what is said after it must not wait or fail for that.
        return Sent()
    if isinstance(found, Permanent) and found.window_closed and call.note != _ANSWERS:
        # There is no callback to say it in: it is refused, and that is told.
        return replace(found, window_closed=False)
    if isinstance(found, Sent) and call.name == "download" and (address := answer.json().get("video_url")):
        return Sent(data={"url": str(address)})
    return found


def token_key(out: Outgoing, app: App) -> str | None:
    """One token serves all calls."""
    return "access_token"


def token(out: Outgoing, app: App, pushed: Mapping[str, str], now: float) -> TokenSteps:
    """The stable token. In normal mode repeated calls return the same one, so that it is nobody's to spoil; it is never
    forced, since that works 20 times a day and ends the old one at once."""
    config: Config = app.config
    body = {
        "grant_type": "client_credential",
        "appid": config.app_id,
        "secret": config.app_secret,
        "force_refresh": False,
    }
    url = f"{config.host}/cgi-bin/stable_token"
    answer = yield Call(name="token", method="POST", url=url, json=body, idempotent_for=IDEMPOTENT)
    return api.read_token(answer, CODES, WRONG, now)


def limits(call: Call, out: Outgoing, app: App) -> tuple[Bucket, ...]:
    """2,000 calls a minute for an account. Day quotas are told by their refusals, which are waited for."""
    config: Config = app.config
    return (Bucket(f"wechat#{config.app_id}", 2000, 60),)


def download(what: AnyMedia, message_id: str, app: App) -> Call:
    """The call that fetches `what`. A film is answered with an address: `Sent.data["url"]`."""
    return media.download(app.config.host, what)


def addresses(app: App) -> Call:
    """The call that lists where callbacks come from, for an allow-list; `read_addresses` reads its answer."""
    return _call("addresses", "/cgi-bin/getcallbackip", app.config, None, idempotent_for=IDEMPOTENT, method="GET")


# --- send -------------------------------------------------------------------------------------------------------------


def _send(out: Outgoing, config: Config) -> Steps:
    number = 0
    for part in parts(out.reply.segments):
        said = part if isinstance(part, Rendered) else (yield from _uploaded(part, config))
        yield _message(said, out, number, config)
        number += 1
    if not number:
        raise UndeliverableError("the reply is empty")


def _uploaded(what: AnyMedia, config: Config) -> Generator[Call, Sent, Rendered]:
    key, sort = what.key, media_type_of(what)
    if not key and sort is not None:
        url = f"{config.host}/cgi-bin/media/upload"
        sent = yield media.upload(url, what, sort, lambda sort: {"type": sort.name}, token=True)
        key = sent.id
    return shown(what, key)


def _message(said: Rendered, out: Outgoing, number: int, config: Config) -> Call:
    to = {"touser": out.to.user_id}
    match said.kind:
        case "typing":
            body = to | {"command": "Typing"}
            return _call("typing", "/cgi-bin/message/custom/typing", config, body, idempotent_for=IDEMPOTENT)
        case "template":
            # Another form of the same reply is another message, not a repetition of the first.
            body = to | said.content | {"client_msg_id": digest(out.id, out.form, str(number))[:32]}
            return _call("template", "/cgi-bin/message/template/send", config, body, idempotent_for=_COVERED)
        case "subscription":
            return _call("subscription", "/cgi-bin/message/subscribe/bizsend", config, to | said.content)
        case kind:
            name = "miniprogrampage" if kind == "miniprogram" else kind
            body = to | {"msgtype": name, name: said.content}
            note = _ANSWERS if config.reply_mode == "passive" else ""
            return _call("send", "/cgi-bin/message/custom/send", config, body, note=note)


def _call(
    name: str,
    path: str,
    config: Config,
    body: dict[str, Any] | None,
    *,
    idempotent_for: float = 0,
    method: str = "POST",
    note: str = "",
) -> Call:
    url = f"{config.host}{path}"
    return Call(name=name, method=method, url=url, auth=api.AUTH, json=body, idempotent_for=idempotent_for, note=note)
