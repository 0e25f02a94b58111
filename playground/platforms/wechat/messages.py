"""WeChat's message APIs.

Facts: WeChat docs, Customer-service messages; Template messages; Subscription notifications.
"""

import re
from typing import TYPE_CHECKING, Any

from playground.platforms.exchange import Request, Response
from playground.platforms.model import Person
from playground.platforms.tencent import media
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import TencentError, ok
from playground.platforms.tencent.requests import json_body

if TYPE_CHECKING:
    from playground.platforms.wechat import Wechat

MAX_TEXT_BYTES = 2048
_ESCAPED = re.compile(rb"\\u(?!00[0-7])[0-9a-fA-F]{4}")
_UNCHECKED = ("music", "mpnews", "mpnewsarticle", "miniprogrampage", "wxcard")
"""Types whose content is not validated."""


def send(wechat: "Wechat", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/message/custom/send`."""
    body = unescaped_body(request)
    person = _person(wechat, account, body)
    kind, content = _content(wechat, body)
    wechat.message_windows.count_message((account.name, person.id), wechat.clock())
    message = wechat.put_bot_message(account, person, kind, content, wechat.hex(40))
    # This API returns no id. The record of calls has one, so that the trace can show which call made the message.
    wechat.note_call(room=message.room, message_id=message.id)
    return ok()


def _content(wechat: "Wechat", body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kind = str(body.get("msgtype"))
    content = body.get(kind)
    if not isinstance(content, dict):
        raise TencentError(40008, "invalid message type")
    match kind:
        case "text":
            _check_text(content.get("content"))
        case "image" | "voice" | "video":
            media.find(wechat, content.get("media_id"), kind)
        case "news":
            articles = content.get("articles")
            if not isinstance(articles, list) or len(articles) != 1:
                raise TencentError(45008, "article size out of limit")
        case "msgmenu":
            items = content.get("list")
            if not isinstance(items, list) or not all(item.get("id") and item.get("content") for item in items):
                raise TencentError(47001, "data format error")
        case _ if kind not in _UNCHECKED:
            raise TencentError(40008, "invalid message type")
        case _:
            pass
    return kind, content


def _check_text(text: object) -> None:
    if not isinstance(text, str) or not text:
        raise TencentError(44004, "empty content")
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise TencentError(45002, "content size out of limit")


def typing(wechat: "Wechat", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/message/custom/typing`."""
    body = unescaped_body(request)
    person = _person(wechat, account, body)
    if body.get("command") not in ("Typing", "CancelTyping"):
        raise TencentError(45072, "command field must be Typing or CancelTyping")
    wechat.message_windows.check_typing((account.name, person.id), wechat.clock())
    return ok()


def template(wechat: "Wechat", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/message/template/send`: to followers, at any time. An event reports the result."""
    body = unescaped_body(request)
    person = _person(wechat, account, body)
    if (account.name, person.id) in wechat.unsubscribed:
        raise TencentError(43004, "require subscribe")
    _check_template(body)
    key, now = str(body.get("client_msg_id") or ""), wechat.clock()
    wechat.note_call(key=key)
    if key and (before := wechat.template_ids.get((account.id, key), now)):
        raise TencentError(45065, "clientmsgid exist", msgid=int(before))
    id_ = wechat.message_id()
    if key:
        wechat.template_ids.put((account.id, key), id_, now)
    message = wechat.put_bot_message(account, person, "template", body, id_)
    wechat.note_call(room=message.room, message_id=id_)
    finished = {"Event": "TEMPLATESENDJOBFINISH", "MsgID": int(id_), "Status": "success"}
    wechat.deliver_event(account, person.id, finished)
    return ok(msgid=int(id_))


def subscription(wechat: "Wechat", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/message/subscribe/bizsend`."""
    body = unescaped_body(request)
    person = _person(wechat, account, body)
    _check_template(body)
    message = wechat.put_bot_message(account, person, "subscription", body, wechat.message_id())
    wechat.note_call(room=message.room, message_id=message.id)
    return ok()


def _check_template(body: dict[str, Any]) -> None:
    if not body.get("template_id") or not isinstance(body.get("data"), dict):
        raise TencentError(40037, "invalid template_id")


def _person(wechat: "Wechat", account: Account, body: dict[str, Any]) -> Person:
    person = wechat.person_by_user_id(account, str(body.get("touser") or ""))
    if person is None:
        raise TencentError(40003, "invalid openid")
    return person


def unescaped_body(request: Request) -> dict[str, Any]:
    """The body as a JSON object. It must not escape characters by their numbers. Raises TencentError."""
    body = json_body(request)
    if _ESCAPED.search(request.body):
        raise TencentError(40033, "invalid charset. please check your request, if include \\uxxxx will create fail!")
    return body
