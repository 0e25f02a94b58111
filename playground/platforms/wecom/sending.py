"""Messages of an app. Facts: WeCom docs, Send application messages; Recall; Group chats of apps; Frequency limits."""

from typing import TYPE_CHECKING, Any

from playground.platforms.http import Request, Response
from playground.platforms.limits import Rule
from playground.platforms.model import Message, Person
from playground.platforms.tencent import store
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import Refused, done
from playground.platforms.wecom import cards

if TYPE_CHECKING:
    from playground.platforms.wecom import Wecom

TEXT = 2048
"""Bytes. A longer text is cut without a word, a longer markdown refused."""
PERSON_MINUTE, PERSON_HOUR = 30, 1000
"""Messages of one app that a person is shown; the others are dropped with a code of success."""
CHAT_MINUTE = 200
RECALL_SECONDS = 86_400
DUPLICATE_SECONDS, DUPLICATE_MOST = 1800, 14_400
ARTICLES = 8
EVERYONE = "1"
"""The one department and the one tag here."""


def get_token(wecom: "Wecom", request: Request) -> Response:
    """`GET /cgi-bin/gettoken`: the same token for as long as it lives."""
    known = wecom.accounts_of(request.query.get("corpid"))
    if not known:
        raise Refused(40013, "invalid corpid")
    account = next((one for one in known if one.secret == request.query.get("corpsecret")), None)
    if account is None:
        raise Refused(40001, "invalid credential")
    wecom.note_call(app=account.name)
    wecom.count_call(account, "gettoken")
    now = wecom.clock()
    grant = wecom.tokens.newest(account.name, "app")
    if grant is None or grant.until <= now:
        grant = wecom.tokens.issue(account.name, "app", now)
    return done(access_token=grant.value, expires_in=int(grant.until - now))


def checked(wecom: "Wecom", body: dict[str, Any], *, markdown: int = TEXT) -> tuple[str, dict[str, Any]]:
    """Type and content of a message, as it is shown. Raises Refused."""
    kind = str(body.get("msgtype"))
    content = body.get(kind)
    if not isinstance(content, dict):
        raise Refused(40008, "invalid message type")
    match kind:
        case "text" | "markdown":
            return kind, {**content, "content": _words(kind, content.get("content"), markdown)}
        case "image" | "voice" | "video" | "file":
            store.find(wecom, content.get("media_id"), kind)
        case "textcard":
            if not all(content.get(name) for name in ("title", "description", "url")):
                raise Refused(40058, "invalid Request Parameter: textcard")
        case "news":
            _check_articles(content.get("articles"))
        case "template_card":
            cards.check(content)
        case _:
            raise Refused(40008, "invalid message type")
    return kind, content


def _words(kind: str, text: object, markdown: int) -> str:
    if not isinstance(text, str) or not text.strip():
        raise Refused(44004, "empty content")
    if kind == "text":
        return text.encode()[:TEXT].decode(errors="ignore")
    if len(text.encode()) > markdown:
        raise Refused(45002, "content size out of limit")
    return text


def _check_articles(articles: object) -> None:
    if not isinstance(articles, list) or not 1 <= len(articles) <= ARTICLES:
        raise Refused(45008, "article count out of limit")
    if not all(isinstance(one, dict) and one.get("title") and one.get("url") for one in articles):
        raise Refused(40058, "invalid Request Parameter: articles")


def send(wecom: "Wecom", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/message/send`."""
    body = _body(request)
    if body.get("agentid") != account.agent:
        raise Refused(40056, "invalid agentid")
    persons, invalid = _receivers(wecom, account, body)
    kind, content = checked(wecom, body)
    id_ = wecom.hex(40)
    if not _repeated(wecom, account, body):
        if kind == "template_card":
            cards.take_task(wecom, account, content)
        for number, person in enumerate(persons):
            _show(wecom, account, person, kind, content, f"{id_}-{number}" if number else id_)
    wecom.note_call(message_id=id_)
    code = {"response_code": wecom.hex(40)} if kind == "template_card" else {}
    return done(**invalid, msgid=id_, **code)


def _receivers(wecom: "Wecom", account: Account, body: dict[str, Any]) -> tuple[list[Person], dict[str, str]]:
    named = [[id_ for id_ in str(body.get(name) or "").split("|") if id_] for name in ("touser", "toparty", "totag")]
    if not any(named):
        raise Refused(82001, "no receiver: touser, toparty and totag are all empty")
    everyone = {person.id: person for person in wecom.persons.values()}
    users, *groups = named
    found = {} if users == ["@all"] else {id_: wecom.person_of(account, id_) for id_ in users}
    persons = {person.id: person for person in found.values() if person}
    if users == ["@all"] or any(EVERYONE in ids for ids in groups):
        persons = everyone
    wrong = [[id_.lower() for id_, person in found.items() if person is None]]
    wrong += [[id_ for id_ in ids if id_ != EVERYONE] for ids in groups]
    names = ("invaliduser", "invalidparty", "invalidtag")
    invalid = {name: "|".join(ids) for name, ids in zip(names, wrong, strict=True)}
    if not persons:
        raise Refused(81013, "user & party & tag all invalid", **invalid)
    return list(persons.values()), invalid


def _repeated(wecom: "Wecom", account: Account, body: dict[str, Any]) -> bool:
    """Whether the app wants a message swallowed whose JSON is that of one before it."""
    if body.get("enable_duplicate_check") != 1:
        return False
    key, now = (account.name, repr(sorted(body.items()))), wecom.clock()
    interval = min(int(body.get("duplicate_check_interval") or DUPLICATE_SECONDS), DUPLICATE_MOST)
    if now < wecom.repeated.get(key, float("-inf")) + interval:
        return True
    wecom.repeated[key] = now
    return False


def _show(wecom: "Wecom", account: Account, person: Person, kind: str, content: dict[str, Any], id_: str) -> None:
    key = (account.name, person.id)
    if wecom.windows.take([Rule(key, PERSON_MINUTE, 60), Rule(key, PERSON_HOUR, 3600)], wecom.clock()):
        wecom.dropped.append(Message(id_, person.id, account.name, "bot", kind, content, wecom.clock()))
        return
    wecom.note_call(room=wecom.send(account, person, kind, content, id_).room)


def recall(wecom: "Wecom", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/message/recall`: what went to many is taken back from all."""
    id_ = str(_body(request).get("msgid") or "")
    found = [m for key, m in wecom.messages.items() if key.partition("-")[0] == id_ and m.sender == account.name]
    if not found or wecom.clock() - found[0].at > RECALL_SECONDS:
        raise Refused(40058, "invalid Request Parameter: msgid")
    for message in found:
        message.recalled = True
        wecom.note_call(room=message.room, message_id=message.id)
        wecom.put_message(message)
    return done()


# --- chats of the app's own -------------------------------------------------------------------------------------------


def create_chat(wecom: "Wecom", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/appchat/create`."""
    body = _body(request)
    members = [person for id_ in body.get("userlist") or () if (person := wecom.person_of(account, str(id_)))]
    if len(members) < 2:
        raise Refused(40058, "invalid Request Parameter: userlist")
    slug = str(body.get("chatid") or wecom.hex(16))
    if wecom.room_id(slug, "group") in wecom.rooms:
        raise Refused(40058, "invalid Request Parameter: chatid")
    name = str(body.get("name") or slug)
    wecom.make_room(slug, name, name, members=[person.id for person in members], bots={account.name})
    return done(chatid=slug)


def send_to_chat(wecom: "Wecom", account: Account, request: Request) -> Response:
    """`POST /cgi-bin/appchat/send`."""
    body = _body(request)
    room = wecom.rooms.get(wecom.room_id(str(body.get("chatid")), "group"))
    if room is None or account.name not in room.bots:
        raise Refused(40050, "invalid chatid")
    kind, content = checked(wecom, body)
    if kind == "template_card":
        raise Refused(40008, "invalid message type")
    wecom.note_call(room=room.id)
    message = Message(wecom.hex(40), room.id, account.name, "bot", kind, content, wecom.clock(), account.name)
    if wecom.windows.take([Rule(("chat", room.id), CHAT_MINUTE, 60)], wecom.clock()):
        wecom.dropped.append(message)
        return done()
    wecom.put_message(message)
    wecom.note_call(message_id=message.id)
    return done()


def _body(request: Request) -> dict[str, Any]:
    body = request.json()
    if not isinstance(body, dict):
        raise Refused(47001, "data format error")
    return body
