"""Webhooks of custom bots, and delayed card updates: the two calls that need no access token of the caller's.

Facts: Feishu docs, Custom bot usage guide; Feishu cards › Delayed update.
"""

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.platforms.feishu import cards
from playground.platforms.feishu.accounts import Account
from playground.platforms.feishu.content import check_content
from playground.platforms.feishu.errors import Refused
from playground.platforms.feishu.wire import dumps, webhook_sign
from playground.platforms.http import Request, Response
from playground.platforms.limits import Rule
from playground.platforms.model import Delivery, Message

if TYPE_CHECKING:
    from playground.platforms.feishu import Feishu

HOOK_BYTES = 20 * 1024
STAMP_SECONDS = 3600
GRANT_SECONDS = 1800
GRANT_USES = 2
CARD_UPDATE_BYTES = 100 * 1024


@dataclass(frozen=True, slots=True)
class Hook:
    """A custom bot in a group."""

    id: str
    name: str
    secret: str
    room: str


@dataclass(slots=True)
class CardGrant:
    """The right to update a card that came with a press."""

    app: str
    message_id: str
    delivery: Delivery
    uses: int = 0


def push(feishu: "Feishu", request: Request, hook_id: str) -> Response:
    """`POST /open-apis/bot/v2/hook/:id`."""
    hook = feishu.hooks.get(hook_id)
    if hook is None:
        raise Refused(19001, "param invalid: incoming webhook access token invalid", bare=True)
    if len(request.body) > HOOK_BYTES:
        raise Refused(9499, f"Bad Request: the body is beyond {HOOK_BYTES} bytes", bare=True)
    body = request.json()
    if not isinstance(body, dict):
        raise Refused(9499, "Bad Request", bare=True)
    _check_sign(feishu, hook, body)
    if feishu.windows.take([Rule(("hook", hook_id), 5, 1), Rule(("hook", hook_id), 100, 60)], feishu.clock()):
        raise hook_limited()
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


def hook_limited() -> Refused:
    """11232: above the webhook's limit."""
    return Refused(11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]", 200, bare=True)


def _check_sign(feishu: "Feishu", hook: Hook, body: dict[str, Any]) -> None:
    if not hook.secret:
        return
    timestamp, sign = str(body.get("timestamp") or ""), str(body.get("sign") or "")
    fresh = timestamp.isdigit() and abs(feishu.clock() - int(timestamp)) <= STAMP_SECONDS
    if not fresh or not hmac.compare_digest(webhook_sign(timestamp, hook.secret).encode(), sign.encode()):
        msg = "sign match fail or timestamp is not within one hour from current time"
        raise Refused(19021, msg, 200, bare=True)


def _content(body: dict[str, Any]) -> tuple[str, Any]:
    msg_type, content = body.get("msg_type"), body.get("content")
    if msg_type == "interactive":
        content = body.get("card")
    elif msg_type == "post" and isinstance(content, dict):
        content = content.get("post")
    if msg_type not in ("text", "post", "image", "share_chat", "interactive") or not isinstance(content, dict):
        raise Refused(9499, "Bad Request: msg_type and content do not fit", bare=True)
    return str(msg_type), content


def update_later(feishu: "Feishu", account: Account, request: Request) -> Response:
    """`POST /open-apis/interactive/v1/card/update`: within 30 minutes of the press, twice at most, and only after
    the press was answered."""
    body = request.json()
    card = body.get("card") if isinstance(body, dict) else None
    if not isinstance(card, dict):
        raise Refused(11311, "card is invalid", bare=True)
    grant = _grant(feishu, account, body.get("token"))
    message = feishu.messages[grant.message_id]
    feishu.note_call(room=message.room, message_id=message.id)
    if message.recalled:
        raise Refused(200000, "the card has been recalled", bare=True)
    if len(dumps(card)) > CARD_UPDATE_BYTES:
        raise Refused(100000, "the card is beyond 100 KB", bare=True)
    if not cards.shared(message.content) and not card.get("open_ids"):
        raise Refused(300090, "open_ids is required to update a card that is not shared", bare=True)
    try:
        content = cards.check_card(dumps({k: v for k, v in card.items() if k != "open_ids"}).decode())
    except Refused as error:
        raise Refused(100030, str(error), bare=True) from error
    grant.uses += 1
    message.content, message.edited = content, feishu.clock()
    feishu.put_message(message)
    return Response.of({"code": 0, "msg": "ok"})


def _grant(feishu: "Feishu", account: Account, token: Any) -> CardGrant:
    grant = feishu.grants.get(token) if isinstance(token, str) else None
    if grant is None or not grant.delivery.attempts:
        raise Refused(300020, "token is invalid", bare=True)
    if grant.app != account.name:
        raise Refused(200310, "the card belongs to another app", bare=True)
    if feishu.clock() - grant.delivery.at > GRANT_SECONDS:
        raise Refused(300030, "token is expired", bare=True)
    if grant.uses >= GRANT_USES:
        raise Refused(300040, "token has been used up", bare=True)
    return grant
