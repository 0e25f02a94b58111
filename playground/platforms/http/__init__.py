"""A client of the HTTP channel: a chat of the team's own, whose replies come to its webhook."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from parley.platforms.http.persons import Person as TokenPerson
from parley.platforms.http.persons import message_id
from playground.platforms.base import NewMessage, NotFoundError, Platform, Press
from playground.platforms.digests import flip_first_digit
from playground.platforms.exchange import Request, Response
from playground.platforms.http import wire
from playground.platforms.http.parts import filled_in, find_element, parts_of
from playground.platforms.http.routes import ROUTER, WebhookError
from playground.platforms.model import Appearance, Delivery, Message, Part, Person, Room, Wire
from playground.platforms.routing import Router

RETRY_DELAYS = (1.0, 5.0, 30.0, 120.0, 600.0)
"""Seconds after which the client sends again what was not accepted."""
_DEADLINE = 29.0
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Account:
    """One app: the secrets that the client shares with Parley."""

    name: str
    issuer: str
    audience: str
    secret: str
    webhook_secret: str


class Http(Platform[Account]):
    """The client."""

    name: ClassVar[str] = "http"
    appearance: ClassVar[Appearance] = Appearance(label={"en": "HTTP", "zh": "HTTP"}, color="#3b7d5c")
    features: ClassVar[tuple[str, ...]] = ("groups",)
    router: ClassVar[Router] = ROUTER

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.pushed: set[str] = set()
        """The ids of the pushes that it has got."""

    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        """Register the app `name`."""
        with self.lock:
            issuer = config["issuers"][0]
            fields = (
                issuer["issuer"],
                issuer["audience"],
                issuer["secrets"][0],
                next(iter(config.get("webhook_secrets", ())), ""),
            )
            self.accounts[name] = Account(name, *map(str, fields))
            self.join(name)

    def room_id(self, slug: str, kind: str) -> str:
        """The name of a room, which can stand in a path."""
        return re.sub(r"[^A-Za-z0-9._~-]", "-", super().room_id(slug, kind))

    def place_of(self, account: Account, reply: Mapping[str, Any]) -> Room:
        """Where a reply is shown. Raises WebhookError."""
        if not reply.get("room"):
            return self.room("", account.name, self.person(reply["user"]))
        found = self.rooms.get(reply["room"])
        if found is None:
            raise WebhookError("there is no such room", 410)
        return found

    def rate_limited(self, request: Request) -> Response:
        """The response to too many pushes."""
        del request
        return Response(429, b"", {"retry-after": "1"})

    # --- persons ------------------------------------------------------------------------------------------------------

    def send_message(self, app: str, room: str, sender: str, message: NewMessage) -> Message:
        """A person sends a message."""
        with self.lock:
            account, person = self.account(app), self.person(sender)
            place, key = self.room(room, app, person), self.hex()
            content = {"text": message.text}
            id_ = self._id(person, place, key)
            sent = Message(id_, place.id, person.id, "user", "text", content, self.clock(), app)
            sent.reply_to = message.reply_to
            self.put_message(sent)
            if message.deliver:
                more = {"reply_to": message.reply_to} if message.reply_to else {}
                self._post(account, person, sent, {"text": message.text, **more}, key, "message")
            return sent

    def press(self, app: str, message_id: str, sender: str, press: Press) -> Delivery:
        """A person presses a button, chooses from a menu, or sends a form."""
        with self.lock:
            account, message, person = self.account(app), self.find_message(message_id), self.person(sender)
            element = find_element(message.content, press.button)
            if element is None:
                raise NotFoundError(f"message {message_id!r} has no button {press.button!r}")
            action = {
                "id": element["id"],
                "value": element.get("value", ""),
                "message_id": message.id,
                "form": filled_in(element, press.form),
                "options": list(press.options),
            }
            delivery = self._post(account, person, message, {"action": action}, self.hex(), "action")
            label = element.get("label") or element.get("submit") or "OK"
            self.put_note(delivery.id, delivery, person.id, str(label), reply_to=message.id)
            return delivery

    # --- requests -----------------------------------------------------------------------------------------------------

    def accept_response(self, delivery: Delivery, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """A message is accepted with HTTP 202, and the id in the response is that of its idempotency key."""
        del headers
        document = Request("POST", "/", body=body).json()
        return status == 202 and isinstance(document, dict) and document.get("id") == delivery.journal_id

    def forged(self, delivery: Delivery, how: str) -> Wire | None:
        """A token with a wrong signature, one that has expired, and none."""
        sent, account = delivery.wire, self.accounts[delivery.app]
        bearer = sent.headers[wire.AUTHORIZATION]
        if how == "signature":
            signed, _, signature = bearer.rpartition(".")
            bearer = f"{signed}.{flip_first_digit(signature)}"
        elif how == "stale":
            bearer = f"Bearer {self._token(account, self.person(delivery.result['sender']), self.clock() - _DAY)}"
        elif how == "plain":
            bearer = ""
        else:
            return None
        return Wire(headers={**sent.headers, wire.AUTHORIZATION: bearer}, body=sent.body)

    def _post(
        self,
        account: Account,
        person: Person,
        message: Message,
        body: Mapping[str, Any],
        key: str,
        kind: Literal["message", "action"],
    ) -> Delivery:
        place = self.rooms[message.room]
        where = {"room": place.id} if place.kind == "group" else {}
        sent = wire.posted(self._token(account, person, self.clock()), key, {**where, **body})
        id_ = self._id(person, place, key)
        made = Delivery(id_, self.name, account.name, kind, sent, sent.body, self.clock(), id_)
        made.subject, made.room, made.retry_delays, made.deadline = message.id, place.id, RETRY_DELAYS, _DEADLINE
        made.result["sender"] = person.id
        return self.enqueue(made)

    def _token(self, account: Account, person: Person, now: float) -> str:
        rooms = [room.id for room in self.rooms.values() if room.kind == "group" and person.id in room.members]
        claims = {"iss": account.issuer, "aud": account.audience, "sub": person.id, "name": person.name, "rooms": rooms}
        return wire.token(account.secret, claims, now)

    def _id(self, person: Person, place: Room, key: str) -> str:
        """The id that Parley gives to the message with this idempotency key."""
        whose = TokenPerson(person.id, person.name, frozenset())
        return message_id(whose, place.id if place.kind == "group" else "", key)

    # --- the page -----------------------------------------------------------------------------------------------------

    def parts(self, message: Message) -> list[Part]:
        """The parts of `message` for the page."""
        if message.sender_kind == "user":
            return [{"kind": "text", "text": message.content["text"]}]
        return parts_of(message.content)


PLATFORM = Http
