"""What WeCom and WeChat have in common as a bot sees them: encrypted callbacks that are delivered three times at most,
answers within them, tokens in the query, HTTP 200 with an `errcode`. Not a platform of its own.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from parley.platforms.tencent.messages import identity
from playground.platforms.base import PRIVATE, NewMessage, Platform, Unknown
from playground.platforms.http import Request, Response
from playground.platforms.limits import Windows
from playground.platforms.model import Attempt, Delivery, Message, Part, Person, Wire
from playground.platforms.tencent import parts, passive, store, wire, writing
from playground.platforms.tencent.accounts import Account, Tokens
from playground.platforms.tencent.errors import Refused
from playground.platforms.tencent.routes import Route, find
from playground.platforms.tencent.store import Blob, Sort

DEADLINE = 5.0
LADDER = (0.5, 0.5)
"""Three deliveries in all, five seconds apart where the callback takes four and a half."""
DAY = 86_400


class Tencent(Platform[Account]):
    """The imitation of either platform."""

    features: ClassVar[tuple[str, ...]] = ("image",)
    routes: ClassVar[tuple[Route, ...]]
    sorts: ClassVar[Mapping[str, Sort]]
    """What can be uploaded."""
    articles: ClassVar[int]
    """In one `news`."""
    nothings: ClassVar[tuple[bytes, ...]]
    """Answers to a callback that say nothing."""
    films_by_address: ClassVar[bool] = False
    """Whether a film is downloaded by way of an address."""
    has_agents: ClassVar[bool] = False
    """Whether a passive reply can hand over to a human."""
    limit_code: ClassVar[tuple[int, str]]

    def __init__(self, *, ladder: tuple[float, ...] = LADDER, **options: Any) -> None:
        super().__init__(**options)
        self.ladder = ladder
        self.tokens = Tokens(self.token_seconds, self.random)
        self.blobs: dict[str, Blob] = {}
        self.windows = Windows()

    # --- what each of the two does its own way ------------------------------------------------------------------------

    @abstractmethod
    def account_from(self, name: str, config: Mapping[str, Any]) -> Account:
        """The account for the configuration that Parley has of it."""

    @abstractmethod
    def user_id(self, account: Account, person: str) -> str:
        """What the platform calls a person towards `account`."""

    @abstractmethod
    def wrapped(self, account: Account, fields: Mapping[str, Any], now: float) -> Wire:
        """A callback with `fields`, signed and, where the account says so, encrypted."""

    @abstractmethod
    def verification(self, account: Account, echo: str, now: float) -> Wire:
        """The request by which the console tries a URL; `echo` is wanted back."""

    @abstractmethod
    def forged(self, account: Account, delivery: Delivery, how: str) -> Wire | None:
        """A forgery by `signature` or `plain`, see `Platform.forge`; None for another."""

    @abstractmethod
    def count_call(self, account: Account, name: str) -> None:
        """Count one call of the API. Raises Refused above the limit."""

    @abstractmethod
    def event_fields(self, account: Account, person: Person, kind: str, details: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of the event for something that a person did; none where nobody is told. Raises Unknown."""

    def tenant(self, app: str) -> str:
        """The organisation's id as the platform tells it: none, unless it says otherwise."""
        del app
        return ""

    def must_encrypt(self, account: Account) -> bool:
        """Whether a passive reply has to be encrypted."""
        return account.mode == "safe"

    def record_activity(self, account: Account, person: str, action: str) -> None:
        """A person did something that may allow the account to write to them: `message`, or the name of an event."""

    def unavailable(self, delivery: Delivery) -> None:
        """What a person is shown whose message got no answer: nothing, unless the platform says otherwise."""

    # --- apps ---------------------------------------------------------------------------------------------------------

    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        """Register the app `name`."""
        with self.lock:
            self.accounts[name] = self.account_from(name, config)
            self.join(name)

    def accounts_of(self, id_: object) -> list[Account]:
        """The apps with that corp id or appid; asks for new configurations before it gives up."""
        if not any(account.id == id_ for account in self.accounts.values()):
            for name in self.discover(self.name).keys() - self.accounts.keys():
                self.add_app(name, self.discover(self.name)[name])
        return [account for account in self.accounts.values() if account.id == id_]

    def room_id(self, slug: str, kind: str) -> str:
        """A room's id: the playground's own, for the platform has none."""
        return slug if kind == "private" else f"{kind}-{slug}"

    def person_of(self, account: Account, user_id: str) -> Person | None:
        """The person whom the platform calls so towards `account`, in any case."""
        wanted = user_id.lower()
        return next((p for p in self.persons.values() if self.user_id(account, p.id).lower() == wanted), None)

    def message_id(self) -> str:
        """A new MsgId: more digits than a float holds."""
        return str(1 << 62 | self.random.getrandbits(62))

    # --- API ----------------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Carry out one API call."""
        found = find(self.routes, request.method, request.path)
        if found is None:
            return Response(404, b"", {"content-type": "text/plain"})
        route, path = found
        try:
            if not route.token:
                return route.function(self, request, *path)
            return route.function(self, self._caller(request, route.name), request, *path)
        except Refused as refused:
            return refused.response()

    def _caller(self, request: Request, name: str) -> Account:
        grant = self.tokens.check(request.query.get("access_token", ""), self.clock())
        self.note_call(app=grant.app)
        account = self.accounts[grant.app]
        self.count_call(account, name)
        return account

    def bears_token(self, request: Request) -> bool:
        """Whether the call carries a valid token."""
        try:
            self.tokens.check(request.query.get("access_token", ""), self.clock())
        except Refused:
            return False
        return True

    def expire_token(self, request: Request) -> None:
        """Forget the token of the call."""
        self.tokens.expire(request.query.get("access_token", ""))

    def limited(self, request: Request) -> Response:
        """The code for too many calls."""
        del request
        return Refused(*self.limit_code).response()

    def send(self, account: Account, person: Person, kind: str, content: Mapping[str, Any], id_: str) -> Message:
        """Show a message of `account` to a person."""
        room, now, name = self.room(PRIVATE, account.name, person), self.clock(), account.name
        return self.put_message(Message(id_, room.id, name, "bot", kind, dict(content), now, name))

    # --- persons ------------------------------------------------------------------------------------------------------

    def send_message(self, app: str, room: str, sender: str, said: NewMessage) -> Message:
        """A person writes to the app. It has only chats of two; what is said in a group it does not hear."""
        with self.lock:
            account, person = self.account(app), self.person(sender)
            group = self.rooms.get(room) or self.rooms.get(self.room_id(room, "group"))
            place = group if group and group.kind == "group" else self.room(PRIVATE, app, person)
            message = self.put_message(writing.written(self, account, person, place, said))
            if said.deliver and place.kind == "private":
                self.notify_app(account, person, message, {"MsgType": message.type, **message.content})
            return message

    def notify_app(self, account: Account, person: Person, message: Message, fields: Mapping[str, Any]) -> Delivery:
        """Tell the app what a person wrote."""
        self.record_activity(account, person.id, "message")
        value = {**self.ends(account, person.id), **fields, "MsgId": int(message.id), **_agent(account)}
        return self.send_event(self.delivery(account, value, message.id, kind="message", about=message.id))

    def emit_event(self, app: str, kind: str, details: Mapping[str, Any]) -> Delivery | None:
        """Something that a person does: an event. Raises Unknown."""
        with self.lock:
            account = self.account(app)
            person = self.person(str(details.get("sender") or next(iter(self.persons))))
            fields = self.event_fields(account, person, kind, details)
            if not fields:
                return None
            self.record_activity(account, person.id, str(fields["Event"]))
            return self.event(account, person.id, fields)

    def event(self, account: Account, person: str, fields: Mapping[str, Any], **more: Any) -> Delivery:
        """Tell the app of an event."""
        value = {**self.ends(account, person), "MsgType": "event", **fields, **_agent(account)}
        # Events have no id: the journal's name for one is Parley's own, and used here only to find it again.
        told = wire.read_xml(wire.xml(value))
        return self.send_event(self.delivery(account, value, identity(told), **{"kind": "event", **more}))

    def ends(self, account: Account, person: str) -> dict[str, Any]:
        """From whom, to whom, when."""
        sender = self.user_id(account, person)
        return {"ToUserName": account.owner, "FromUserName": sender, "CreateTime": int(self.clock())}

    def delivery(self, account: Account, value: Mapping[str, Any], journal_id: str, **more: Any) -> Delivery:
        """`value` on its way to the app."""
        now = self.clock()
        person = self.person_of(account, str(value["FromUserName"]))
        room = self.room(PRIVATE, account.name, person).id if person else ""
        details: dict[str, Any] = {"room": room, "deadline": DEADLINE, "ladder": self.ladder} | more
        return Delivery(
            id=journal_id,
            platform=self.name,
            app=account.name,
            wire=self.wrapped(account, value, now),
            plain=wire.xml(value),
            at=now,
            journal_id=journal_id,
            **details,
        )

    # --- events -------------------------------------------------------------------------------------------------------

    def challenge(self, app: str) -> Delivery:
        """The verification of the callback URL."""
        with self.lock:
            account, now, echo = self.account(app), self.clock(), self.message_id()
            made = Delivery(
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
            return self.send_event(made)

    def accept_response(self, delivery: Delivery, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """HTTP 200 counts, with nothing or with a message for who wrote; the console wants its echo."""
        del headers
        if status != 200:
            return False
        if delivery.kind == "challenge":
            return body == delivery.plain
        account = self.accounts[delivery.app]
        who = str(wire.read_xml(delivery.plain)["FromUserName"])
        person = self.person_of(account, who)
        try:
            said = passive.said(self, account, who, body)
        except passive.Wrong as error:
            delivery.result["error"] = str(error)
            self.unavailable(delivery)
            return True
        if said is not None and person is not None:
            message = self.send(account, person, *said, f"passive-{self.hex(16)}")
            message.root = delivery.about
            delivery.result["passive"] = message.id
        return True

    def record_attempt(
        self, delivery: Delivery, attempt: Attempt, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> float | None:
        """Each further delivery is signed and encrypted anew: whether the real ones are is not documented. The MsgId
        within stays."""
        again = super().record_attempt(delivery, attempt, headers, body)
        with self.lock:
            if again is not None:
                fields = wire.read_xml(delivery.plain)
                delivery.wire = self.wrapped(self.accounts[delivery.app], fields, self.clock() + again)
            elif delivery.state == "failed" and delivery.kind != "challenge":
                self.unavailable(delivery)
        return again

    def forge(self, delivery: Delivery, how: str) -> Wire:
        """The callback with a wrong signature, a day old, unencrypted, or cut off."""
        sent, account = delivery.wire, self.accounts[delivery.app]
        if how == "stale":
            return self.wrapped(account, wire.read_xml(delivery.plain), self.clock() - DAY)
        if how == "truncated":
            return Wire(query=sent.query, headers=sent.headers, body=sent.body[: len(sent.body) // 2])
        found = self.forged(account, delivery, how)
        if found is None:
            raise Unknown(f"there is no forgery {how!r}: signature, stale, plain, truncated")
        return found

    def stamped(self, now: float) -> dict[str, str]:
        """Time and nonce of a callback."""
        return {"timestamp": str(int(now)), "nonce": str(self.random.randrange(10**10))}

    # --- the page -----------------------------------------------------------------------------------------------------

    def parts(self, message: Message) -> list[Part]:
        """`message` as the page shows it."""
        if message.note:
            return [{"kind": "note", "text": message.content["label"]}]
        return (
            parts.of_person(message) if message.sender_kind == "user" else parts.of_app(message.type, message.content)
        )

    def note(self, delivery: Delivery, label: str) -> None:
        """A line of the page's own in the room of `delivery`."""
        note = Message(
            id=f"note-{self.hex(16)}",
            room=delivery.room,
            sender=self.rooms[delivery.room].members[0],
            sender_kind="user",
            type="note",
            content={"label": label},
            at=self.clock(),
            app=delivery.app,
            note=True,
        )
        self.put_message(note)

    def media(self, key: str) -> tuple[str, bytes]:
        """A picture or file by its id."""
        return store.shown(self, key)


def _agent(account: Account) -> dict[str, Any]:
    return {"AgentID": account.agent} if account.agent else {}
