"""Simulated Feishu: tokens, messages, media, cards, webhooks, events. The same code simulates Lark."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from playground.platforms.base import NewMessage, NotFoundError, Platform, Press
from playground.platforms.digests import flip_first_digit, stable_hex
from playground.platforms.errors import ApiError
from playground.platforms.exchange import Request, Response, dumps
from playground.platforms.feishu import cardkit, cards, events, oauth, webhooks, wire
from playground.platforms.feishu.accounts import Account, tenant_token
from playground.platforms.feishu.emoji import SHOWN
from playground.platforms.feishu.errors import NO_PERMISSION, FeishuError, rate_limited
from playground.platforms.feishu.parts import parts_of
from playground.platforms.feishu.routes import ROUTER
from playground.platforms.feishu.user_messages import user_message
from playground.platforms.feishu.webhooks import CardToken, Webhook
from playground.platforms.limits import IdempotencyKeys, RateLimit, SlidingWindows
from playground.platforms.model import Appearance, Delivery, Message, Part, Person, Room, Wire
from playground.platforms.routing import Route, Router
from playground.platforms.tokens import TokenStore

UUID_SECONDS = 3600
PER_SECOND, PER_MINUTE = 50, 1000
"""Calls of one app to one API."""
RETRY_DELAYS = (1.0, 3.0, 8.0, 15.0)
"""Seconds from a failure to the next attempt. The real ones are 15 s, 5 min, 1 h, 6 h."""


class Feishu(Platform[Account]):
    """Simulated Feishu."""

    name: ClassVar[str] = "feishu"
    appearance: ClassVar[Appearance] = Appearance(
        label={"en": "Feishu", "zh": "飞书"}, color="#1f5fd6", bubble=("#d8e6ff", "#274378"), tab=1
    )
    features: ClassVar[tuple[str, ...]] = ("groups", "mention", "reply", "thread", "image", "recall", "react")
    router: ClassVar[Router] = ROUTER
    secrets: ClassVar[frozenset[str]] = frozenset(
        {"app_secret", "app_ticket", "tenant_access_token", "app_access_token", "token", "sign"}
        | {"client_secret", "access_token", "refresh_token", "code_verifier"}
    )
    unknown_path: ClassVar[Response] = Response(404, b"404 page not found", {"content-type": "text/plain"})

    def __init__(self, *, retry_delays: tuple[float, ...] = RETRY_DELAYS, **options: Any) -> None:
        super().__init__(**options)
        self.retry_delays = retry_delays
        self.tokens = TokenStore(self.token_seconds, lambda kind: f"{kind[0]}-{self.random.getrandbits(160):040x}")
        self.windows = SlidingWindows()
        self.idempotency: IdempotencyKeys[Message] = IdempotencyKeys(UUID_SECONDS)
        self.webhooks: dict[str, Webhook] = {}
        self.without_threads: set[str] = set()
        """Rooms in which no thread can be opened."""
        self.card_tokens: dict[str, CardToken] = {}
        self.logins = oauth.Logins()
        self.entities: dict[str, cardkit.Entity] = {}

    # --- apps ---------------------------------------------------------------------------------------------------------

    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        """Register the app `name`. Its webhooks become custom bots of the first group."""
        with self.lock:
            self.accounts[name] = Account.of(name, config)
            team = self.room_id("team", "group")
            for title, hook in (config.get("webhooks") or {}).items():
                id_ = str(hook.get("url", "")).rsplit("/", 1)[-1]
                self.webhooks[id_] = Webhook(id_, str(title), str(hook.get("secret") or ""), team)
            self.join(name)

    def find_account(self, app_id: str) -> Account | None:
        """The app with that id, discovered if it is not registered."""
        if not any(account.app_id == app_id for account in self.accounts.values()):
            self.discover_apps()
        return next((account for account in self.accounts.values() if account.app_id == app_id), None)

    def account_by_app_id(self, app_id: str) -> Account:
        """The registered app with that id."""
        return next(account for account in self.accounts.values() if account.app_id == app_id)

    def tenant(self, app: str, room: str = "") -> str:
        """The tenant key, the same for every app."""
        del app, room
        return events.TENANT

    def room_id(self, slug: str, kind: str) -> str:
        """A chat_id."""
        return f"oc_{stable_hex('room', kind, slug)}"

    def uploaded_by(self, account: Account) -> Callable[[str], bool]:
        """A function that says whether `account` uploaded a media key. An app may send no other keys."""
        return lambda key: key in self.blobs and self.blobs[key].app == account.name

    # --- API ----------------------------------------------------------------------------------------------------------

    def authenticate(self, request: Request, route: Route) -> Account:
        """The account of the tenant token."""
        token = tenant_token(self.tokens, request.headers.get("authorization", ""), self.clock())
        account = self.account_by_app_id(token.app)
        self.note_call(app=account.name)
        key = (account.app_id, route.name)
        limits = [RateLimit(key, PER_SECOND, 1), RateLimit(key, PER_MINUTE, 60)]
        if full := self.windows.acquire(limits, self.clock()):
            raise rate_limited(full[0].limit, full[1])
        return account

    def error_response(self, error: ApiError) -> Response:
        """The response with a log id."""
        assert isinstance(error, FeishuError)  # noqa: S101
        return error.response_for(self.hex())

    def has_valid_token(self, request: Request) -> bool:
        """Whether the call has a valid tenant token."""
        try:
            tenant_token(self.tokens, request.headers.get("authorization", ""), self.clock())
        except FeishuError:
            return False
        return True

    def expire_token(self, request: Request) -> None:
        """Revoke the token of the call."""
        self.tokens.revoke(request.headers.get("authorization", "").removeprefix("Bearer "))

    def rate_limited(self, request: Request) -> Response:
        """99991400; 11232 for a webhook."""
        webhook = "/bot/v2/hook/" in request.path
        return self.error_response(webhooks.webhook_rate_limited() if webhook else rate_limited(PER_SECOND, 1))

    def forbidden(self, request: Request) -> Response:
        """99991672: a permission of the app is missing."""
        del request
        return self.error_response(FeishuError(*NO_PERMISSION))

    # --- persons ------------------------------------------------------------------------------------------------------

    def send_message(self, app: str, room: str, sender: str, message: NewMessage) -> Message:
        """A person sends a message. In a group, Feishu delivers only messages that mention the bot (`all_messages`)."""
        with self.lock:
            account, person = self.account(app), self.person(sender)
            place = self.room(room, app, person)
            sent = self.put_message(user_message(self, account, person, place, message))
            mentioned = any(m["id"]["open_id"] == account.bot_id for m in sent.mentions)
            if (
                message.deliver
                and app in place.bots
                and (place.kind == "private" or mentioned or app in self.all_messages)
            ):
                self.enqueue(events.message_received(self, account, sent, place))
            return sent

    def permit_all_messages(self, app: str, *, permitted: bool) -> None:
        """The permission `im:message.group_msg`."""
        with self.lock:
            name = self.account(app).name
            if permitted:
                self.all_messages.add(name)
            else:
                self.all_messages.discard(name)

    def press(self, app: str, message_id: str, sender: str, press: Press) -> Delivery:
        """A person presses a button of a card, chooses from a menu, or submits a form."""
        with self.lock:
            account, message, person = self.account(app), self.find_message(message_id), self.person(sender)
            card = message.content if message.type == "interactive" and not message.recalled else {}
            button = cards.find_button(card, press.button) if card else None
            if button is None:
                raise NotFoundError(f"message {message_id!r} has no button {press.button!r}")
            action = cards.action_of(card, button, press)
            token = f"c-{self.hex(40)}"
            delivery = events.card_action(self, account, message, person.id, action, token)
            self.card_tokens[token] = CardToken(app, message.id, delivery)
            self.put_note(delivery.id, delivery, person.id, cards.label_of(button), reply_to=message.id)
            return self.enqueue(delivery)

    def emit_event(self, app: str, kind: str, details: Mapping[str, Any]) -> Delivery | None:
        """Another event of a person, see `events.user_event`. An app gets it only if its bot is in the room."""
        with self.lock:
            account, person = self.account(app), self.person_in(details)
            message = self.find_message(str(details["message_id"])) if details.get("message_id") else None
            room = self.rooms[message.room] if message else self.room(str(details.get("room") or ""), app, person)
            event = events.user_event(self, account, kind, {**details, "sender": person.id, "room": room.id})
            if event is None:
                raise NotFoundError(f"Feishu has no event {kind!r}")
            self._apply(kind, account, person, message, room, event[1])
            if app not in room.bots and kind != "bot_removed":
                return None
            value = events.envelope(self, account, *event)
            subject = message.id if message else ""
            return self.enqueue(events.delivery(self, account, value, subject=subject, room=room.id))

    def _apply(
        self, kind: str, account: Account, person: Person, message: Message | None, room: Room, event: Mapping[str, Any]
    ) -> None:
        """Change the room or the message as the event says."""
        if kind == "bot_added":
            room.bots.add(account.name)
        elif kind == "bot_removed":
            room.bots.discard(account.name)
        elif message is not None and kind == "recall":
            message.recalled = True
        elif message is not None and kind == "react":
            operator = {"operator_id": person.id, "operator_type": "user"}
            message.reactions.append({"reaction_id": self.hex(40), "operator": operator, **event})
        if message is not None:
            self.put_message(message)

    # --- callbacks ----------------------------------------------------------------------------------------------------

    def challenge(self, app: str) -> Delivery:
        """The verification of the request URL."""
        with self.lock:
            return self.enqueue(events.url_verification(self, self.account(app)))

    def accept_response(self, delivery: Delivery, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """HTTP 200 counts as delivered. A challenge has to be returned. The response to a press may contain a toast and
        a card."""
        del headers
        if status != 200:
            return False
        value = Request("POST", "/", body=body).json()
        value = value if isinstance(value, dict) else {}
        if delivery.kind == "challenge":
            return value.get("challenge") == delivery.result["challenge"]
        if delivery.kind == "action":
            self._apply_press_response(delivery, value)
        return True

    def _apply_press_response(self, delivery: Delivery, value: dict[str, Any]) -> None:
        if isinstance(value.get("toast"), dict):
            delivery.result["toast"] = value["toast"]
            self.notify("toast", {"room": delivery.room, **value["toast"]})
        card = value.get("card")
        if not isinstance(card, dict):
            return
        message = self.messages[delivery.subject]
        data = card.get("data") if card.get("type") == "raw" else card
        try:
            message.content = cards.check_card(dumps(data).decode())
        except FeishuError as error:
            delivery.result["card_error"] = str(error)
            return
        message.edited = self.clock()
        self.put_message(message)

    def forged(self, delivery: Delivery, how: str) -> Wire | None:
        """A wrong signature; a day old, signed with the real key; or unencrypted, with the real signature."""
        sent, key = delivery.wire, self.accounts[delivery.app].encrypt_key
        match how:
            case "signature":
                wrong = flip_first_digit(sent.headers.get("X-Lark-Signature", "0" * 64))
                return replace(sent, headers={**sent.headers, "X-Lark-Signature": wrong})
            case "stale":
                return wire.resigned(sent, key, sent.body, self.clock() - 86_400, self.random)
            case "plain":
                return replace(sent, body=delivery.plain)
            case _:
                return None

    # --- the page -----------------------------------------------------------------------------------------------------

    def parts(self, message: Message) -> list[Part]:
        """The parts of `message` for the page."""
        account = self.accounts.get(message.app)
        person = message.sender_kind == "user"
        parts = parts_of(
            message.type,
            message.content,
            message.mentions,
            lambda open_id: self._name_of(account, open_id),
            person=person,
        )
        return [part | {"generating": True} for part in parts] if cardkit.is_generating(self, message) else parts

    def emoji(self, reaction: Mapping[str, Any]) -> str:
        """The emoji, or Feishu's name of it."""
        name = str(reaction["reaction_type"]["emoji_type"])
        return SHOWN.get(name, name)

    def is_of_bot(self, reaction: Mapping[str, Any]) -> bool:
        """Whether the operator is an app."""
        return reaction["operator"]["operator_type"] == "app"

    def _name_of(self, account: Account | None, open_id: str) -> str:
        if open_id == "all" or account is None:
            return open_id
        if open_id == account.bot_id:
            return account.name
        return next((p.name for p in self.persons.values() if account.open_id(p.id) == open_id), open_id)


PLATFORM = Feishu
