"""Feishu as a bot sees it: tokens, messages, media, cards, webhooks, events. The same code plays Lark."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from playground.platforms.base import NewMessage, Platform, Press, Unknown, stable_hex
from playground.platforms.feishu import cards, events, hooks, routes, wire, writing
from playground.platforms.feishu.accounts import Account, Tokens
from playground.platforms.feishu.errors import Refused, too_often
from playground.platforms.feishu.hooks import CardGrant, Hook
from playground.platforms.feishu.parts import parts_of
from playground.platforms.feishu.store import Store
from playground.platforms.http import Request, Response
from playground.platforms.limits import Once, Rule, Windows
from playground.platforms.model import Appearance, Delivery, Message, Part, Person, Room, Wire

UUID_SECONDS = 3600
PER_SECOND, PER_MINUTE = 50, 1000
"""Calls of one app to one API."""
LADDER = (1.0, 3.0, 8.0, 15.0)
"""Seconds from a failure to the next attempt; the real ladder is 15 s, 5 min, 1 h, 6 h."""


class Feishu(Platform[Account]):
    """The imitation of Feishu."""

    name: ClassVar[str] = "feishu"
    appearance: ClassVar[Appearance] = Appearance(
        label={"en": "Feishu", "zh": "飞书"}, color="#1f5fd6", bubble=("#d8e6ff", "#274378"), tab=1
    )
    features: ClassVar[tuple[str, ...]] = ("groups", "mention", "reply", "thread", "image", "recall", "react")
    secrets: ClassVar[frozenset[str]] = frozenset(
        {"app_secret", "app_ticket", "tenant_access_token", "app_access_token", "token", "sign"}
    )

    def __init__(self, *, ladder: tuple[float, ...] = LADDER, **options: Any) -> None:
        super().__init__(**options)
        self.ladder = ladder
        self.tokens = Tokens(self.token_seconds, self.random)
        self.store = Store()
        self.windows = Windows()
        self.once: Once[Message] = Once(UUID_SECONDS)
        self.hooks: dict[str, Hook] = {}
        self.grants: dict[str, CardGrant] = {}

    # --- apps ---------------------------------------------------------------------------------------------------------

    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        """Register the app `name`. Its webhooks become custom bots of the first group."""
        with self.lock:
            self.accounts[name] = Account.of(name, config)
            team = self.room_id("team", "group")
            for title, hook in (config.get("webhooks") or {}).items():
                id_ = str(hook.get("url", "")).rsplit("/", 1)[-1]
                self.hooks[id_] = Hook(id_, str(title), str(hook.get("secret") or ""), team)
            self.join(name)

    def account_of(self, app_id: str) -> Account | None:
        """The app with that id; asks for new configurations before it gives up."""
        for again in (False, True):
            if again:
                for name, config in self.discover(self.name).items():
                    if name not in self.accounts:
                        self.add_app(name, config)
            found = next((a for a in self.accounts.values() if a.app_id == app_id), None)
            if found is not None:
                return found
        return None

    def tenant(self, app: str) -> str:
        """The tenant key, the same for every app."""
        del app
        return events.TENANT

    def room_id(self, slug: str, kind: str) -> str:
        """A chat_id."""
        return f"oc_{stable_hex('room', kind, slug)}"

    def key_of(self, account: Account) -> Callable[[str], bool]:
        """Tells whether `account` may send a media key: one that it uploaded itself."""
        return partial(self.store.of_app, app=account.name)

    # --- API ----------------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Carry out one API call."""
        found = routes.find(request.method, request.path)
        if found is None:
            return Response(404, b"404 page not found", {"content-type": "text/plain"})
        route, parts = found
        try:
            if not route.token:
                return route.function(self, request, *parts)
            return route.function(self, self._caller(request, route.name), request, *parts)
        except Refused as refused:
            return refused.response(self.hex())

    def _caller(self, request: Request, route: str) -> Account:
        grant = self.tokens.check(request.headers.get("authorization", ""), self.clock())
        account = next(account for account in self.accounts.values() if account.app_id == grant.app)
        self.note_call(app=account.name)
        rules = [Rule((account.app_id, route), PER_SECOND, 1), Rule((account.app_id, route), PER_MINUTE, 60)]
        if full := self.windows.take(rules, self.clock()):
            raise too_often(full[0].limit, full[1])
        return account

    def bears_token(self, request: Request) -> bool:
        """Whether the call carries a valid tenant token."""
        try:
            self.tokens.check(request.headers.get("authorization", ""), self.clock())
        except Refused:
            return False
        return True

    def expire_token(self, request: Request) -> None:
        """Forget the token of the call."""
        self.tokens.expire(request.headers.get("authorization", ""))

    def limited(self, request: Request) -> Response:
        """99991400, or 11232 to a webhook."""
        hook = "/bot/v2/hook/" in request.path
        return (hooks.hook_limited() if hook else too_often(PER_SECOND, 1)).response(self.hex())

    # --- persons ------------------------------------------------------------------------------------------------------

    def send_message(self, app: str, room: str, sender: str, said: NewMessage) -> Message:
        """A person writes. In a group, Feishu tells the bot only what mentions it."""
        with self.lock:
            account, person = self.account(app), self.person(sender)
            place = self.room(room, app, person)
            message = writing.written(self, account, person, place, said)
            mentioned = any(m["id"]["open_id"] == account.bot_id for m in message.mentions)
            self.put_message(message)
            if said.deliver and app in place.bots and (place.kind == "private" or mentioned):
                self.send_event(events.message_received(self, account, message, place))
            return message

    def press(self, app: str, message_id: str, sender: str, pressed: Press) -> Delivery:
        """A person presses a button of a card."""
        with self.lock:
            account, message, person = self.account(app), self.find_message(message_id), self.person(sender)
            card = message.content if message.type == "interactive" and not message.recalled else {}
            button = cards.find_button(card, pressed.button) if card else None
            if button is None:
                raise Unknown(f"message {message_id!r} has no button {pressed.button!r}")
            action = {"value": cards.button_value(button), "tag": "button", "timezone": "Asia/Shanghai"}
            action |= {"name": button["name"]} if button.get("name") else {}
            action |= {"form_value": dict(pressed.form)} if pressed.form else {}
            action |= {"options": list(pressed.options)} if pressed.options else {}
            token = f"c-{self.hex(40)}"
            delivery = events.card_action(self, account, message, person.id, action, token)
            self.grants[token] = CardGrant(app, message.id, delivery)
            self._note(delivery, person, message, cards.button_label(button))
            return self.send_event(delivery)

    def _note(self, delivery: Delivery, person: Person, message: Message, label: str) -> None:
        note = Message(
            id=delivery.id,
            room=message.room,
            sender=person.id,
            sender_kind="user",
            type="press",
            content={"label": label},
            at=self.clock(),
            app=delivery.app,
            reply_to=message.id,
            note=True,
        )
        self.put_message(note)

    def emit_event(self, app: str, kind: str, details: Mapping[str, Any]) -> Delivery | None:
        """Something else that a person does; see `events.happening`. Only a bot that is in the room is told."""
        with self.lock:
            account = self.account(app)
            person = self.person(str(details.get("sender") or next(iter(self.persons))))
            message = self.find_message(str(details["message_id"])) if details.get("message_id") else None
            room = self.rooms[message.room] if message else self.room(str(details.get("room") or ""), app, person)
            more = {"sender": person.id, "room": room.id}
            found = events.happening(self, account, kind, {**details, **more})
            if found is None:
                raise Unknown(f"Feishu has no {kind!r}")
            self._apply(kind, account, person, message, room, found[1])
            if app not in room.bots and kind != "bot_removed":
                return None
            value = events.envelope(self, account, *found)
            return self.send_event(
                events.delivery(self, account, value, about=message.id if message else "", room=room.id)
            )

    def _apply(
        self, kind: str, account: Account, person: Person, message: Message | None, room: Room, event: Mapping[str, Any]
    ) -> None:
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

    # --- events -------------------------------------------------------------------------------------------------------

    def challenge(self, app: str) -> Delivery:
        """The verification of the request URL."""
        with self.lock:
            return self.send_event(events.url_verification(self, self.account(app)))

    def accept_response(self, delivery: Delivery, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """HTTP 200 counts; a challenge must come back; the answer to a press may hold a toast and a card."""
        del headers
        if status != 200:
            return False
        value = Request("POST", "/", body=body).json()
        value = value if isinstance(value, dict) else {}
        if delivery.kind == "challenge":
            return value.get("challenge") == delivery.result["challenge"]
        if delivery.kind == "action":
            self._answer_press(delivery, value)
        return True

    def _answer_press(self, delivery: Delivery, value: dict[str, Any]) -> None:
        if isinstance(value.get("toast"), dict):
            delivery.result["toast"] = value["toast"]
            self.notify("toast", {"room": delivery.room, **value["toast"]})
        card = value.get("card")
        if not isinstance(card, dict):
            return
        message = self.messages[delivery.about]
        shown = card.get("data") if card.get("type") == "raw" else card
        try:
            message.content = cards.check_card(wire.dumps(shown).decode())
        except Refused as error:
            delivery.result["card_error"] = str(error)
            return
        message.edited = self.clock()
        self.put_message(message)

    def forge(self, delivery: Delivery, how: str) -> Wire:
        """The callback with a wrong signature, a day old, unencrypted, or cut off."""
        sent, key = delivery.wire, self.accounts[delivery.app].encrypt_key
        match how:
            case "signature":
                right = sent.headers.get("X-Lark-Signature", "0" * 64)
                wrong = ("1" if right[0] == "0" else "0") + right[1:]
                return Wire(headers={**sent.headers, "X-Lark-Signature": wrong}, body=sent.body)
            case "stale":
                return wire.resigned(sent, key, sent.body, self.clock() - 86_400, self.random)
            case "plain":
                return Wire(headers=sent.headers, body=delivery.plain)
            case "truncated":
                return Wire(headers=sent.headers, body=sent.body[: len(sent.body) // 2])
            case _:
                raise Unknown(f"there is no forgery {how!r}: signature, stale, plain, truncated")

    # --- the page -----------------------------------------------------------------------------------------------------

    def parts(self, message: Message) -> list[Part]:
        """`message` as the page shows it."""
        if message.note:
            return [{"kind": "note", "text": message.content["label"]}]
        return parts_of(message.type, message.content, message.mentions, partial(self._name_of, message.app))

    def _name_of(self, app: str, open_id: str) -> str:
        account = self.accounts.get(app)
        if open_id == "all" or account is None:
            return open_id
        if open_id == account.bot_id:
            return account.name
        return next((p.name for p in self.persons.values() if account.open_id(p.id) == open_id), open_id)

    def media(self, key: str) -> tuple[str, bytes]:
        """A picture or file by its key."""
        blob = self.store.blobs.get(key)
        if blob is None:
            raise Unknown(f"Feishu has no picture or file {key!r}")
        return blob.mime, blob.data


PLATFORM = Feishu
