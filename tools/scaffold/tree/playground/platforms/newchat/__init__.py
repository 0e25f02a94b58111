"""NewChat as its server sees it: signed callbacks, access tokens, messages by its API."""

# Next: Simulate all that a bot notices of the server: errors, limits, retries, idempotency keys, cards.

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from playground.platforms.base import NewMessage, Platform, Press, Unknown, stable_hex
from playground.platforms.http import Request, Response
from playground.platforms.limits import Once
from playground.platforms.model import Appearance, Delivery, Message, Part, Room, Wire
from playground.platforms.newchat import wire

LADDER = (5.0, 30.0, 300.0)
KEY_SECONDS = 600
DAY = 86_400
_UNAUTHORISED = Response.of({"error": "the token is missing or has expired"}, 401)


@dataclass(frozen=True, slots=True)
class Account:
    """One app as its console knows it."""

    name: str
    id: str
    secret: str
    signing_secret: str


class Newchat(Platform[Account]):
    """The simulation of NewChat."""

    name: ClassVar[str] = "newchat"
    appearance: ClassVar[Appearance] = Appearance(label={"en": "NewChat", "zh": "NewChat"})
    features: ClassVar[tuple[str, ...]] = ("groups",)
    secrets: ClassVar[frozenset[str]] = frozenset({"access_token", "app_secret"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.tokens: dict[str, tuple[str, float]] = {}
        """App and end of each access token."""
        self.sent: Once[Message] = Once(KEY_SECONDS)
        """Messages by their key."""

    # --- apps ---------------------------------------------------------------------------------------------------------

    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        """Register the app `name`."""
        with self.lock:
            fields = (str(config[field]) for field in ("app_id", "app_secret", "signing_secret"))
            self.accounts[name] = Account(name, *fields)
            self.join(name)

    def tenant(self, app: str) -> str:
        """NewChat names no organisation."""
        del app
        return ""

    def room_id(self, slug: str, kind: str) -> str:
        """The id of a room."""
        return f"{kind}-{stable_hex(slug, digits=12)}"

    # --- API ----------------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Carry out one API call."""
        body = request.json()
        if not isinstance(body, dict):
            return Response.of({"error": "a JSON object is needed"}, 400)
        if (request.method, request.path) == ("POST", "/token"):
            return self._token(body)
        if (request.method, request.path) != ("POST", "/messages"):
            return Response.of({"error": "there is no such method"}, 404)
        if not self.bears_token(request):
            return _UNAUTHORISED
        return self._send(self.tokens[_token_of(request)][0], body)

    def bears_token(self, request: Request) -> bool:
        """Whether the call carries a valid token."""
        _, until = self.tokens.get(_token_of(request), ("", 0.0))
        return until > self.clock()

    def expire_token(self, request: Request) -> None:
        """Forget the token of the call."""
        self.tokens.pop(_token_of(request), None)

    def limited(self, request: Request) -> Response:
        """The answer to a call that comes too often."""
        del request
        return Response.of({"error": "too many calls", "retry_after": 1}, 429)

    def _token(self, body: dict[str, Any]) -> Response:
        for account in self.accounts.values():
            if (body.get("app_id"), body.get("app_secret")) == (account.id, account.secret):
                value = self.hex(64)
                self.tokens[value] = (account.name, self.clock() + self.token_seconds)
                self.note_call(app=account.name)
                return Response.of({"access_token": value, "expires_in": int(self.token_seconds)})
        return Response.of({"error": "app_id or app_secret is wrong"}, 401)

    def _send(self, app: str, body: dict[str, Any]) -> Response:
        room, text, key = self._room(app, body), str(body.get("text") or ""), str(body.get("key") or "")
        if room is None or not text:
            return Response.of({"error": "there is no such room, or no text"}, 400)
        made = self.sent.get((app, key), self.clock()) if key else None
        if made is None:
            content = {"text": text, "buttons": body.get("buttons") or []}
            kind = "card" if content["buttons"] else "text"
            made = self.put_message(Message(self.hex(16), room.id, app, "bot", kind, content, self.clock(), app))
            self.sent.put((app, key), made, self.clock())
        self.note_call(app=app, room=room.id, message_id=made.id, key=key)
        return Response.of({"id": made.id})

    def _room(self, app: str, body: dict[str, Any]) -> Room | None:
        if body.get("room"):
            return self.rooms.get(str(body["room"]))
        person = self.persons.get(str(body.get("user")))
        return self.room("", app, person) if person else None

    # --- persons ------------------------------------------------------------------------------------------------------

    def send_message(self, app: str, room: str, sender: str, said: NewMessage) -> Message:
        """A person writes; the app gets a callback. Raises Unknown."""
        with self.lock:
            account, person = self.account(app), self.person(sender)
            place = self.room(room, app, person)
            content = {"text": said.text, "buttons": []}
            message = Message(self.hex(16), place.id, person.id, "user", "text", content, self.clock(), app)
            self.put_message(message)
            if said.deliver:
                event = wire.message(message.id, person.id, person.name, place.id, said.text, message.at)
                self._callback(account, event, message, "message")
            return message

    def press(self, app: str, message_id: str, sender: str, pressed: Press) -> Delivery:
        """A person presses a button of a message. Raises Unknown."""
        with self.lock:
            account, message, person = self.account(app), self.find_message(message_id), self.person(sender)
            for button in message.content["buttons"]:
                if pressed.button in (button["id"], button["label"]):
                    event = wire.message(self.hex(16), person.id, person.name, message.room, "", self.clock())
                    return self._callback(account, wire.press(event, message.id, button), message, "action")
            raise Unknown(f"message {message_id!r} has no button {pressed.button!r}")

    def _callback(self, account: Account, event: dict[str, Any], message: Message, kind: Any) -> Delivery:
        sent = wire.signed(account.signing_secret, event, self.clock())
        return self.send_event(
            Delivery(
                id=str(event["id"]),
                platform=self.name,
                app=account.name,
                kind=kind,
                wire=sent,
                plain=sent.body,
                at=self.clock(),
                journal_id=str(event["id"]),
                about=message.id,
                room=message.room,
                ladder=LADDER,
            )
        )

    # --- callbacks ----------------------------------------------------------------------------------------------------

    def challenge(self, app: str) -> Delivery:
        """The verification of the callback URL."""
        with self.lock:
            account, id_ = self.account(app), self.hex(16)
            sent = wire.signed(account.signing_secret, {"type": "challenge", "challenge": id_}, self.clock())
            made = Delivery(id_, self.name, app, "challenge", sent, sent.body, self.clock(), f"challenge-{id_}")
            return self.send_event(made)

    def accept_response(self, delivery: Delivery, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """HTTP 200 counts; the verification wants its challenge back."""
        del headers
        if delivery.kind != "challenge":
            return status == 200
        try:
            return status == 200 and json.loads(body) == {"challenge": delivery.id}
        except ValueError:
            return False

    def forge(self, delivery: Delivery, how: str) -> Wire:
        """The callback with a wrong signature, a day old, unsigned, or cut off."""
        sent, secret = delivery.wire, self.accounts[delivery.app].signing_secret
        stamp = str(int(self.clock()) - DAY)
        forged = {
            "signature": Wire(headers=dict(sent.headers) | {"X-Signature": "0" * 64}, body=sent.body),
            "stale": Wire(headers=wire.headers(secret, stamp, sent.body), body=sent.body),
            "plain": Wire(headers={"Content-Type": "application/json"}, body=sent.body),
            "truncated": Wire(headers=sent.headers, body=sent.body[: len(sent.body) // 2]),
        }
        if how not in forged:
            raise Unknown(f"there is no forgery {how!r}: {', '.join(forged)}")
        return forged[how]

    # --- the page -----------------------------------------------------------------------------------------------------

    def parts(self, message: Message) -> list[Part]:
        """`message` as the page shows it."""
        words: Part = {"kind": "text", "text": message.content["text"]}
        buttons = [
            {"id": button["id"], "label": button["label"], "style": "default", "url": "", "disabled": False}
            for button in message.content["buttons"]
        ]
        return [words, {"kind": "buttons", "buttons": buttons}] if buttons else [words]


def _token_of(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


PLATFORM = Newchat
