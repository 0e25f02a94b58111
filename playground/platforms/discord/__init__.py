"""Simulated Discord: interactions, messages, commands, rate limits, and its Gateway."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, ClassVar, Literal

from playground.platforms.base import ApiError, NewMessage, Platform, Press
from playground.platforms.discord import command_options, gateway_events, interactions, payload, user_actions, wire
from playground.platforms.discord.accounts import GUILD, TOKEN_SECONDS, Account, Interaction, Modal, user_id
from playground.platforms.discord.errors import BANNED, DiscordError, rate_limited, unauthorized
from playground.platforms.discord.events import user_event
from playground.platforms.discord.gateway import Connection, Gateway
from playground.platforms.discord.messages import Target, create_message, edited_content, store_files
from playground.platforms.discord.parts import parts_of
from playground.platforms.discord.rate_limits import RateLimits
from playground.platforms.discord.routes import ROUTER
from playground.platforms.exchange import Request, Response
from playground.platforms.limits import IdempotencyKeys
from playground.platforms.model import Appearance, Attempt, Delivery, Message, Part, Wire
from playground.platforms.routing import Route, Router

NONCE_SECONDS = 120
_STATES = {
    "deferred": "{app} is thinking…",
    "failed": "The application did not respond",
    "deleted": "The response was deleted",
}
"""The text that the page shows below a command, by the state of its interaction."""


class Discord(Platform[Account]):
    """Simulated Discord."""

    name: ClassVar[str] = "discord"
    appearance: ClassVar[Appearance] = Appearance(
        label={"en": "Discord", "zh": "Discord"}, color="#4a55c8", layout="flat", tab=2
    )
    features: ClassVar[tuple[str, ...]] = ("groups", "commands")
    router: ClassVar[Router] = ROUTER
    secrets: ClassVar[frozenset[str]] = frozenset({"token"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.interactions: dict[str, Interaction] = {}
        """By token."""
        self.by_delivery: dict[str, Interaction] = {}
        self.modals: dict[str, Modal] = {}
        self.threads: dict[str, str] = {}
        """The room of each thread, by the thread's id."""
        self.idempotency: IdempotencyKeys[Message] = IdempotencyKeys(NONCE_SECONDS)
        self.rate_limits = RateLimits()
        self._snowflakes = 0
        self.gateway = Gateway(self.clock, self.hex)

    # --- apps ---------------------------------------------------------------------------------------------------------

    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        """Register the application `name`. Its commands stay if it is registered already."""
        with self.lock:
            before = self.accounts.get(name)
            account = Account.of(name, config)
            if before is not None and before.application_id == account.application_id:
                account.commands, account.created = before.commands, before.created
            self.accounts[name] = account
            self.join(name)

    def find_account(self, application_id: str) -> Account | None:
        """The application with that id."""
        return next((a for a in self.accounts.values() if a.application_id == application_id), None)

    def tenant(self, app: str, room: str = "") -> str:
        """The guild. Direct chats and rooms without the bot have none."""
        found = self.rooms.get(room)
        outside = found is not None and (found.kind == "private" or app not in found.bots)
        return "" if outside else GUILD

    def room_id(self, slug: str, kind: str) -> str:
        """A channel's id."""
        return wire.stable_id("room", kind, slug)

    def snowflake(self) -> str:
        """A new id."""
        self._snowflakes += 1
        return wire.snowflake(self.clock(), self._snowflakes)

    @staticmethod
    def iso(at: float) -> str:
        """A time as Discord's API returns it."""
        return datetime.fromtimestamp(at, UTC).isoformat()

    # --- API ----------------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Carry out one API call, or return an attachment."""
        now = self.clock()
        if request.path.startswith("/attachments/"):
            blob = self.blobs.get(request.path.split("/")[2])
            return Response(200, blob.data, {"content-type": blob.mime}) if blob else self.unknown_path
        if self.rate_limits.is_banned(now):
            return BANNED
        try:
            response = self._route(request, now)
        except ApiError as error:
            response = self.error_response(error)
        self.rate_limits.count_response(response.status, response.headers.get("x-ratelimit-scope", ""), now)
        date = format_datetime(datetime.fromtimestamp(now, UTC), usegmt=True)
        return Response(response.status, response.body, {**response.headers, "date": date})

    def _route(self, request: Request, now: float) -> Response:
        if not request.headers.get("user-agent", "").startswith("DiscordBot ("):
            raise DiscordError(403, 40333, "internal network error")
        found = self.router.find(request.method, request.path)
        if found is None:
            raise DiscordError(404, 0, "404: Not Found")
        route, segments = found
        account = self.authenticate(request, route) if route.authenticated else None
        bot = account.application_id if account else ""
        # Limits count per channel or application; without a bot token per application and interaction token.
        resource = "/".join(segments[: 1 if account else 2])
        headers = self.rate_limits.count_call(bot, (route.name, resource), now)
        try:
            response = self._run_handler(route, account, request, segments)
        except ApiError as error:
            error.headers |= headers
            raise
        return Response(response.status, response.body, {**headers, **response.headers})

    def _run_handler(
        self, route: Route, account: Account | None, request: Request, segments: tuple[Any, ...]
    ) -> Response:
        if account is None:
            return route.handler(self, request, *segments)
        if "/applications/" in request.path and segments:
            if segments[0] != account.application_id:
                raise DiscordError(403, 20012, "You are not authorized to perform this action on this application")
            segments = segments[1:]
        return route.handler(self, account, request, *segments)

    def authenticate(self, request: Request, route: Route) -> Account:
        """The account of the bot token."""
        del route
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        account = next((a for a in self.accounts.values() if kind == "Bot" and a.bot_token == token), None)
        if account is None:
            raise unauthorized()
        self.note_call(app=account.name)
        return account

    def recorded_path(self, request: Request) -> str:
        """The path with the interaction token cut short."""
        token = self._interaction_token(request)
        return request.path.replace(token, f"{token[:6]}…") if token else request.path

    def _interaction_token(self, request: Request) -> str:
        return next((segment for segment in request.path.split("/") if segment in self.interactions), "")

    def has_valid_token(self, request: Request) -> bool:
        """Whether the call has a valid interaction token. A bot token does not expire."""
        interaction = self.interactions.get(self._interaction_token(request))
        return interaction is not None and self.clock() < interaction.at + TOKEN_SECONDS

    def expire_token(self, request: Request) -> None:
        """Let the interaction token of the call expire."""
        self.interactions[self._interaction_token(request)].at -= TOKEN_SECONDS

    def rate_limited(self, request: Request) -> Response:
        """429."""
        del request
        return rate_limited(1.0).response()

    # --- messages -----------------------------------------------------------------------------------------------------

    def create(self, account: Account, target: Target, new: payload.Payload) -> Message:
        """Create a message of the application. Raises DiscordError."""
        message = create_message(self, account, target, new)
        gateway_events.announce(self, message, "MESSAGE_CREATE")
        return message

    def edit(self, message: Message, new: payload.Payload) -> None:
        """Change the fields of a message that `new` has. Raises DiscordError."""
        payload.check(new, may_be_empty=True)
        message.content = edited_content(message.content, new.json, store_files(self, new))
        message.edited, message.edits = self.clock(), message.edits + 1
        self.put_message(message)
        gateway_events.announce(self, message, "MESSAGE_UPDATE")

    def delete(self, message: Message) -> None:
        """Delete a message."""
        message.recalled = True
        self.put_message(message)
        gateway_events.announce(self, message, "MESSAGE_DELETE")

    def set_state(self, interaction: Interaction, state: Literal["deferred", "responded", "deleted", "failed"]) -> None:
        """Set the state of an interaction, also below the command on the page."""
        interaction.state = state
        command = self.messages.get(interaction.id)
        if command is not None:
            command.content = {**command.content, "state": _STATES.get(state, "").format(app=interaction.app)}
            self.put_message(command)

    # --- persons ------------------------------------------------------------------------------------------------------

    def send_message(self, app: str, room: str, sender: str, message: NewMessage) -> Message:
        """A person invokes a command: `/name options`, or `native` of type `command`: `{"name", "options"}`. Other
        words are an ordinary message, which the Gateway sends to the bot."""
        with self.lock:
            account, person = self.account(app), self.person(sender)
            place = self.room(room, app, person)
            sent, interaction = user_actions.invoke(self, account, person, place, message)
            self.put_message(sent)
            if interaction is not None:
                self.enqueue(interaction.delivery)
            return sent

    def press(self, app: str, message_id: str, sender: str, press: Press) -> Delivery:
        """A person presses a button or chooses from a select."""
        with self.lock:
            account, message, person = self.account(app), self.find_message(message_id), self.person(sender)
            interaction, label = user_actions.press(self, account, message, person, press)
            self.put_note(interaction.id, interaction.delivery, person.id, label, reply_to=message.id)
            return self.enqueue(interaction.delivery)

    def emit_event(self, app: str, kind: str, details: Mapping[str, Any]) -> Delivery | None:
        """`submit` a modal (`modal`, `form`), `complete` an option (`room`, `name`, `options`, `focused`), `authorize`
        or `deauthorize` the application, `entitle` the person, or `save_events`: verify the URL for events. Over the
        Gateway: see `gateway_events.user_event`."""
        with self.lock:
            if gateway_events.user_event(self, self.account(app), kind, self.person_in(details), details):
                return None
            return self.enqueue(user_event(self, self.account(app), kind, details))

    def connect(self, wake: Callable[[], None]) -> Connection:
        """A new connection to the Gateway."""
        return Connection(self.gateway, self.accounts, wake)

    # --- callbacks ----------------------------------------------------------------------------------------------------

    def challenge(self, app: str) -> Delivery:
        """Verify the URL: a ping with a wrong signature, which has to be rejected, and one with the right signature."""
        with self.lock:
            account = self.account(app)
            self.enqueue(interactions.probe(self, account, wrong=True))
            return self.enqueue(interactions.probe(self, account, wrong=False))

    def record_attempt(
        self, delivery: Delivery, attempt: Attempt, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> float | None:
        """An interaction without a valid response in time fails for good."""
        delay = super().record_attempt(delivery, attempt, headers, body)
        with self.lock:
            interaction = self.by_delivery.get(delivery.id)
            if delivery.state == "failed" and interaction is not None and interaction.state == "waiting":
                self.set_state(interaction, "failed")
        return delay

    def accept_response(self, delivery: Delivery, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """The response to a ping, a probe, an event or an interaction."""
        if "expects" in delivery.result:
            return status == delivery.result["expects"] and (status != 204 or not body)
        value = Request("POST", "/", body=body).json()
        if status != 200 or not isinstance(value, dict):
            return False
        if delivery.kind == "challenge":
            return value.get("type") == 1
        if not headers.get("content-type", "application/json").startswith("application/json"):
            return False
        interaction = self.by_delivery[delivery.id]
        if interaction.state != "waiting":
            # A repeated delivery, which Discord never sends: a deferred response says that the receiver accepted it.
            return value.get("type") in interactions.DEFERRALS
        return self.apply_response(interaction, value)

    def apply_response(self, interaction: Interaction, value: dict[str, Any]) -> bool:
        """Apply the response to an interaction. False if Discord does not accept it."""
        return interactions.apply_response(self, interaction, value)

    def forged(self, delivery: Delivery, how: str) -> Wire | None:
        """A wrong signature; a day old, signed with the real key; or without a signature."""
        sent, key = delivery.wire, self.accounts[delivery.app].key
        match how:
            case "signature":
                return wire.wrongly_signed(sent)
            case "stale" if key is not None:
                return wire.signed(key, sent.body, self.clock() - 86_400)
            case "plain":
                return Wire(headers={"Content-Type": "application/json"}, body=sent.body)
            case _:
                return None

    # --- the page -----------------------------------------------------------------------------------------------------

    def parts(self, message: Message) -> list[Part]:
        """The parts of `message` for the page."""
        if message.type == "command":
            state = message.content.get("state")
            small: list[Part] = [{"kind": "text", "text": state, "small": True}] if state else []
            return [{"kind": "text", "text": message.content["content"]}, *small]
        person = self.persons.get(str(message.content.get("only")))
        return parts_of(message.content, self._name_of, person.name if person else "")

    def _name_of(self, id_: str) -> str:
        account = self.find_account(id_)
        return account.name if account else next((p.name for p in self.persons.values() if user_id(p.id) == id_), id_)

    def commands(self, app: str) -> list[dict[str, Any]]:
        """The registered commands, with the choices of their options."""
        with self.lock:
            return [command_options.with_choices(self, command) for command in self.account(app).commands.values()]


PLATFORM = Discord
