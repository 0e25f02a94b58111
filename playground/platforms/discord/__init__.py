"""Discord as an application sees it: interactions, the messages it answers with, commands, limits. No Gateway."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, ClassVar, Literal

from playground.platforms.base import NewMessage, Platform, Press, Unknown
from playground.platforms.discord import chooser, interactions, pacing, payload, routes, wire
from playground.platforms.discord.accounts import GUILD, TOKEN_SECONDS, Account, Interaction, Modal, user_id
from playground.platforms.discord.asking import asked, chosen
from playground.platforms.discord.errors import BANNED, Refused, too_often, unauthorized
from playground.platforms.discord.happenings import happened
from playground.platforms.discord.parts import parts_of
from playground.platforms.discord.writing import Place, keep_files, revised, written
from playground.platforms.http import Request, Response
from playground.platforms.limits import Once
from playground.platforms.model import Appearance, Attempt, Delivery, Message, Part, Wire

NONCE_SECONDS = 180
_STATES = {
    "thinking": "{app} is thinking…",
    "failed": "The application did not respond",
    "removed": "answered with nothing",
}


class Discord(Platform[Account]):
    """The imitation of Discord."""

    name: ClassVar[str] = "discord"
    appearance: ClassVar[Appearance] = Appearance(
        label={"en": "Discord", "zh": "Discord"}, color="#4a55c8", layout="flat", tab=2
    )
    features: ClassVar[tuple[str, ...]] = ("groups", "commands")
    secrets: ClassVar[frozenset[str]] = frozenset({"token"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.interactions: dict[str, Interaction] = {}
        """By token."""
        self.by_delivery: dict[str, Interaction] = {}
        self.modals: dict[str, Modal] = {}
        self.threads: dict[str, str] = {}
        """The rooms of threads, by the thread's id."""
        self.files: dict[str, tuple[str, bytes]] = {}
        self.once: Once[Message] = Once(NONCE_SECONDS)
        self.pace = pacing.Pace()
        self._made = 0

    # --- apps ---------------------------------------------------------------------------------------------------------

    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        """Register the application `name`; its commands stay."""
        with self.lock:
            before = self.accounts.get(name)
            account = Account.of(name, config)
            if before is not None and before.application_id == account.application_id:
                account.commands, account.created = before.commands, before.created
            self.accounts[name] = account
            self.join(name)

    def account_of(self, application_id: str) -> Account | None:
        """The application with that id."""
        return next((a for a in self.accounts.values() if a.application_id == application_id), None)

    def tenant(self, app: str) -> str:
        """The guild, which direct chats do not have."""
        del app
        return GUILD

    def tenant_of(self, app: str, room: str) -> str:
        """The guild of a channel."""
        found = self.rooms.get(room)
        outside = found is not None and (found.kind == "private" or app not in found.bots)
        return "" if outside else self.tenant(app)

    def room_id(self, slug: str, kind: str) -> str:
        """A channel's id."""
        return wire.stable_id("room", kind, slug)

    def snowflake(self) -> str:
        """A new id."""
        self._made += 1
        return wire.snowflake(self.clock(), self._made)

    @staticmethod
    def iso(at: float) -> str:
        """A time as Discord tells it."""
        return datetime.fromtimestamp(at, UTC).isoformat()

    # --- API ----------------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Carry out one API call."""
        now = self.clock()
        if request.path.startswith("/attachments/"):
            mime, data = self.files.get(request.path.split("/")[2], ("", b""))
            return Response(200 if mime else 404, data, {"content-type": mime or "text/plain"})
        if self.pace.banned(now):
            return BANNED
        try:
            answer = self._routed(request, now)
        except Refused as refused:
            answer = refused.response()
        self.pace.refused(answer.status, answer.headers.get("x-ratelimit-scope", ""), now)
        date = format_datetime(datetime.fromtimestamp(now, UTC), usegmt=True)
        return Response(answer.status, answer.body, {**answer.headers, "date": date})

    def _routed(self, request: Request, now: float) -> Response:
        if not request.headers.get("user-agent", "").startswith("DiscordBot ("):
            raise Refused(403, 40333, "internal network error")
        found = routes.find(request.method, request.path)
        if found is None:
            raise Refused(404, 0, "404: Not Found")
        route, parts = found
        account = self._caller(request) if route.bot else None
        bot = account.application_id if account else ""
        told = self.pace.take(bot, (route.name, "/".join(parts[: 1 if route.bot else 2])), now)
        try:
            answer = self._called(route, account, request, parts)
        except Refused as refused:
            refused.headers |= told
            raise
        return Response(answer.status, answer.body, {**told, **answer.headers})

    def _called(self, route: routes.Route, account: Account | None, request: Request, parts: Any) -> Response:
        if account is None:
            return route.function(self, request, *parts)
        if "/applications/" in request.path:
            if parts[0] != account.application_id:
                raise Refused(403, 20012, "You are not authorized to perform this action on this application")
            parts = parts[1:]
        return route.function(self, account, request, *parts)

    def _caller(self, request: Request) -> Account:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        account = next((a for a in self.accounts.values() if kind == "Bot" and a.bot_token == token), None)
        if account is None:
            raise unauthorized()
        self.note_call(app=account.name)
        return account

    def path_shown(self, request: Request) -> str:
        """The path with the interaction's token cut short."""
        token = self._token_of(request)
        return request.path.replace(token, f"{token[:6]}…") if token else request.path

    def _token_of(self, request: Request) -> str:
        pieces = request.path.split("/")
        return next((piece for piece in pieces if piece in self.interactions), "")

    def bears_token(self, request: Request) -> bool:
        """Whether the call carries an interaction's token that works. A bot's token never ends by itself."""
        interaction = self.interactions.get(self._token_of(request))
        return interaction is not None and self.clock() < interaction.at + TOKEN_SECONDS

    def expire_token(self, request: Request) -> None:
        """End the interaction of the call."""
        self.interactions[self._token_of(request)].at -= TOKEN_SECONDS

    def limited(self, request: Request) -> Response:
        """429."""
        del request
        return too_often(1.0).response()

    # --- messages -----------------------------------------------------------------------------------------------------

    def write(self, account: Account, place: Place, given: payload.Payload) -> Message:
        """A message of the application. Raises Refused."""
        return written(self, account, place, given)

    def rewrite(self, message: Message, given: payload.Payload) -> None:
        """Change a message: only what is given. Raises Refused."""
        payload.check(given, whole=False)
        message.content = revised(message.content, given.json, keep_files(self, given))
        message.edited, message.edits = self.clock(), message.edits + 1
        self.put_message(message)

    def remove(self, message: Message) -> None:
        """Delete a message."""
        message.recalled = True
        self.put_message(message)

    def settle(self, interaction: Interaction, state: Literal["thinking", "answered", "removed", "failed"]) -> None:
        """What has become of an interaction, also beside the command on the page."""
        interaction.state = state
        said = self.messages.get(interaction.id)
        if said is not None:
            said.content = {**said.content, "state": _STATES.get(state, "").format(app=interaction.app)}
            self.put_message(said)

    # --- persons ------------------------------------------------------------------------------------------------------

    def send_message(self, app: str, room: str, sender: str, said: NewMessage) -> Message:
        """A person calls a command: `/name options`, or `native` of type `command`: `{"name", "options"}`."""
        with self.lock:
            account, person = self.account(app), self.person(sender)
            place = self.room(room, app, person)
            message, interaction = asked(self, account, person, place, said)
            self.put_message(message)
            if interaction is not None:
                self.send_event(interaction.delivery)
            return message

    def press(self, app: str, message_id: str, sender: str, pressed: Press) -> Delivery:
        """A person presses a button or chooses from a select."""
        with self.lock:
            account, message, person = self.account(app), self.find_message(message_id), self.person(sender)
            interaction, note = chosen(self, account, message, person, pressed)
            self.put_message(note)
            return self.send_event(interaction.delivery)

    def emit_event(self, app: str, kind: str, details: Mapping[str, Any]) -> Delivery | None:
        """`submit` a form (`modal`, `form`), `complete` an option (`room`, `name`, `options`, `focused`), `authorize`
        or `deauthorize` the application, `entitle` the person, or `save_events`: try out the address for events.
        """
        with self.lock:
            return self.send_event(happened(self, self.account(app), kind, details))

    # --- callbacks ----------------------------------------------------------------------------------------------------

    def challenge(self, app: str) -> Delivery:
        """Saving the address: a ping, and a request with a wrong signature that has to be refused."""
        with self.lock:
            account = self.account(app)
            self.send_event(interactions.probe(self, account, wrong=True))
            return self.send_event(interactions.probe(self, account, wrong=False))

    def record_attempt(
        self, delivery: Delivery, attempt: Attempt, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> float | None:
        """An interaction that was not answered in time, or not in a way that Discord knows, has failed for good."""
        again = super().record_attempt(delivery, attempt, headers, body)
        with self.lock:
            interaction = self.by_delivery.get(delivery.id)
            if delivery.state == "failed" and interaction is not None and interaction.state == "waiting":
                self.settle(interaction, "failed")
        return again

    def accept_response(self, delivery: Delivery, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """The answer to a ping, a probe or an interaction."""
        if "expects" in delivery.result:
            return status == delivery.result["expects"] and (status != 204 or not body)
        if delivery.kind == "challenge":
            pong = Request("POST", "/", body=body).json()
            return status == 200 and isinstance(pong, dict) and pong.get("type") == 1
        interaction = self.by_delivery[delivery.id]
        value = Request("POST", "/", body=body).json()
        right = status == 200 and headers.get("content-type", "application/json").startswith("application/json")
        if interaction.state != "waiting":
            # A copy, which Discord never sends: a promise in it says that the receiver took it.
            return right and isinstance(value, dict) and value.get("type") in interactions.PROMISES
        return right and isinstance(value, dict) and self.take_answer(interaction, value)

    def take_answer(self, interaction: Interaction, value: dict[str, Any]) -> bool:
        """Do what a first answer says; False where Discord takes no such answer."""
        return interactions.take_answer(self, interaction, value)

    def forge(self, delivery: Delivery, how: str) -> Wire:
        """The callback with a wrong or no signature, a day old, or cut off."""
        sent, key = delivery.wire, self.accounts[delivery.app].key
        match how:
            case "signature":
                return wire.wrongly_signed(sent)
            case "stale" if key is not None:
                return wire.signed(key, sent.body, self.clock() - 86_400)
            case "plain":
                return Wire(headers={"Content-Type": "application/json"}, body=sent.body)
            case "truncated":
                return Wire(headers=sent.headers, body=sent.body[: len(sent.body) // 2])
            case _:
                raise Unknown(f"there is no forgery {how!r}: signature, stale, plain, truncated")

    # --- the page -----------------------------------------------------------------------------------------------------

    def parts(self, message: Message) -> list[Part]:
        """`message` as the page shows it."""
        if message.note:
            return [{"kind": "note", "text": message.content["label"]}]
        if message.type == "command":
            state = message.content.get("state")
            small: list[Part] = [{"kind": "text", "text": state, "small": True}] if state else []
            return [{"kind": "text", "text": message.content["content"]}, *small]
        return parts_of(message.content, self._name_of, self._only(message))

    def _only(self, message: Message) -> str:
        person = self.persons.get(str(message.content.get("only")))
        return person.name if person else ""

    def _name_of(self, id_: str) -> str:
        account = self.account_of(id_)
        return account.name if account else next((p.name for p in self.persons.values() if user_id(p.id) == id_), id_)

    def media(self, key: str) -> tuple[str, bytes]:
        """A file by its id."""
        if key not in self.files:
            raise Unknown(f"Discord has no file {key!r}")
        return self.files[key]

    def commands(self, app: str) -> list[dict[str, Any]]:
        """What can be called there, for the page."""
        with self.lock:
            return [chooser.with_choices(self, command) for command in self.account(app).commands.values()]


PLATFORM = Discord
