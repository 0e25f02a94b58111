"""Webhooks of custom bots, and delayed card updates.

Facts: Feishu docs, Custom bot usage guide; Feishu cards › Delayed update.
"""

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.platforms.exchange import Request, Response, dumps
from playground.platforms.feishu import cards
from playground.platforms.feishu.accounts import Account
from playground.platforms.feishu.content import check_content
from playground.platforms.feishu.errors import FeishuError
from playground.platforms.feishu.wire import webhook_sign
from playground.platforms.limits import RateLimit
from playground.platforms.model import Delivery, Message

if TYPE_CHECKING:
    from playground.platforms.feishu import Feishu

WEBHOOK_BYTES = 20 * 1024
TIMESTAMP_SECONDS = 3600
CARD_TOKEN_SECONDS = 1800
CARD_TOKEN_USES = 2
CARD_UPDATE_BYTES = 100 * 1024


@dataclass(frozen=True, slots=True)
class Webhook:
    """A custom bot in a group."""

    id: str
    name: str
    secret: str
    room: str


@dataclass(slots=True)
class CardToken:
    """The token of a press: it allows updates of the card."""

    app: str
    message_id: str
    delivery: Delivery
    uses: int = 0


def push(feishu: "Feishu", request: Request, hook_id: str) -> Response:
    """`POST /open-apis/bot/v2/hook/:id`."""
    hook = feishu.webhooks.get(hook_id)
    if hook is None:
        raise FeishuError(19001, "param invalid: incoming webhook access token invalid", bare=True)
    if len(request.body) > WEBHOOK_BYTES:
        raise FeishuError(9499, f"Bad Request: the body is beyond {WEBHOOK_BYTES} bytes", bare=True)
    body = request.json()
    if not isinstance(body, dict):
        raise FeishuError(9499, "Bad Request", bare=True)
    _check_sign(feishu, hook, body)
    key = ("hook", hook_id)
    if feishu.windows.acquire([RateLimit(key, 5, 1), RateLimit(key, 100, 60)], feishu.clock()):
        raise webhook_rate_limited()
    msg_type, content = _content(body)
    message = Message(
        id=f"om_{feishu.hex()}",
        room=hook.room,
        sender=hook.name,
        sender_kind="webhook",
        type=msg_type,
        content=check_content(msg_type, dumps(content).decode(), len(request.body), lambda _key: True),
        at=feishu.clock(),
    )
    feishu.put_message(message)
    feishu.note_call(room=hook.room, message_id=message.id)
    return Response.of({"code": 0, "msg": "success", "data": {}, "StatusCode": 0, "StatusMessage": "success"})


def webhook_rate_limited() -> FeishuError:
    """11232: the webhook exceeds its rate limit."""
    return FeishuError(11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]", 200, bare=True)


def _check_sign(feishu: "Feishu", hook: Webhook, body: dict[str, Any]) -> None:
    if not hook.secret:
        return
    timestamp, sign = str(body.get("timestamp") or ""), str(body.get("sign") or "")
    fresh = timestamp.isdigit() and abs(feishu.clock() - int(timestamp)) <= TIMESTAMP_SECONDS
    if not fresh or not hmac.compare_digest(webhook_sign(timestamp, hook.secret).encode(), sign.encode()):
        msg = "sign match fail or timestamp is not within one hour from current time"
        raise FeishuError(19021, msg, 200, bare=True)


def _content(body: dict[str, Any]) -> tuple[str, Any]:
    msg_type, content = body.get("msg_type"), body.get("content")
    if msg_type == "interactive":
        content = body.get("card")
    elif msg_type == "post" and isinstance(content, dict):
        content = content.get("post")
    if msg_type not in ("text", "post", "image", "share_chat", "interactive") or not isinstance(content, dict):
        raise FeishuError(9499, "Bad Request: msg_type and content do not fit", bare=True)
    return str(msg_type), content


def update_card_later(feishu: "Feishu", account: Account, request: Request) -> Response:
    """`POST /open-apis/interactive/v1/card/update`: within 30 minutes of the press, at most twice, and only after the
    callback of the press has been answered."""
    body = request.json()
    card = body.get("card") if isinstance(body, dict) else None
    if not isinstance(card, dict):
        raise FeishuError(11311, "card is invalid", bare=True)
    token = _card_token(feishu, account, body.get("token"))
    message = feishu.messages[token.message_id]
    feishu.note_call(room=message.room, message_id=message.id)
    if message.recalled:
        raise FeishuError(200000, "the card has been recalled", bare=True)
    if len(dumps(card)) > CARD_UPDATE_BYTES:
        raise FeishuError(100000, "the card is beyond 100 KB", bare=True)
    if not cards.is_shared(message.content) and not card.get("open_ids"):
        raise FeishuError(300090, "open_ids is required to update a card that is not shared", bare=True)
    try:
        content = cards.check_card(dumps({k: v for k, v in card.items() if k != "open_ids"}).decode())
    except FeishuError as error:
        raise FeishuError(100030, str(error), bare=True) from error
    token.uses += 1
    message.content, message.edited = content, feishu.clock()
    feishu.put_message(message)
    return Response.of({"code": 0, "msg": "ok"})


def _card_token(feishu: "Feishu", account: Account, value: Any) -> CardToken:
    token = feishu.card_tokens.get(value) if isinstance(value, str) else None
    if token is None or not token.delivery.attempts:
        raise FeishuError(300020, "token is invalid", bare=True)
    if token.app != account.name:
        raise FeishuError(200310, "the card belongs to another app", bare=True)
    if feishu.clock() - token.delivery.at > CARD_TOKEN_SECONDS:
        raise FeishuError(300030, "token is expired", bare=True)
    if token.uses >= CARD_TOKEN_USES:
        raise FeishuError(300040, "token has been used up", bare=True)
    return token
