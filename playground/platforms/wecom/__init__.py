"""Simulated WeCom: tokens, messages and their limits, template cards, group chats of apps, group robots."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from playground.platforms.base import NewMessage, NotFoundError, Press
from playground.platforms.digests import flip_first_digit
from playground.platforms.exchange import Request
from playground.platforms.limits import RateLimit
from playground.platforms.model import Appearance, Delivery, Message, Part, Person, Wire
from playground.platforms.routing import Route, Router
from playground.platforms.tencent import Tencent, parts, wire
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import TOKEN_INVALID, TencentError
from playground.platforms.tencent.media import MEGABYTE, MediaType
from playground.platforms.wecom import cards, members, provider
from playground.platforms.wecom.routes import ROUTER

PER_MINUTE, PER_HOUR = 10_000, 150_000
"""Calls of one API by one company."""
_SYSTEM = {"FromUserName": "sys"}
_HEADERS = {"Content-Type": "text/xml", "User-Agent": "Mozilla/4.0"}


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot in a group."""

    key: str
    name: str
    room: str


class Wecom(Tencent):
    """Simulated WeCom."""

    name: ClassVar[str] = "wecom"
    appearance: ClassVar[Appearance] = Appearance(
        label={"en": "WeCom", "zh": "企业微信"}, color="#1d6fb8", bubble=("#cfe6ff", "#21466f"), tab=3
    )
    secrets: ClassVar[frozenset[str]] = frozenset(
        {"access_token", "corpsecret", "response_code", "key"}
        | {"suite_access_token", "suite_secret", "suite_ticket", "auth_code", "permanent_code", "pre_auth_code"}
    )
    router: ClassVar[Router] = ROUTER
    media_types: ClassVar[Mapping[str, MediaType]] = {
        "image": MediaType(10 * MEGABYTE, ("png", "jpeg")),
        "voice": MediaType(2 * MEGABYTE, ("amr",)),
        "video": MediaType(10 * MEGABYTE, ("mp4",)),
        "file": MediaType(20 * MEGABYTE),
    }
    max_articles: ClassVar[int] = 8
    empty_responses: ClassVar[tuple[bytes, ...]] = (b"",)
    rate_limit_error: ClassVar[tuple[int, str]] = (45009, "api freq out of limit")
    shown_events: ClassVar[frozenset[str]] = frozenset({"click", "scancode_push", "scancode_waitmsg"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.robots: dict[str, Robot] = {}
        self.suites: dict[str, provider.Suite] = {}
        """The apps of providers, by name."""
        self.response_codes: dict[str, cards.ResponseCode] = {}
        self.duplicate_checks: dict[tuple[str, str], float] = {}
        """Times of messages with a duplicate check, by app and content."""
        self.tasks: set[tuple[str, str]] = set()
        """Apps, each with a task id that it has used."""
        self.dropped: list[Message] = []
        """Messages above the limit of a person or chat: the API returned success, and nobody got them."""

    # --- apps ---------------------------------------------------------------------------------------------------------

    def account_from(self, name: str, config: Mapping[str, Any]) -> Account:
        """The account for the app's Parley configuration. Its webhooks become robots of the first group."""
        if config.get("suite_id"):
            self.suites[name] = provider.suite_from(name, config)
            return self.suites[name].account
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

    def parts(self, message: Message) -> list[Part]:
        """The parts of `message` for the page."""
        if message.sender_kind != "webhook":
            return super().parts(message)
        return parts.of_app(message.type, members.with_names(self, message.content))

    def user_id(self, account: Account, person: str) -> str:
        """A userid. The company chooses it, with upper and lower case."""
        del account
        return person[:1].upper() + person[1:]

    def tenant(self, app: str, room: str = "") -> str:
        """The corp id."""
        del room
        return self.account(app).id

    @staticmethod
    def name_in(app: str, company: str) -> str:
        """The name of an app of a provider in one company."""
        return f"{app}@{company}"

    def installations(self, app: str) -> dict[str, Any] | None:
        """The companies of an app of a provider."""
        name = app.partition("@")[0]
        suite = self.suites.get(name)
        if suite is None:
            return None
        tenants = [
            {
                "id": company.id,
                "app": self.name_in(name, company.id),
                "is_installed": bool(company.code),
                "persons": company.persons,
            }
            for company in suite.companies.values()
        ]
        return {"app": name, "tenants": tenants}

    def tick(self) -> None:
        """Push the tickets that are due."""
        with self.lock:
            for suite in self.suites.values():
                provider.push_ticket(self, suite)

    def send_message(self, app: str, room: str, sender: str, message: NewMessage) -> Message:
        """A person writes to an app. That of a provider is in each company that has installed it."""
        if app in self.suites:
            raise NotFoundError(f"{app!r} is the app of a provider: choose it in a company, as {app}@COMPANY")
        return super().send_message(app, room, sender, message)

    # --- API ----------------------------------------------------------------------------------------------------------

    def authenticate(self, request: Request, route: Route) -> Account:
        """The account of the access token. The token of a provider is none."""
        token = self.tokens.get(request.query.get("access_token", ""))
        if token is not None and token.kind == "suite":
            raise TencentError(*TOKEN_INVALID)
        return super().authenticate(request, route)

    def has_valid_token(self, request: Request) -> bool:
        """Whether the call has a valid access token, of a company or of a provider."""
        token = self.tokens.get(request.query.get("suite_access_token", ""))
        return super().has_valid_token(request) if token is None else token.expires > self.clock()

    def expire_token(self, request: Request) -> None:
        """Revoke the token of the call."""
        super().expire_token(request)
        self.tokens.revoke(request.query.get("suite_access_token", ""))

    def count_call(self, account: Account, name: str) -> None:
        """Each API has its own limit per company."""
        key = (account.id, name)
        limits = [RateLimit(key, PER_MINUTE, 60), RateLimit(key, PER_HOUR, 3600)]
        if self.windows.acquire(limits, self.clock()):
            raise TencentError(*self.rate_limit_error)

    # --- callbacks ----------------------------------------------------------------------------------------------------

    def callback(self, account: Account, fields: Mapping[str, Any], now: float) -> Wire:
        """Always encrypted. `AgentID` is not encrypted, so that a receiver can serve many apps at one URL."""
        encrypted = wire.encrypt(account.key, wire.xml(fields), account.id, self.random)
        body = {"ToUserName": account.id, "AgentID": str(account.agent), "Encrypt": encrypted}
        return Wire(query=self._signed(account, encrypted, now), headers=_HEADERS, body=wire.xml(body))

    def _signed(self, account: Account, encrypted: str, now: float) -> dict[str, str]:
        stamp = self.timestamp_and_nonce(now)
        return {"msg_signature": wire.sign(account.token, *stamp.values(), encrypted), **stamp}

    def verification(self, account: Account, echo: str, now: float) -> Wire:
        """The echo is encrypted. That of an app of a provider ends in the provider's own company."""
        suite = self.suites.get(account.name)
        encrypted = wire.encrypt(account.key, echo.encode(), suite.provider if suite else account.id, self.random)
        return Wire(method="GET", query={**self._signed(account, encrypted, now), "echostr": encrypted})

    def forged(self, delivery: Delivery, how: str) -> Wire | None:
        """A wrong `msg_signature`; or the unencrypted XML in place of the encrypted one."""
        sent = delivery.wire
        match how:
            case "signature":
                query = {**sent.query, "msg_signature": flip_first_digit(sent.query["msg_signature"])}
                return replace(sent, query=query)
            case "plain":
                return replace(sent, body=delivery.plain)
            case _:
                return super().forged(delivery, how)

    def accept_response(self, delivery: Delivery, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """A command has to be answered with the text `success`."""
        if provider.is_command(delivery):
            return status == 200 and body == provider.SUCCESS
        return super().accept_response(delivery, status, headers, body)

    def emit_event(self, app: str, kind: str, details: Mapping[str, Any]) -> Delivery | None:
        """An event of a person; of an app of a provider, what happens to its installations."""
        with self.lock:
            suite = self.suites.get(app)
            if suite is not None:
                return provider.emit(self, suite, kind, details)
            return super().emit_event(app, kind, details)

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
            raise NotFoundError(f"WeCom has no event {kind!r}; it has: {', '.join(known)}")
        return known[kind]

    def press(self, app: str, message_id: str, sender: str, press: Press) -> Delivery:
        """A person presses a button of a template card. The event has a code that allows one update of the card."""
        with self.lock:
            account, message, person = self.account(app), self.find_message(message_id), self.person(sender)
            button = cards.find_button(message, press.button)
            code = self.hex(40)
            self.response_codes[code] = cards.ResponseCode(app, message.id, self.clock() + cards.RESPONSE_CODE_SECONDS)
            fields = cards.press_fields(message, button, code, press)
            delivery = self.deliver_event(account, person.id, fields, kind="action", subject=message.id)
            self.put_note(delivery.id, delivery, person.id, str(button["text"]), reply_to=message.id)
            return delivery


PLATFORM = Wecom
