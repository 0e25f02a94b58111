"""Messages of an account, and its tokens. Facts: WeChat docs, Customer-service messages; Template messages;
Subscription notifications; Get stable access token; Get access token."""

import re
from typing import TYPE_CHECKING, Any

from playground.platforms.http import Request, Response
from playground.platforms.model import Person
from playground.platforms.tencent import store
from playground.platforms.tencent.accounts import Account, Grant
from playground.platforms.tencent.errors import Refused, done

if TYPE_CHECKING:
    from playground.platforms.wechat import Wechat

TEXT = 2048
OVERLAP = 300.0
"""Seconds at the end of a token in which the next one is given out already, and for which the old one still works."""
FORCED_A_DAY, FORCED_APART = 20, 30.0
_ESCAPED = re.compile(rb"\\u(?!00[0-7])[0-9a-fA-F]{4}")
_ELSE = ("music", "mpnews", "mpnewsarticle", "miniprogrampage", "wxcard")
"""Types that are taken as they are."""


# --- tokens -----------------------------------------------------------------------------------------------------------


def stable_token(wechat: "Wechat", request: Request) -> Response:
    """`POST /cgi-bin/stable_token`: the same token, until its last five minutes or until a new one is forced."""
    body = _body(request)
    account = _credentials(wechat, body)
    now = wechat.clock()
    grant = wechat.tokens.newest(account.name, "stable")
    if body.get("force_refresh") is True:
        _count_forced(wechat, account, now)
        wechat.tokens.cut(account.name, "stable", now)
        grant = None
    if grant is None or grant.until - now <= OVERLAP:
        grant = wechat.tokens.issue(account.name, "stable", now)
    return _given(grant, now)


def token(wechat: "Wechat", request: Request) -> Response:
    """`GET /cgi-bin/token`: each call makes a token and ends the one before, five minutes later."""
    account = _credentials(wechat, dict(request.query))
    now = wechat.clock()
    wechat.tokens.cut(account.name, "plain", now + OVERLAP)
    return _given(wechat.tokens.issue(account.name, "plain", now), now)


def _credentials(wechat: "Wechat", asked: dict[str, Any]) -> Account:
    if asked.get("grant_type") != "client_credential":
        raise Refused(40002, "invalid grant_type")
    known = wechat.accounts_of(asked.get("appid"))
    if not known:
        raise Refused(40013, "invalid appid")
    if asked.get("secret") != known[0].secret:
        raise Refused(40125, "invalid appsecret")
    wechat.note_call(app=known[0].name)
    wechat.count_call(known[0], "token")
    return known[0]


def _count_forced(wechat: "Wechat", account: Account, now: float) -> None:
    today = [at for at in wechat.forced.get(account.name, []) if at > now - 86_400]
    if len(today) >= FORCED_A_DAY or (today and now - today[-1] < FORCED_APART):
        raise Refused(45009, "reach max api daily quota limit: force_refresh")
    wechat.forced[account.name] = [*today, now]


def _given(grant: Grant, now: float) -> Response:
    return Response.of({"access_token": grant.value, "expires_in": int(grant.until - now)})


# --- customer-service messages ----------------------------------------------------------------------------------------


def custom(wechat: "Wechat", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/message/custom/send`."""
    body = _body(request)
    person = _person(wechat, account, body)
    kind, content = _content(wechat, body)
    wechat.allowances.take((account.name, person.id), wechat.clock())
    message = wechat.send(account, person, kind, content, wechat.hex(40))
    # This API gives no id; the record of calls has it, so that the page can tell which call said what.
    wechat.note_call(room=message.room, message_id=message.id)
    return done()


def _content(wechat: "Wechat", body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kind = str(body.get("msgtype"))
    content = body.get(kind)
    if not isinstance(content, dict):
        raise Refused(40008, "invalid message type")
    match kind:
        case "text":
            _check_text(content.get("content"))
        case "image" | "voice" | "video":
            store.find(wechat, content.get("media_id"), kind)
        case "news":
            articles = content.get("articles")
            if not isinstance(articles, list) or len(articles) != 1:
                raise Refused(45008, "article size out of limit")
        case "msgmenu":
            items = content.get("list")
            if not isinstance(items, list) or not all(item.get("id") and item.get("content") for item in items):
                raise Refused(47001, "data format error")
        case _ if kind not in _ELSE:
            raise Refused(40008, "invalid message type")
        case _:
            pass
    return kind, content


def _check_text(text: object) -> None:
    if not isinstance(text, str) or not text:
        raise Refused(44004, "empty content")
    if len(text.encode()) > TEXT:
        raise Refused(45002, "content size out of limit")


def typing(wechat: "Wechat", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/message/custom/typing`."""
    body = _body(request)
    person = _person(wechat, account, body)
    if body.get("command") not in ("Typing", "CancelTyping"):
        raise Refused(45072, "command field must be Typing or CancelTyping")
    wechat.allowances.check_typing((account.name, person.id), wechat.clock())
    return done()


# --- template and subscription messages -------------------------------------------------------------------------------


def template(wechat: "Wechat", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/message/template/send`: to followers, at any time; what became of it is told by an event."""
    body = _body(request)
    person = _person(wechat, account, body)
    if (account.name, person.id) in wechat.left:
        raise Refused(43004, "require subscribe")
    if not body.get("template_id") or not isinstance(body.get("data"), dict):
        raise Refused(40037, "invalid template_id")
    key, now = str(body.get("client_msg_id") or ""), wechat.clock()
    wechat.note_call(key=key)
    if key and (before := wechat.sent.get((account.id, key), now)):
        raise Refused(45065, "clientmsgid exist", msgid=int(before))
    id_ = wechat.message_id()
    if key:
        wechat.sent.put((account.id, key), id_, now)
    message = wechat.send(account, person, "template", body, id_)
    wechat.note_call(room=message.room, message_id=id_)
    wechat.event(account, person.id, {"Event": "TEMPLATESENDJOBFINISH", "MsgID": int(id_), "Status": "success"})
    return done(msgid=int(id_))


def subscription(wechat: "Wechat", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/message/subscribe/bizsend`."""
    body = _body(request)
    person = _person(wechat, account, body)
    if not body.get("template_id") or not isinstance(body.get("data"), dict):
        raise Refused(40037, "invalid template_id")
    message = wechat.send(account, person, "subscription", body, wechat.message_id())
    wechat.note_call(room=message.room, message_id=message.id)
    return done()


def _person(wechat: "Wechat", account: Account, body: dict[str, Any]) -> Person:
    person = wechat.person_of(account, str(body.get("touser") or ""))
    if person is None:
        raise Refused(40003, "invalid openid")
    return person


def _body(request: Request) -> dict[str, Any]:
    body = request.json()
    if not isinstance(body, dict):
        raise Refused(47001, "data format error")
    if _ESCAPED.search(request.body):
        raise Refused(40033, "invalid charset. please check your request, if include \\uxxxx will create fail!")
    return body
