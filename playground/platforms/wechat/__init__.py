"""Simulated WeChat Official Accounts: callbacks in every mode, passive replies, customer-service messages within their
windows, stable tokens."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from parley.platforms.tencent.buttons import unpack
from playground.platforms.base import PRIVATE, NotFoundError, Press
from playground.platforms.buttons import find_number
from playground.platforms.digests import flip_first_digit, stable_hex
from playground.platforms.limits import IdempotencyKeys, RateLimit
from playground.platforms.model import Appearance, Delivery, Message, NamedButton, Person, Wire
from playground.platforms.routing import Router
from playground.platforms.tencent import Tencent, parts, wire
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import TencentError
from playground.platforms.tencent.media import MEGABYTE, MediaType
from playground.platforms.wechat.message_windows import MessageWindows
from playground.platforms.wechat.routes import ROUTER

PER_MINUTE = 2000
"""Calls of one account, of all APIs together."""
CLIENT_ID_SECONDS = 600
UNAVAILABLE = "该公众号暂时无法提供服务，请稍后再试"
_HEADERS = {"Content-Type": "text/xml", "User-Agent": "Mozilla/4.0"}


class Wechat(Tencent):
    """Simulated WeChat."""

    name: ClassVar[str] = "wechat"
    appearance: ClassVar[Appearance] = Appearance(
        label={"en": "WeChat", "zh": "微信公众号"},
        color="#16803c",
        bubble=("#b7eda0", "#2c5a34"),
        bubble_radius="7px",
        tab=4,
    )
    router: ClassVar[Router] = ROUTER
    secrets: ClassVar[frozenset[str]] = frozenset({"access_token", "secret"})
    media_types: ClassVar[Mapping[str, MediaType]] = {
        "image": MediaType(10 * MEGABYTE, ("png", "jpeg", "gif")),
        "voice": MediaType(2 * MEGABYTE, ("amr", "mp3")),
        "video": MediaType(10 * MEGABYTE, ("mp4",)),
        "thumb": MediaType(64 * 1024, ("jpeg",)),
    }
    max_articles: ClassVar[int] = 1
    empty_responses: ClassVar[tuple[bytes, ...]] = (b"", b"success")
    video_by_url: ClassVar[bool] = True
    transfers_to_agents: ClassVar[bool] = True
    rate_limit_error: ClassVar[tuple[int, str]] = (
        45011,
        "api minute-quota reach limit, must slower, retry next minute",
    )
    shown_events: ClassVar[frozenset[str]] = frozenset(
        {"subscribe", "scan", "click", "scancode_push", "scancode_waitmsg"}
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.message_windows = MessageWindows()
        self.unsubscribed: set[tuple[str, str]] = set()
        """Apps, each with a person who has unsubscribed from it."""
        self.template_ids: IdempotencyKeys[str] = IdempotencyKeys(CLIENT_ID_SECONDS)
        """Ids of template messages, by `client_msg_id`."""
        self.forced_refreshes: dict[str, list[float]] = {}
        """Times at which each account forced a new stable token."""

    # --- apps ---------------------------------------------------------------------------------------------------------

    def account_from(self, name: str, config: Mapping[str, Any]) -> Account:
        """The account for the app's Parley configuration."""
        id_ = str(config["app_id"])
        return Account(
            name=name,
            id=id_,
            secret=str(config["app_secret"]),
            token=str(config["token"]),
            key=str(config.get("encoding_aes_key") or ""),
            owner=str(config.get("original_id") or f"gh_{stable_hex(id_, digits=12)}"),
            host=str(config.get("host") or "https://api.weixin.qq.com"),
            mode=str(config.get("mode") or "safe"),
        )

    def user_id(self, account: Account, person: str) -> str:
        """An openid, different for each account."""
        return f"o{stable_hex('open', account.id, person, digits=27)}"

    def count_call(self, account: Account, name: str) -> None:
        """All calls of an account count together."""
        del name
        if self.windows.acquire([RateLimit(account.id, PER_MINUTE, 60)], self.clock()):
            raise TencentError(*self.rate_limit_error)

    def record_activity(self, account: Account, person: str, action: str) -> None:
        """A message opens a window of 48 hours, some events one of a minute. After `unsubscribe` there is none."""
        key = (account.name, person)
        if action == "unsubscribe":
            self.unsubscribed.add(key)
            self.message_windows.close(key)
            return
        self.unsubscribed.discard(key)
        self.message_windows.record_activity(key, action, self.clock())

    # --- callbacks ----------------------------------------------------------------------------------------------------

    def callback(self, account: Account, fields: Mapping[str, Any], now: float) -> Wire:
        """Plain, encrypted, or both, by the account's mode."""
        plain, person = wire.xml(fields), str(fields["FromUserName"])
        query = {**self._signed(account, now), "openid": person}
        if account.mode == "plain":
            return Wire(query=query, headers=_HEADERS, body=plain)
        encrypted = wire.encrypt(account.key, plain, account.id, self.random)
        query["encrypt_type"] = "aes"
        query["msg_signature"] = wire.sign(account.token, query["timestamp"], query["nonce"], encrypted)
        unencrypted = fields if account.mode == "compatible" else {"ToUserName": account.owner}
        return Wire(query=query, headers=_HEADERS, body=wire.xml({**unencrypted, "Encrypt": encrypted}))

    def _signed(self, account: Account, now: float) -> dict[str, str]:
        stamp = self.timestamp_and_nonce(now)
        return {"signature": wire.sign(account.token, *stamp.values()), **stamp}

    def verification(self, account: Account, echo: str, now: float) -> Wire:
        """The echo is not encrypted, in any mode."""
        return Wire(method="GET", query={**self._signed(account, now), "echostr": echo})

    def forged(self, delivery: Delivery, how: str) -> Wire | None:
        """Wrong signatures; or unencrypted with a valid `signature`, which covers no byte of the body."""
        sent, account = delivery.wire, self.accounts[delivery.app]
        match how:
            case "signature":
                names = ("signature", "msg_signature")
                query = {name: flip_first_digit(v) if name in names else v for name, v in sent.query.items()}
                return replace(sent, query=query)
            case "plain":
                return replace(sent, query=self._signed(account, self.clock()), body=delivery.plain)
            case _:
                return super().forged(delivery, how)

    def event_fields(self, account: Account, person: Person, kind: str, details: Mapping[str, Any]) -> dict[str, Any]:
        """Facts: WeChat docs, Receiving event pushes. `close_window` is the playground's own: time passes."""
        key, scene = str(details.get("event_key") or ""), str(details.get("scene") or "")
        place = {name: str(details.get(name.lower()) or "0") for name in ("Latitude", "Longitude", "Precision")}
        ticket = {"Ticket": f"ticket-{scene}"} if scene else {}
        known: dict[str, dict[str, Any]] = {
            "subscribe": {"Event": "subscribe", "EventKey": f"qrscene_{scene}" if scene else "", **ticket},
            "unsubscribe": {"Event": "unsubscribe", "EventKey": ""},
            "scan": {"Event": "SCAN", "EventKey": scene, "Ticket": f"ticket-{scene}"},
            "menu": {"Event": "CLICK", "EventKey": key},
            "view": {"Event": "VIEW", "EventKey": key},
            "location": {"Event": "LOCATION", **place},
            "close_window": {},
        }
        if kind not in known:
            raise NotFoundError(f"WeChat has no event {kind!r}; it has: {', '.join(known)}")
        if kind == "close_window":
            self.message_windows.close((account.name, person.id))
        return known[kind]

    def show_unavailable(self, delivery: Delivery) -> None:
        """WeChat's client shows the person that the account is unavailable."""
        if delivery.kind in ("message", "action"):
            person = self.rooms[delivery.room].members[0]
            self.put_note(f"note-{self.hex(16)}", delivery, person, UNAVAILABLE, kind="notice")

    # --- persons ------------------------------------------------------------------------------------------------------

    def press(self, app: str, message_id: str, sender: str, press: Press) -> Delivery:
        """A person taps an item of a menu, or a menu link in a text. Their client sends its label, with its id."""
        with self.lock:
            account, message, person = self.account(app), self.find_message(message_id), self.person(sender)
            label, id_ = _menu_item(message, press.button)
            sent = Message(
                id=self.message_id(),
                room=self.room(PRIVATE, app, person).id,
                sender=person.id,
                sender_kind="user",
                type="text",
                content={"Content": label, "bizmsgmenuid": id_},
                at=self.clock(),
                app=app,
            )
            self.put_message(sent)
            return self.deliver_message(account, person, sent, {"MsgType": "text", **sent.content})


def _menu_item(message: Message, wanted: NamedButton) -> tuple[str, str]:
    """Label and key of the item with that id, label, key or number. Raises NotFoundError."""
    content = message.content
    match message.type:
        case "msgmenu":
            items = [(item["content"], str(item["id"])) for item in content["list"]]
        case "text" if message.sender_kind == "bot":
            items = [(label, key) for label, _, key in parts.links(content["content"])]
        case _:
            items = []
    number = find_number(wanted, [(unpack(key)[0], label, key) if key else () for label, key in items])
    if number is not None and items[number][1]:
        return items[number]
    raise NotFoundError(f"message {message.id!r} has no item {wanted!r}")


PLATFORM = Wechat
