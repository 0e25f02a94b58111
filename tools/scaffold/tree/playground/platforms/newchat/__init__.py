"""NewChat: signed callbacks, access tokens, messages by its API."""

# Next: Simulate all that a bot notices of the server: errors, limits, retries, idempotency keys, cards.

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from playground.platforms.base import NewMessage, NotFoundError, Platform, Press
from playground.platforms.buttons import find_number
from playground.platforms.digests import flip_first_digit
from playground.platforms.exchange import Request, Response
from playground.platforms.limits import IdempotencyKeys
from playground.platforms.model import Appearance, Delivery, Message, Part, Wire
from playground.platforms.newchat import wire
from playground.platforms.newchat.routes import ROUTER, NewchatError
from playground.platforms.routing import Route, Router
from playground.platforms.tokens import AccessToken, TokenStore

RETRY_DELAYS = (5.0, 30.0, 300.0)
KEY_SECONDS = 600
DAY = 86_400


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
    router: ClassVar[Router] = ROUTER
    secrets: ClassVar[frozenset[str]] = frozenset({"access_token", "app_secret"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.tokens = TokenStore(self.token_seconds, lambda _kind: self.hex(64))
        self.sent: IdempotencyKeys[Message] = IdempotencyKeys(KEY_SECONDS)

    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        """Register the app `name`."""
        with self.lock:
            fields = (str(config[field]) for field in ("app_id", "app_secret", "signing_secret"))
            self.accounts[name] = Account(name, *fields)
            self.join(name)

    # --- API ----------------------------------------------------------------------------------------------------------

    def authenticate(self, request: Request, route: Route) -> Account:
        """The account of the token in the header."""
        del route
        token = self._valid_token(request)
        if token is None:
            raise NewchatError("the token is missing, wrong or expired", 401)
        self.note_call(app=token.app)
        return self.accounts[token.app]

    def has_valid_token(self, request: Request) -> bool:
        """Whether the call has a valid access token."""
        return self._valid_token(request) is not None

    def expire_token(self, request: Request) -> None:
        """Revoke the token of the call."""
        self.tokens.revoke(_token_of(request))

    def rate_limited(self, request: Request) -> Response:
        """The error for too many calls."""
        del request
        return NewchatError("too many calls", 429, retry_after=1).response()

    def _valid_token(self, request: Request) -> AccessToken | None:
        token = self.tokens.get(_token_of(request))
        return token if token and token.expires > self.clock() else None

    # --- persons ------------------------------------------------------------------------------------------------------

    def send_message(self, app: str, room: str, sender: str, message: NewMessage) -> Message:
        """A person sends a message."""
        with self.lock:
            account, person = self.account(app), self.person(sender)
            place, content = self.room(room, app, person), {"text": message.text, "buttons": []}
            sent = Message(self.hex(16), place.id, person.id, "user", "text", content, self.clock(), app)
            self.put_message(sent)
            if message.deliver:
                event = wire.message(sent.id, person.id, person.name, place.id, message.text, sent.at)
                self._callback(account, event, sent, "message")
            return sent

    def press(self, app: str, message_id: str, sender: str, press: Press) -> Delivery:
        """A person presses a button of a message. Raises NotFoundError."""
        with self.lock:
            account, message, person = self.account(app), self.find_message(message_id), self.person(sender)
            buttons = message.content["buttons"]
            number = find_number(press.button, [(button["id"], button["label"]) for button in buttons])
            if number is None:
                raise NotFoundError(f"message {message_id!r} has no button {press.button!r}")
            event = wire.message(self.hex(16), person.id, person.name, message.room, "", self.clock())
            return self._callback(account, wire.press(event, message.id, buttons[number]), message, "action")

    # --- callbacks ----------------------------------------------------------------------------------------------------

    def challenge(self, app: str) -> Delivery:
        """The verification of the callback URL."""
        with self.lock:
            account, id_ = self.account(app), self.hex(16)
            sent = wire.signed(account.signing_secret, {"type": "challenge", "challenge": id_}, self.clock())
            made = Delivery(id_, self.name, app, "challenge", sent, sent.body, self.clock(), f"challenge-{id_}")
            return self.enqueue(made)

    def accept_response(self, delivery: Delivery, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """HTTP 200 counts. The response to the verification has to contain the challenge."""
        del headers
        if delivery.kind != "challenge":
            return status == 200
        try:
            return status == 200 and json.loads(body) == {"challenge": delivery.id}
        except ValueError:
            return False

    def forged(self, delivery: Delivery, how: str) -> Wire | None:
        """The forgeries of a signed callback."""
        sent, secret = delivery.wire, self.accounts[delivery.app].signing_secret
        if how == "stale":
            return Wire(headers=wire.headers(secret, str(int(self.clock()) - DAY), sent.body), body=sent.body)
        if how == "plain":
            return Wire(headers={"Content-Type": "application/json"}, body=sent.body)
        wrong = {wire.SIGNATURE: flip_first_digit(sent.headers[wire.SIGNATURE])}
        return Wire(headers={**sent.headers, **wrong}, body=sent.body) if how == "signature" else None

    def _callback(
        self, account: Account, event: dict[str, Any], message: Message, kind: Literal["message", "action"]
    ) -> Delivery:
        sent, id_ = wire.signed(account.signing_secret, event, self.clock()), str(event["id"])
        made = Delivery(id_, self.name, account.name, kind, sent, sent.body, self.clock(), id_)
        made.subject, made.room, made.retry_delays = message.id, message.room, RETRY_DELAYS
        return self.enqueue(made)

    # --- the page -----------------------------------------------------------------------------------------------------

    def parts(self, message: Message) -> list[Part]:
        """`message` as the page shows it."""
        words: Part = {"kind": "text", "text": message.content["text"]}
        buttons = [
            {"id": number, "label": button["label"], "style": "default", "url": "", "disabled": False}
            for number, button in enumerate(message.content["buttons"])
        ]
        return [words, {"kind": "buttons", "buttons": buttons}] if buttons else [words]


def _token_of(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


PLATFORM = Newchat
