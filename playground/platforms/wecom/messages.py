"""WeCom's token and message APIs.

Facts: WeCom docs, Get access_token; Send application messages; Recall; Group chats of apps; Frequency limits.
"""

from typing import TYPE_CHECKING, Any

from playground.platforms.exchange import Request, Response
from playground.platforms.limits import RateLimit
from playground.platforms.model import Message, Person
from playground.platforms.tencent import media
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import TencentError, ok
from playground.platforms.tencent.requests import json_body
from playground.platforms.wecom import cards

if TYPE_CHECKING:
    from playground.platforms.wecom import Wecom

MAX_TEXT_BYTES = 2048
"""A longer text is cut silently; a longer markdown is rejected."""
PERSON_MINUTE, PERSON_HOUR = 30, 1000
"""Messages of one app that a person gets. Further ones are dropped, and the API still returns success."""
CHAT_MINUTE = 200
RECALL_SECONDS = 86_400
DUPLICATE_SECONDS, MAX_DUPLICATE_SECONDS = 1800, 14_400
MAX_ARTICLES = 8
EVERYONE = "1"
"""The only department and the only tag."""


def get_token(wecom: "Wecom", request: Request) -> Response:
    """`GET /cgi-bin/gettoken`: the same token until it expires."""
    accounts = wecom.accounts_by_id(request.query.get("corpid"))
    if not accounts:
        raise TencentError(40013, "invalid corpid")
    account = next((one for one in accounts if one.secret == request.query.get("corpsecret")), None)
    if account is None:
        raise TencentError(40001, "invalid credential")
    wecom.note_call(app=account.name)
    wecom.count_call(account, "gettoken")
    now = wecom.clock()
    token = wecom.tokens.newest(account.name, "app")
    if token is None or token.expires <= now:
        token = wecom.tokens.issue(account.name, "app", now)
    return ok(access_token=token.value, expires_in=int(token.expires - now))


def check_message(
    wecom: "Wecom", body: dict[str, Any], *, markdown: int = MAX_TEXT_BYTES
) -> tuple[str, dict[str, Any]]:
    """Type and content of a message. `markdown`: the most bytes of a markdown text. Raises TencentError."""
    kind = str(body.get("msgtype"))
    content = body.get(kind)
    if not isinstance(content, dict):
        raise TencentError(40008, "invalid message type")
    match kind:
        case "text" | "markdown":
            return kind, {**content, "content": _text(kind, content.get("content"), markdown)}
        case "image" | "voice" | "video" | "file":
            media.find(wecom, content.get("media_id"), kind)
        case "textcard":
            if not all(content.get(name) for name in ("title", "description", "url")):
                raise TencentError(40058, "invalid Request Parameter: textcard")
        case "news":
            _check_articles(content.get("articles"))
        case "template_card":
            cards.check(content)
        case _:
            raise TencentError(40008, "invalid message type")
    return kind, content


def _text(kind: str, text: object, markdown: int) -> str:
    if not isinstance(text, str) or not text.strip():
        raise TencentError(44004, "empty content")
    if kind == "text":
        return text.encode()[:MAX_TEXT_BYTES].decode(errors="ignore")
    if len(text.encode()) > markdown:
        raise TencentError(45002, "content size out of limit")
    return text


def _check_articles(articles: object) -> None:
    if not isinstance(articles, list) or not 1 <= len(articles) <= MAX_ARTICLES:
        raise TencentError(45008, "article count out of limit")
    if not all(isinstance(one, dict) and one.get("title") and one.get("url") for one in articles):
        raise TencentError(40058, "invalid Request Parameter: articles")


def send(wecom: "Wecom", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/message/send`."""
    body = json_body(request)
    if body.get("agentid") != account.agent:
        raise TencentError(40056, "invalid agentid")
    persons, invalid = _receivers(wecom, account, body)
    kind, content = check_message(wecom, body)
    id_ = wecom.hex(40)
    if not _is_duplicate(wecom, account, body):
        if kind == "template_card":
            cards.use_task_id(wecom, account, content)
        for number, person in enumerate(persons):
            _deliver(wecom, account, person, kind, content, f"{id_}-{number}" if number else id_)
    wecom.note_call(message_id=id_)
    code = {"response_code": wecom.hex(40)} if kind == "template_card" else {}
    return ok(**invalid, msgid=id_, **code)


def _receivers(wecom: "Wecom", account: Account, body: dict[str, Any]) -> tuple[list[Person], dict[str, str]]:
    named = [[id_ for id_ in str(body.get(name) or "").split("|") if id_] for name in ("touser", "toparty", "totag")]
    if not any(named):
        raise TencentError(82001, "no receiver: touser, toparty and totag are all empty")
    everyone = {person.id: person for person in wecom.persons.values()}
    users, *groups = named
    found = {} if users == ["@all"] else {id_: wecom.person_by_user_id(account, id_) for id_ in users}
    persons = {person.id: person for person in found.values() if person}
    if users == ["@all"] or any(EVERYONE in ids for ids in groups):
        persons = everyone
    wrong = [[id_.lower() for id_, person in found.items() if person is None]]
    wrong += [[id_ for id_ in ids if id_ != EVERYONE] for ids in groups]
    names = ("invaliduser", "invalidparty", "invalidtag")
    invalid = {name: "|".join(ids) for name, ids in zip(names, wrong, strict=True)}
    if not persons:
        raise TencentError(81013, "user & party & tag all invalid", **invalid)
    return list(persons.values()), invalid


def _is_duplicate(wecom: "Wecom", account: Account, body: dict[str, Any]) -> bool:
    """Whether the app asks to drop duplicates and has sent the same JSON before."""
    if body.get("enable_duplicate_check") != 1:
        return False
    key, now = (account.name, repr(sorted(body.items()))), wecom.clock()
    interval = min(int(body.get("duplicate_check_interval") or DUPLICATE_SECONDS), MAX_DUPLICATE_SECONDS)
    if now < wecom.duplicate_checks.get(key, float("-inf")) + interval:
        return True
    wecom.duplicate_checks[key] = now
    return False


def _deliver(wecom: "Wecom", account: Account, person: Person, kind: str, content: dict[str, Any], id_: str) -> None:
    key = (account.name, person.id)
    if wecom.windows.acquire([RateLimit(key, PERSON_MINUTE, 60), RateLimit(key, PERSON_HOUR, 3600)], wecom.clock()):
        wecom.dropped.append(Message(id_, person.id, account.name, "bot", kind, content, wecom.clock()))
        return
    wecom.note_call(room=wecom.put_bot_message(account, person, kind, content, id_).room)


def recall(wecom: "Wecom", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/message/recall`: recalls the message from all its receivers."""
    id_ = str(json_body(request).get("msgid") or "")
    found = [m for key, m in wecom.messages.items() if key.partition("-")[0] == id_ and m.sender == account.name]
    if not found or wecom.clock() - found[0].at > RECALL_SECONDS:
        raise TencentError(40058, "invalid Request Parameter: msgid")
    for message in found:
        message.recalled = True
        wecom.note_call(room=message.room, message_id=message.id)
        wecom.put_message(message)
    return ok()


# --- group chats of the app -------------------------------------------------------------------------------------------


def create_chat(wecom: "Wecom", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/appchat/create`."""
    body = json_body(request)
    members = [person for id_ in body.get("userlist") or () if (person := wecom.person_by_user_id(account, str(id_)))]
    if len(members) < 2:
        raise TencentError(40058, "invalid Request Parameter: userlist")
    slug = str(body.get("chatid") or wecom.hex(16))
    if wecom.room_id(slug, "group") in wecom.rooms:
        raise TencentError(40058, "invalid Request Parameter: chatid")
    name = str(body.get("name") or slug)
    wecom.make_room(slug, name, name, members=[person.id for person in members], bots={account.name})
    return ok(chatid=slug)


def send_to_chat(wecom: "Wecom", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/appchat/send`."""
    body = json_body(request)
    room = wecom.rooms.get(wecom.room_id(str(body.get("chatid")), "group"))
    if room is None or account.name not in room.bots:
        raise TencentError(40050, "invalid chatid")
    kind, content = check_message(wecom, body)
    if kind == "template_card":
        raise TencentError(40008, "invalid message type")
    wecom.note_call(room=room.id)
    message = Message(wecom.hex(40), room.id, account.name, "bot", kind, content, wecom.clock(), account.name)
    if wecom.windows.acquire([RateLimit(("chat", room.id), CHAT_MINUTE, 60)], wecom.clock()):
        wecom.dropped.append(message)
        return ok()
    wecom.put_message(message)
    wecom.note_call(message_id=message.id)
    return ok()
