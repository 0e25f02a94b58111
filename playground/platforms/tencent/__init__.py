"""The common part of WeCom and WeChat. It is not a platform of its own.

Encrypted callbacks with at most three deliveries, passive replies, access tokens in the query, HTTP 200 with an
`errcode`.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from parley.platforms.tencent.messages import identity
from playground.platforms.base import PRIVATE, NewMessage, Platform
from playground.platforms.exchange import Request, Response
from playground.platforms.limits import SlidingWindows
from playground.platforms.model import Attempt, Delivery, Message, Part, Person, Wire
from playground.platforms.routing import Route
from playground.platforms.tencent import parts, wire
from playground.platforms.tencent.accounts import Account, valid_token
from playground.platforms.tencent.errors import API_FORBIDDEN, TencentError
from playground.platforms.tencent.media import MediaType
from playground.platforms.tencent.passive_replies import InvalidReplyError, passive_reply
from playground.platforms.tencent.user_messages import user_message
from playground.platforms.tokens import TokenStore

DEADLINE = 5.0
RETRY_DELAYS = (0.5, 0.5)
"""Three deliveries in all; five seconds apart if the callback takes four and a half."""
DAY = 86_400


class Tencent(Platform[Account]):
    """The base class of WeCom and WeChat."""

    features: ClassVar[tuple[str, ...]] = ("image",)
    media_types: ClassVar[Mapping[str, MediaType]]
    """The types of media that can be uploaded."""
    max_articles: ClassVar[int]
    """Articles in one `news`."""
    empty_responses: ClassVar[tuple[bytes, ...]]
    """Responses to a callback that contain no reply."""
    video_by_url: ClassVar[bool] = False
    """Whether the download of a video returns a URL instead of the video."""
    transfers_to_agents: ClassVar[bool] = False
    """Whether a passive reply can transfer the conversation to a human agent."""
    rate_limit_error: ClassVar[tuple[int, str]]
    shown_events: ClassVar[frozenset[str]]
    """The events, in lower case, whose passive reply people see. Other replies to events are dropped."""

    def __init__(self, *, retry_delays: tuple[float, ...] = RETRY_DELAYS, **options: Any) -> None:
        super().__init__(**options)
        self.retry_delays = retry_delays
        self.tokens = TokenStore(self.token_seconds, lambda _kind: f"{self.random.getrandbits(512):0128x}")
        self.windows = SlidingWindows()

    # --- the differences between WeCom and WeChat ---------------------------------------------------------------------

    @abstractmethod
    def account_from(self, name: str, config: Mapping[str, Any]) -> Account:
        """The account for the app's Parley configuration."""

    @abstractmethod
    def user_id(self, account: Account, person: str) -> str:
        """The id of a person in the callbacks and the API of `account`."""

    @abstractmethod
    def callback(self, account: Account, fields: Mapping[str, Any], now: float) -> Wire:
        """A callback with `fields`, signed, and encrypted if the account says so."""

    @abstractmethod
    def verification(self, account: Account, echo: str, now: float) -> Wire:
        """The request that verifies a callback URL. The response has to be `echo`."""

    @abstractmethod
    def count_call(self, account: Account, name: str) -> None:
        """Count one API call. Raises TencentError above the rate limit."""

    @abstractmethod
    def event_fields(self, account: Account, person: Person, kind: str, details: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of the event for what a person did; empty if the platform sends no event. Raises NotFoundError."""

    def must_encrypt(self, account: Account) -> bool:
        """Whether a passive reply has to be encrypted."""
        return account.mode == "safe"

    def record_activity(self, account: Account, person: str, action: str) -> None:
        """A person did something that may allow the account to write to them: `message`, or the name of an event."""

    def show_unavailable(self, delivery: Delivery) -> None:
        """Show the person that the account did not respond. By default nothing is shown."""

    # --- apps ---------------------------------------------------------------------------------------------------------

    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        """Register the app `name`."""
        with self.lock:
            self.accounts[name] = self.account_from(name, config)
            self.join(name)

    def accounts_by_id(self, id_: object) -> list[Account]:
        """The apps with that corp id or appid, discovered if none is registered."""
        if not any(account.id == id_ for account in self.accounts.values()):
            self.discover_apps()
        return [account for account in self.accounts.values() if account.id == id_]

    def person_by_user_id(self, account: Account, user_id: str) -> Person | None:
        """The person with that user id at `account`. The case of letters does not count."""
        wanted = user_id.lower()
        return next((p for p in self.persons.values() if self.user_id(account, p.id).lower() == wanted), None)

    def message_id(self) -> str:
        """A new MsgId. It has more digits than a float can hold."""
        return str(1 << 62 | self.random.getrandbits(62))

    # --- API ----------------------------------------------------------------------------------------------------------

    def authenticate(self, request: Request, route: Route) -> Account:
        """The account of the access token in the query."""
        token = valid_token(self.tokens, request.query.get("access_token", ""), self.clock())
        self.note_call(app=token.app)
        account = self.accounts[token.app]
        self.count_call(account, route.name)
        return account

    def has_valid_token(self, request: Request) -> bool:
        """Whether the call has a valid access token."""
        try:
            valid_token(self.tokens, request.query.get("access_token", ""), self.clock())
        except TencentError:
            return False
        return True

    def expire_token(self, request: Request) -> None:
        """Revoke the token of the call."""
        self.tokens.revoke(request.query.get("access_token", ""))

    def rate_limited(self, request: Request) -> Response:
        """The error code for too many calls."""
        del request
        return TencentError(*self.rate_limit_error).response()

    def forbidden(self, request: Request) -> Response:
        """48002: the app has no right to this API."""
        del request
        return TencentError(*API_FORBIDDEN).response()

    def put_bot_message(
        self, account: Account, person: Person, kind: str, content: Mapping[str, Any], id_: str
    ) -> Message:
        """Show a message of `account` to a person."""
        room, now, name = self.room(PRIVATE, account.name, person), self.clock(), account.name
        return self.put_message(Message(id_, room.id, name, "bot", kind, dict(content), now, name))

    # --- persons ------------------------------------------------------------------------------------------------------

    def send_message(self, app: str, room: str, sender: str, message: NewMessage) -> Message:
        """A person sends a message to the app. An app has only direct chats; messages in groups are not delivered."""
        with self.lock:
            account, person = self.account(app), self.person(sender)
            group = self.rooms.get(room) or self.rooms.get(self.room_id(room, "group"))
            place = group if group and group.kind == "group" else self.room(PRIVATE, app, person)
            sent = self.put_message(user_message(self, account, person, place, message))
            if message.deliver and place.kind == "private":
                self.deliver_message(account, person, sent, {"MsgType": sent.type, **sent.content})
            return sent

    def deliver_message(
        self, account: Account, person: Person, message: Message, fields: Mapping[str, Any]
    ) -> Delivery:
        """Deliver a person's message to the app."""
        self.record_activity(account, person.id, "message")
        value = {**self.addresses(account, person.id), **fields, "MsgId": int(message.id), **_agent(account)}
        return self.enqueue(self.delivery(account, value, message.id, kind="message", subject=message.id))

    def emit_event(self, app: str, kind: str, details: Mapping[str, Any]) -> Delivery | None:
        """An event of a person. Raises NotFoundError."""
        with self.lock:
            account, person = self.account(app), self.person_in(details)
            fields = self.event_fields(account, person, kind, details)
            if not fields:
                return None
            self.record_activity(account, person.id, str(fields["Event"]))
            return self.deliver_event(account, person.id, fields)

    def deliver_event(self, account: Account, person: str, fields: Mapping[str, Any], **more: Any) -> Delivery:
        """Deliver an event to the app."""
        value = {**self.addresses(account, person), "MsgType": "event", **fields, **_agent(account)}
        # Events have no id. Parley derives one from the fields; the playground uses it to find the journal's row.
        received = wire.read_xml(wire.xml(value))
        return self.enqueue(self.delivery(account, value, identity(received), **{"kind": "event", **more}))

    def addresses(self, account: Account, person: str) -> dict[str, Any]:
        """Receiver, sender and time of a callback."""
        sender = self.user_id(account, person)
        return {"ToUserName": account.owner, "FromUserName": sender, "CreateTime": int(self.clock())}

    def delivery(self, account: Account, value: Mapping[str, Any], journal_id: str, **more: Any) -> Delivery:
        """The delivery of a callback with the fields `value`."""
        now = self.clock()
        person = self.person_by_user_id(account, str(value["FromUserName"]))
        room = self.room(PRIVATE, account.name, person).id if person else ""
        details: dict[str, Any] = {"room": room, "deadline": DEADLINE, "retry_delays": self.retry_delays} | more
        return Delivery(
            id=journal_id,
            platform=self.name,
            app=account.name,
            wire=self.callback(account, value, now),
            plain=wire.xml(value),
            at=now,
            journal_id=journal_id,
            **details,
        )

    # --- callbacks ----------------------------------------------------------------------------------------------------

    def challenge(self, app: str) -> Delivery:
        """The verification of the callback URL."""
        with self.lock:
            account, now, echo = self.account(app), self.clock(), self.message_id()
            delivery = Delivery(
                id=self.hex(),
                platform=self.name,
                app=app,
                kind="challenge",
                wire=self.verification(account, echo, now),
                plain=echo.encode(),
                at=now,
                journal_id=f"challenge-{self.hex()}",
                deadline=1.0,
            )
            return self.enqueue(delivery)

    def accept_response(self, delivery: Delivery, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """HTTP 200 counts as delivered. The body may contain a passive reply; a verification has to return the echo."""
        del headers
        if status != 200:
            return False
        if delivery.kind == "challenge":
            return body == delivery.plain
        account = self.accounts[delivery.app]
        user_id = str(wire.read_xml(delivery.plain)["FromUserName"])
        person = self.person_by_user_id(account, user_id)
        try:
            reply = passive_reply(self, account, user_id, body)
        except InvalidReplyError as error:
            delivery.result["error"] = str(error)
            self.show_unavailable(delivery)
            return True
        if reply is not None and not self._is_shown(delivery):
            delivery.result["unseen"] = reply[0]
            return True
        if reply is not None and person is not None:
            message = self.put_bot_message(account, person, *reply, f"passive-{self.hex(16)}")
            message.root = delivery.subject
            delivery.result["passive"] = message.id
        return True

    def _is_shown(self, delivery: Delivery) -> bool:
        """Whether people see the passive reply to what is delivered."""
        fields = wire.read_xml(delivery.plain)
        return fields.get("MsgType") != "event" or str(fields.get("Event")).lower() in self.shown_events

    def record_attempt(
        self, delivery: Delivery, attempt: Attempt, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> float | None:
        """Each further delivery is signed and encrypted anew, with the same MsgId. Whether the real platforms do so is
        not documented."""
        delay = super().record_attempt(delivery, attempt, headers, body)
        with self.lock:
            if delay is not None:
                fields = wire.read_xml(delivery.plain)
                delivery.wire = self.callback(self.accounts[delivery.app], fields, self.clock() + delay)
            elif delivery.state == "failed" and delivery.kind != "challenge":
                self.show_unavailable(delivery)
        return delay

    def forged(self, delivery: Delivery, how: str) -> Wire | None:
        """A day old, signed with the real token. WeCom and WeChat add the other forgeries."""
        if how != "stale":
            return None
        account = self.accounts[delivery.app]
        return self.callback(account, wire.read_xml(delivery.plain), self.clock() - DAY)

    def timestamp_and_nonce(self, now: float) -> dict[str, str]:
        """The `timestamp` and `nonce` of a callback."""
        return {"timestamp": str(int(now)), "nonce": str(self.random.randrange(10**10))}

    # --- the page -----------------------------------------------------------------------------------------------------

    def parts(self, message: Message) -> list[Part]:
        """The parts of `message` for the page."""
        if message.sender_kind == "user":
            return parts.of_person(message)
        return parts.of_app(message.type, message.content)


def _agent(account: Account) -> dict[str, Any]:
    return {"AgentID": account.agent} if account.agent else {}
