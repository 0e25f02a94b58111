"""WeCom as an app sees it: tokens, messages and their limits, template cards, chats of its own, group robots."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from playground.platforms.base import Press, Unknown
from playground.platforms.limits import Rule
from playground.platforms.model import Appearance, Delivery, Message, Person, Wire
from playground.platforms.tencent import Tencent, wire
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import Refused
from playground.platforms.tencent.routes import Route
from playground.platforms.tencent.store import MEGABYTE, Sort
from playground.platforms.wecom import cards, routes

PER_MINUTE, PER_HOUR = 10_000, 150_000
"""Calls of one API for a company."""
_SYSTEM = {"FromUserName": "sys"}
_HEADERS = {"Content-Type": "text/xml", "User-Agent": "Mozilla/4.0"}


@dataclass(frozen=True, slots=True)
class Robot:
    """A group's robot."""

    key: str
    name: str
    room: str


class Wecom(Tencent):
    """The imitation of WeCom."""

    name: ClassVar[str] = "wecom"
    appearance: ClassVar[Appearance] = Appearance(
        label={"en": "WeCom", "zh": "企业微信"}, color="#1d6fb8", bubble=("#cfe6ff", "#21466f"), tab=3
    )
    secrets: ClassVar[frozenset[str]] = frozenset({"access_token", "corpsecret", "response_code", "key"})
    routes: ClassVar[tuple[Route, ...]] = routes.ROUTES
    sorts: ClassVar[Mapping[str, Sort]] = {
        "image": Sort(10 * MEGABYTE, ("png", "jpeg")),
        "voice": Sort(2 * MEGABYTE, ("amr",)),
        "video": Sort(10 * MEGABYTE, ("mp4",)),
        "file": Sort(20 * MEGABYTE),
    }
    articles: ClassVar[int] = 8
    nothings: ClassVar[tuple[bytes, ...]] = (b"",)
    limit_code: ClassVar[tuple[int, str]] = (45009, "api freq out of limit")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.robots: dict[str, Robot] = {}
        self.grants: dict[str, cards.Grant] = {}
        self.repeated: dict[tuple[str, str], float] = {}
        """When a message was shown whose repetitions the app wants swallowed, by app and content."""
        self.tasks: set[tuple[str, str]] = set()
        """Apps and the task ids that they have used."""
        self.dropped: list[Message] = []
        """What a person who had got too much was never shown, though the API called it sent."""

    # --- apps ---------------------------------------------------------------------------------------------------------

    def account_from(self, name: str, config: Mapping[str, Any]) -> Account:
        """The account for a configuration. Its webhooks become robots of the first group."""
        team = self.room_id("team", "group")
        webhooks = config.get("webhooks") or {}
        if webhooks and team not in self.rooms:
            self.make_room("team", "Team", "项目组", members=list(self.persons))
        for title, hook in webhooks.items():
            key = parse_qs(urlsplit(str(hook["url"])).query)["key"][0]
            self.robots[key] = Robot(key, str(title), team)
        corp = str(config["corp_id"])
        return Account(
            name=name,
            id=corp,
            secret=str(config["secret"]),
            token=str(config["token"]),
            key=str(config["encoding_aes_key"]),
            owner=corp,
            host=str(config.get("host") or "https://qyapi.weixin.qq.com"),
            agent=int(config["agent_id"]),
        )

    def user_id(self, account: Account, person: str) -> str:
        """A userid: the company's own, in the case in which it was entered."""
        del account
        return person[:1].upper() + person[1:]

    def tenant(self, app: str) -> str:
        """The company."""
        return self.account(app).id

    def count_call(self, account: Account, name: str) -> None:
        """Each API has its own limit for the company."""
        rules = [Rule((account.id, name), PER_MINUTE, 60), Rule((account.id, name), PER_HOUR, 3600)]
        if self.windows.take(rules, self.clock()):
            raise Refused(*self.limit_code)

    # --- callbacks ----------------------------------------------------------------------------------------------------

    def wrapped(self, account: Account, fields: Mapping[str, Any], now: float) -> Wire:
        """Always encrypted; `AgentID` stands outside for those with many apps behind one address."""
        encrypted = wire.encrypt(account.key, wire.xml(fields), account.id, self.random)
        body = {"ToUserName": account.id, "AgentID": str(account.agent), "Encrypt": encrypted}
        return Wire(query=self._signed(account, encrypted, now), headers=_HEADERS, body=wire.xml(body))

    def _signed(self, account: Account, encrypted: str, now: float) -> dict[str, str]:
        stamp = self.stamped(now)
        return {"msg_signature": wire.sign(account.token, *stamp.values(), encrypted), **stamp}

    def verification(self, account: Account, echo: str, now: float) -> Wire:
        """Here the echo is encrypted."""
        encrypted = wire.encrypt(account.key, echo.encode(), account.id, self.random)
        return Wire(method="GET", query={**self._signed(account, encrypted, now), "echostr": encrypted})

    def forged(self, account: Account, delivery: Delivery, how: str) -> Wire | None:
        """With a wrong `msg_signature`, or with the plain document in the place of the envelope."""
        del account
        sent = delivery.wire
        if how == "signature":
            query = {**sent.query, "msg_signature": wire.flipped(sent.query["msg_signature"])}
            return Wire(query=query, headers=sent.headers, body=sent.body)
        return Wire(query=sent.query, headers=sent.headers, body=delivery.plain) if how == "plain" else None

    def event_fields(self, account: Account, person: Person, kind: str, details: Mapping[str, Any]) -> dict[str, Any]:
        """Facts: WeCom docs, Receiving events."""
        del account
        key = str(details.get("event_key") or "")
        place = {name: str(details.get(name.lower()) or "0") for name in ("Latitude", "Longitude", "Precision")}
        known: dict[str, dict[str, Any]] = {
            "subscribe": {"Event": "subscribe", "EventKey": ""},
            "unsubscribe": {"Event": "unsubscribe", "EventKey": ""},
            "entered": {"Event": "enter_agent", "EventKey": ""},
            "menu": {"Event": "click", "EventKey": key},
            "view": {"Event": "view", "EventKey": key},
            "location": {"Event": "LOCATION", **place, "AppType": "wxwork"},
            "member_added": {
                "Event": "change_contact",
                "ChangeType": "create_user",
                "UserID": key or person.id,
                **_SYSTEM,
            },
            "approval": {"Event": "open_approval_change", "ApprovalInfo": {"ThirdNo": key, "OpenSpStatus": 2}},
        }
        if kind not in known:
            raise Unknown(f"WeCom has no {kind!r}; it has: {', '.join(known)}")
        return known[kind]

    def press(self, app: str, message_id: str, sender: str, pressed: Press) -> Delivery:
        """A person presses a button of a template card; with the event comes the right to change the card once."""
        with self.lock:
            account, message, person = self.account(app), self.find_message(message_id), self.person(sender)
            button = cards.find_button(message, pressed.button)
            code = self.hex(40)
            self.grants[code] = cards.Grant(app, message.id, self.clock() + cards.GRANT_SECONDS)
            fields = cards.press_fields(message, button, code, pressed)
            made = self.event(account, person.id, fields, kind="action", about=message.id)
            self.note(made, str(button["text"]))
            return made


PLATFORM = Wecom
