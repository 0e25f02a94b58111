"""Simulated smart bots of WeCom in URL mode: JSON callbacks, streams by polls, template cards, `response_url`.

Facts: WeCom docs, Smart bots › Receiving messages, Receiving events, Passive replies.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any, ClassVar

from playground.platforms.base import NewMessage, NotFoundError, Platform, Press
from playground.platforms.digests import flip_first_digit
from playground.platforms.exchange import dumps
from playground.platforms.media import Blob, image_type
from playground.platforms.model import Appearance, Attempt, Delivery, Message, Part, Person, Room, Wire
from playground.platforms.routing import Router
from playground.platforms.tencent.errors import TencentError
from playground.platforms.wecom import cards, menus
from playground.platforms.wecom_bot import answers, parts, wire
from playground.platforms.wecom_bot.routes import MEDIA_SECONDS, ROUTER, URL_SECONDS

DEADLINE = 5.0
RETRY_DELAYS = (0.5, 0.5)
"""The docs say that a message can come again, and not when or how often: as for apps, faster."""
POLL_EVERY, POLLED_FOR = 1.0, 360.0
"""Seconds. The docs do not give the interval."""
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Account:
    """One bot as its console knows it."""

    name: str
    id: str
    label: str
    """The name that people see and mention."""
    token: str
    key: str
    host: str


@dataclass(slots=True)
class Right:
    """A `response_url`: the right to send one message."""

    app: str
    room: str
    until: float
    used: bool = False


@dataclass(slots=True)
class Stream:
    """The answer to a message, for which WeCom polls. `id` is empty until the bot has opened it."""

    fields: dict[str, Any]
    """What every poll says: the bot, the chat and the sender."""
    first: Wire
    """The callback of the message itself."""
    until: float
    id: str = ""
    finished: bool = False


class WecomBot(Platform[Account]):
    """The simulation of smart bots."""

    name: ClassVar[str] = "wecom_bot"
    appearance: ClassVar[Appearance] = Appearance(
        label={"en": "WeCom smart bot", "zh": "企微智能机器人"}, color="#3d8af7", bubble=("#d6e9ff", "#234a78"), tab=4
    )
    features: ClassVar[tuple[str, ...]] = ("groups", "mention", "reply", "image")
    router: ClassVar[Router] = ROUTER
    secrets: ClassVar[frozenset[str]] = frozenset({"response_code"})

    def __init__(self, *, retry_delays: tuple[float, ...] = RETRY_DELAYS, **options: Any) -> None:
        super().__init__(**options)
        self.retry_delays = retry_delays
        self.rights: dict[str, Right] = {}
        self.streams: dict[str, Stream] = {}
        """By the id of the message's delivery."""
        self.tasks: set[tuple[str, str]] = set()
        """Bots, each with a task id that it has used."""

    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        """Register the bot `name`."""
        with self.lock:
            self.accounts[name] = Account(
                name=name,
                id=str(config.get("bot_id") or f"aib-{name}"),
                label=str(config.get("name") or name),
                token=str(config["token"]),
                key=str(config["encoding_aes_key"]),
                host=str(config.get("host") or "https://qyapi.weixin.qq.com"),
            )
            self.join(name)

    # --- persons ------------------------------------------------------------------------------------------------------

    def send_message(self, app: str, room: str, sender: str, message: NewMessage) -> Message:
        """A person sends a message. In a group the bot gets only what mentions it. Raises NotFoundError."""
        with self.lock:
            account, person = self.account(app), self.person(sender)
            place = self.room(room, app, person)
            is_group = place.kind == "group"
            mentions = message.mention is not False if is_group else False
            kind, content = self._content(account, message, f"@{account.label} " if mentions else "")
            sent = Message(self.hex(), place.id, person.id, "user", kind, content, self.clock(), app)
            sent.reply_to = message.reply_to
            self.put_message(sent)
            if message.deliver and (mentions or not is_group):
                self._deliver_message(account, place, person, sent)
            return sent

    def press(self, app: str, message_id: str, sender: str, press: Press) -> Delivery:
        """A person presses a button of a template card. Raises NotFoundError."""
        with self.lock:
            account, message, person = self.account(app), self.find_message(message_id), self.person(sender)
            button = cards.find_button(message, press.button)
            chosen = menus.answers(message.content, press)
            details = {
                "card_type": message.content["card_type"],
                "event_key": button["key"],
                "task_id": message.content["task_id"],
            }
            if chosen:
                items = [{"question_key": name, "option_ids": {"option_id": ids}} for name, ids in chosen.items()]
                details["selected_items"] = {"selected_item": items}
            place = self.rooms[message.room]
            fields = self._event("template_card_event", details) | self._response_url(account, place)
            made = self._deliver(account, place, person, fields, "action", message.id)
            self.put_note(made.id, made, person.id, str(button["text"]), reply_to=message.id)
            return made

    def emit_event(self, app: str, kind: str, details: Mapping[str, Any]) -> Delivery | None:
        """A person opens the chat (`entered`), or judges an answer (`feedback`). Raises NotFoundError."""
        with self.lock:
            account, person = self.account(app), self.person_in(details)
            place = self.room("", app, person)
            match kind:
                case "entered":
                    fields = self._event("enter_chat", None)
                case "feedback":
                    text = str(details.get("text") or "")
                    fields = self._event("feedback_event", {"id": "feedback", "type": 2, "content": text})
                case _:
                    raise NotFoundError(f"a smart bot has no event {kind!r}; it has: entered, feedback")
            return self._deliver(account, place, person, fields, "event")

    def _content(self, account: Account, new: NewMessage, mention: str) -> tuple[str, dict[str, Any]]:
        """Type and content of a message. Raises NotFoundError if the clients cannot send it."""
        if new.native:
            return new.native[0], dict(new.native[1])
        words = f"{mention}{new.text}".strip()
        if new.image:
            image = {"url": self._store(account, new.image, image_type(new.image) or "image/png", "image")}
            if not words:
                return "image", image
            texts = {"msgtype": "text", "text": {"content": words}}
            return "mixed", {"msg_item": [texts, {"msgtype": "image", "image": image}]}
        if new.file:
            if mention:
                raise NotFoundError("in a group a smart bot gets no files")
            return "file", {"url": self._store(account, new.file[1], "application/octet-stream", new.file[0])}
        return "text", {"content": words}

    def _store(self, account: Account, data: bytes, mime: str, name: str) -> str:
        """The address of a file that a person has sent."""
        return f"{account.host}/media/{account.name}/{self._stored(data, mime, name, MEDIA_SECONDS)}"

    def _stored(self, data: bytes, mime: str, name: str, seconds: float = inf) -> str:
        """The key of a file that is kept for `seconds`."""
        key = f"media-{self.hex(40)}"
        self.put_blob(Blob(key, "file", data, mime, name, expires=self.clock() + seconds))
        return key

    # --- callbacks ----------------------------------------------------------------------------------------------------

    def _deliver_message(self, account: Account, place: Room, person: Person, message: Message) -> Delivery:
        fields = {"msgtype": message.type, message.type: message.content, **self._response_url(account, place)}
        quoted = self.messages.get(message.reply_to)
        if quoted is not None and quoted.type in ("text", "image", "mixed", "file"):
            fields["quote"] = {"msgtype": quoted.type, quoted.type: quoted.content}
        made = self._deliver(account, place, person, fields, "message", message.id)
        self.streams[made.id] = Stream(self._about(account, place, person), made.wire, until=self.clock() + POLLED_FOR)
        return made

    def _deliver(
        self, account: Account, place: Room, person: Person, fields: Mapping[str, Any], kind: Any, subject: str = ""
    ) -> Delivery:
        """Deliver a callback. Only messages are delivered again."""
        id_, now = subject if kind == "message" else self.hex(), self.clock()
        value = {"msgid": id_, **self._about(account, place, person), **fields}
        sent = wire.callback(account.token, account.key, value, now, self.random)
        made = Delivery(id_, self.name, account.name, kind, sent, dumps(value), now, id_)
        made.subject, made.room, made.deadline = subject, place.id, DEADLINE
        made.retry_delays = self.retry_delays if kind == "message" else ()
        return self.enqueue(made)

    def _about(self, account: Account, place: Room, person: Person) -> dict[str, Any]:
        """The bot, the chat and the sender of a callback."""
        group = {"chatid": place.id, "chattype": "group"}
        chat = group if place.kind == "group" else {"chattype": "single"}
        return {"aibotid": account.id, **chat, "from": {"userid": person.id}}

    def _event(self, name: str, details: Mapping[str, Any] | None) -> dict[str, Any]:
        event = {"eventtype": name} | ({} if details is None else {name: dict(details)})
        return {"create_time": int(self.clock()), "msgtype": "event", "event": event}

    def _response_url(self, account: Account, place: Room) -> dict[str, str]:
        code = self.hex(40)
        self.rights[code] = Right(account.name, place.id, self.clock() + URL_SECONDS)
        return {"response_url": f"{account.host}/cgi-bin/aibot/response?response_code={code}"}

    def challenge(self, app: str) -> Delivery:
        """The verification of the callback URL."""
        with self.lock:
            account, id_, echo = self.account(app), self.hex(), str(self.random.getrandbits(62)).encode()
            sent = wire.verification(account.token, account.key, echo, self.clock(), self.random)
            made = Delivery(id_, self.name, app, "challenge", sent, echo, self.clock(), f"challenge-{id_}")
            made.deadline = 1.0
            return self.enqueue(made)

    def forged(self, delivery: Delivery, how: str) -> Wire | None:
        """The forgeries of an encrypted callback."""
        sent, account = delivery.wire, self.accounts[delivery.app]
        match how:
            case "signature":
                wrong = flip_first_digit(sent.query["msg_signature"])
                return replace(sent, query={**sent.query, "msg_signature": wrong})
            case "plain":
                return replace(sent, body=delivery.plain)
            case "stale":
                fields = wire.loads(delivery.plain)
                return wire.callback(account.token, account.key, fields, self.clock() - DAY, self.random)
            case _:
                return None

    # --- answers ------------------------------------------------------------------------------------------------------

    def accept_response(self, delivery: Delivery, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """HTTP 200 counts as delivered. An answer that WeCom does not take is not shown."""
        del headers
        if status != 200 or delivery.kind == "challenge":
            return status == 200 and body == delivery.plain
        if body:
            account = self.accounts[delivery.app]
            try:
                self._take(delivery, wire.answer(account.token, account.key, body))
            except (ValueError, TencentError) as error:
                delivery.result["error"] = str(error)
        return True

    def record_attempt(
        self, delivery: Delivery, attempt: Attempt, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> float | None:
        """Record the result of an attempt. After a stream is opened, the next attempts are polls for its text."""
        with self.lock:
            stream = self.streams.get(delivery.id)
            if stream is None or not stream.id:
                delay = super().record_attempt(delivery, attempt, headers, body)
                if stream is None or not stream.id:
                    return delay
            else:
                delivery.attempts.append(attempt)
                self.accept_response(delivery, attempt.status, headers or {}, body)
            now = self.clock()
            if stream.finished or now + POLL_EVERY > stream.until:
                delivery.state, delivery.wire = "delivered", stream.first
            else:
                account = self.accounts[delivery.app]
                asked = {"msgid": self.hex(), **stream.fields, "msgtype": "stream", "stream": {"id": stream.id}}
                sent = wire.callback(account.token, account.key, asked, now + POLL_EVERY, self.random)
                delivery.state, delivery.wire = "retrying", sent
        self.notify("delivery", delivery)
        return POLL_EVERY if delivery.state == "retrying" else None

    def _take(self, delivery: Delivery, answer: dict[str, Any]) -> None:
        """Show an answer. Raises TencentError if WeCom does not take it."""
        stream = self.streams.get(delivery.id)
        fields = wire.loads(delivery.plain)
        event = str((fields.get("event") or {}).get("eventtype") or "")
        kind = answers.check("poll" if stream and stream.id else event or "message", answer)
        if kind == "text":
            self._put(delivery, "stream", {"content": answers.text(answer["text"].get("content"))})
            return
        if kind == "update_template_card":
            pressed = self.messages[delivery.subject]
            pressed.content = answers.card(self, delivery.app, answer["template_card"], fields)
            pressed.edited = self.clock()
            self.put_message(pressed)
            return
        card = answers.card(self, delivery.app, answer["template_card"]) if "template_card" in kind else None
        if kind != "template_card" and stream is not None and not stream.finished:
            self._continue(delivery, stream, answer)
        if card is not None:
            delivery.result["passive_card"] = self._put(delivery, "template_card", card).id

    def _continue(self, delivery: Delivery, stream: Stream, answer: dict[str, Any]) -> None:
        """Show the text of a stream so far, and its images. Raises TencentError."""
        images = answers.images(answer)
        stream.id, content, stream.finished = answers.stream(answer, stream.id)
        shown = self.messages.get(f"stream-{delivery.id}")
        if shown is not None and not content and not images:
            shown.recalled = True
            self.put_message(shown)
        elif content or images:
            keys = [self._stored(data, image_type(data), "image") for data in images]
            value = {"content": content} | ({"images": keys} if keys else {})
            delivery.result["passive"] = self._put(delivery, "stream", value, f"stream-{delivery.id}").id

    def _put(self, delivery: Delivery, kind: str, content: dict[str, Any], id_: str = "") -> Message:
        known, now = self.messages.get(id_), self.clock()
        message = Message(id_ or self.hex(), delivery.room, delivery.app, "bot", kind, content, now, delivery.app)
        if known is not None:
            message.at, message.edited = known.at, None if known.content == content else now
        message.root = delivery.subject
        return self.put_message(message)

    # --- the page -----------------------------------------------------------------------------------------------------

    def parts(self, message: Message) -> list[Part]:
        """The parts of `message` for the page."""
        if message.sender_kind == "user":
            return parts.of_person(message.type, message.content, self.blobs)
        return parts.of_bot(message.type, message.content)


PLATFORM = WecomBot
