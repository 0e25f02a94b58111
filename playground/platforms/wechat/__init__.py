"""A WeChat Official Account as its server sees it: callbacks in every mode, passive replies, customer-service messages
within their windows, stable tokens."""

from collections.abc import Mapping
from typing import Any, ClassVar

from playground.platforms.base import PRIVATE, Press, Unknown, stable_hex
from playground.platforms.limits import Once, Rule
from playground.platforms.model import Appearance, Delivery, Message, Person, Wire
from playground.platforms.tencent import Tencent, parts, wire
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import Refused
from playground.platforms.tencent.routes import Route
from playground.platforms.tencent.store import MEGABYTE, Sort
from playground.platforms.wechat import routes
from playground.platforms.wechat.allowances import Allowances

PER_MINUTE = 2000
"""Calls of one account, all APIs together."""
CLIENT_ID_SECONDS = 600
UNAVAILABLE = "该公众号暂时无法提供服务，请稍后再试"
_HEADERS = {"Content-Type": "text/xml", "User-Agent": "Mozilla/4.0"}


class Wechat(Tencent):
    """The imitation of WeChat."""

    name: ClassVar[str] = "wechat"
    appearance: ClassVar[Appearance] = Appearance(
        label={"en": "WeChat", "zh": "微信公众号"},
        color="#16803c",
        bubble=("#b7eda0", "#2c5a34"),
        bubble_radius="7px",
        tab=4,
    )
    secrets: ClassVar[frozenset[str]] = frozenset({"access_token", "secret"})
    routes: ClassVar[tuple[Route, ...]] = routes.ROUTES
    sorts: ClassVar[Mapping[str, Sort]] = {
        "image": Sort(10 * MEGABYTE, ("png", "jpeg", "gif")),
        "voice": Sort(2 * MEGABYTE, ("amr", "mp3")),
        "video": Sort(10 * MEGABYTE, ("mp4",)),
        "thumb": Sort(64 * 1024, ("jpeg",)),
    }
    articles: ClassVar[int] = 1
    nothings: ClassVar[tuple[bytes, ...]] = (b"", b"success")
    films_by_address: ClassVar[bool] = True
    has_agents: ClassVar[bool] = True
    limit_code: ClassVar[tuple[int, str]] = (45011, "api minute-quota reach limit, must slower, retry next minute")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.allowances = Allowances()
        self.left: set[tuple[str, str]] = set()
        """Apps and persons that do not follow them any more."""
        self.sent: Once[str] = Once(CLIENT_ID_SECONDS)
        """Template messages by their `client_msg_id`."""
        self.forced: dict[str, list[float]] = {}
        """When each account forced a new stable token."""

    # --- apps ---------------------------------------------------------------------------------------------------------

    def account_from(self, name: str, config: Mapping[str, Any]) -> Account:
        """The account for a configuration."""
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
        """An openid: another one for each account."""
        return f"o{stable_hex('open', account.id, person, digits=27)}"

    def count_call(self, account: Account, name: str) -> None:
        """All calls of an account count together."""
        del name
        if self.windows.take([Rule(account.id, PER_MINUTE, 60)], self.clock()):
            raise Refused(*self.limit_code)

    def record_activity(self, account: Account, person: str, action: str) -> None:
        """A message opens 48 hours, some events a minute; whoever has left cannot be written to."""
        key = (account.name, person)
        if action == "unsubscribe":
            self.left.add(key)
            self.allowances.close(key)
            return
        self.left.discard(key)
        self.allowances.record_activity(key, action, self.clock())

    # --- callbacks ----------------------------------------------------------------------------------------------------

    def wrapped(self, account: Account, fields: Mapping[str, Any], now: float) -> Wire:
        """Plain, encrypted, or both, as the account's mode says."""
        plain, person = wire.xml(fields), str(fields["FromUserName"])
        query = {**self._signed(account, now), "openid": person}
        if account.mode == "plain":
            return Wire(query=query, headers=_HEADERS, body=plain)
        encrypted = wire.encrypt(account.key, plain, account.id, self.random)
        query["encrypt_type"] = "aes"
        query["msg_signature"] = wire.sign(account.token, query["timestamp"], query["nonce"], encrypted)
        shown = fields if account.mode == "compatible" else {"ToUserName": account.owner}
        return Wire(query=query, headers=_HEADERS, body=wire.xml({**shown, "Encrypt": encrypted}))

    def _signed(self, account: Account, now: float) -> dict[str, str]:
        stamp = self.stamped(now)
        return {"signature": wire.sign(account.token, *stamp.values()), **stamp}

    def verification(self, account: Account, echo: str, now: float) -> Wire:
        """The echo is plain in every mode."""
        return Wire(method="GET", query={**self._signed(account, now), "echostr": echo})

    def forged(self, account: Account, delivery: Delivery, how: str) -> Wire | None:
        """With wrong signatures; or plain, with a signature that holds: that one covers no byte of the body."""
        sent = delivery.wire
        if how == "signature":
            names = ("signature", "msg_signature")
            query = {name: wire.flipped(value) if name in names else value for name, value in sent.query.items()}
            return Wire(query=query, headers=sent.headers, body=sent.body)
        if how == "plain":
            return Wire(query=self._signed(account, self.clock()), headers=sent.headers, body=delivery.plain)
        return None

    def event_fields(self, account: Account, person: Person, kind: str, details: Mapping[str, Any]) -> dict[str, Any]:
        """Facts: WeChat docs, Receiving event pushes. `close_window` is the playground's own: time goes by."""
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
            raise Unknown(f"WeChat has no {kind!r}; it has: {', '.join(known)}")
        if kind == "close_window":
            self.allowances.close((account.name, person.id))
        return known[kind]

    def unavailable(self, delivery: Delivery) -> None:
        """WeChat's client tells the person, whoever's fault it is."""
        if delivery.kind in ("message", "action"):
            self.note(delivery, UNAVAILABLE)

    # --- persons ------------------------------------------------------------------------------------------------------

    def press(self, app: str, message_id: str, sender: str, pressed: Press) -> Delivery:
        """A person taps an item of a menu, or a menu link in a text: their client sends its words, with its id."""
        with self.lock:
            account, message, person = self.account(app), self.find_message(message_id), self.person(sender)
            label, id_ = _item(message, pressed.button)
            said = Message(
                id=self.message_id(),
                room=self.room(PRIVATE, app, person).id,
                sender=person.id,
                sender_kind="user",
                type="text",
                content={"Content": label, "bizmsgmenuid": id_},
                at=self.clock(),
                app=app,
            )
            self.put_message(said)
            return self.notify_app(account, person, said, {"MsgType": "text", **said.content})


def _item(message: Message, wanted: str) -> tuple[str, str]:
    """Words and id of the item with that number, words or id. Raises Unknown."""
    content = message.content
    match message.type:
        case "msgmenu":
            items = [(item["content"], str(item["id"])) for item in content["list"]]
        case "text" if message.sender_kind == "bot":
            items = [(label, id_) for label, _, id_ in parts.tapped(content["content"])]
        case _:
            items = []
    for number, (label, id_) in enumerate(items):
        if id_ and wanted in (str(number), label, id_):
            return label, id_
    raise Unknown(f"message {message.id!r} has no item {wanted!r}")


PLATFORM = Wechat
