"""Requests of clients: messages in, replies out. The token of each request says who sends it.

`POST /v1/{app}/messages`, `POST /v1/{app}/media`, `GET /v1/{app}/messages/{id}`,
`GET /v1/{app}/conversations/{room}/replies`, and the preflights of browsers.
"""

import re
from urllib.parse import urlsplit

import msgspec

from parley.adapter import Accepted, App, Client, Read, Reading, Rejected, Request, Response, UploadAddress
from parley.model import Action, Content, Context, Conversation, Message, Sender, Text
from parley.platforms.http import media, persons
from parley.platforms.http.bodies import MediaUpload, Posted, Press, fingerprint, media_in, posted_in
from parley.platforms.http.config import Config
from parley.platforms.http.persons import DIRECT, ROOM, Person
from parley.platforms.http.problems import problem
from parley.platforms.http.replies import MessageState, Page, shown_reply
from parley.untrusted import decode_json

PATH = "/v1/{app}/messages"
"""See `parley.platforms.path`."""
CONNECT = "CONNECT"
"""The method of a request that asks for a connection or a ticket (`parley.platforms.http.sockets`)."""
_LONGEST = 86_400
"""Seconds for which a connection lasts at most, also if its token is valid for longer."""
MAX_WAIT = 25.0
"""Seconds that a request may wait: API Gateway ends it after 29."""
KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")
"""Of an idempotency key. Spaces around the value of a header do not belong to it."""
ID = re.compile(r"[0-9a-f]{48}")
"""Of the id of a message."""
_WAIT = re.compile(r"[0-9]{1,2}")
CURSOR = re.compile(r"[0-9]{1,15}")
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "7200",
}
_EXPOSED = {"Access-Control-Expose-Headers": "Location, Retry-After"}
key_set = persons.key_set
stored = media.stored
uploads_of = media.uploads_of


class _Refused(Exception):
    """The request is refused. `detail`: a sentence for the author of the client."""

    def __init__(self, rejected: Rejected, detail: str = "") -> None:
        super().__init__(rejected.detail)
        self.rejected = rejected
        self.detail = detail


def receive(request: Request, app: App, now: float) -> Accepted | Rejected:
    """Check the token of a request, and read the request. Never raises."""
    if request.method == "OPTIONS":
        return Accepted(Response(204, headers={**_cors(request, app), **_PREFLIGHT}))
    person = persons.person_of(request, app, now)
    if isinstance(person, Rejected):
        return msgspec.structs.replace(person, response=rejection(person, request, app))
    return receive_from(person, request, app, now)


def receive_from(person: Person, request: Request, app: App, now: float) -> Accepted | Rejected:
    """Read a request of `person`, whose token is checked. Never raises."""
    try:
        return _accepted(request, app, person, now)
    except _Refused as refused:
        response = problem(refused.rejected, refused.detail)
        return msgspec.structs.replace(refused.rejected, response=shared(response, request, app))


def conversation(person: Person, room: str, app: App) -> str | Rejected:
    """The key of the conversation in that room, which is empty for the direct chat, if the person may use it."""
    try:
        return _place(person, _room(room, person) if room else "", app)
    except _Refused as refused:
        return msgspec.structs.replace(refused.rejected, response=problem(refused.rejected, refused.detail))


def rejection(rejected: Rejected, request: Request, app: App | None) -> Response:
    """See `parley.adapter.DescribesRejections`."""
    response = problem(rejected)
    return shared(response, request, app) if app is not None else response


def read(request: Request, app: App, reading: Reading, found: Read) -> Response:
    """See `parley.adapter.SupportsReading`. A reply that only one person may see is left out for all others."""
    person = reading.person
    listed = tuple(shown_reply(out) for out in found.replies if not out.reply.private or out.to.user_id == person)
    if reading.message is None:
        return _json(200, Page(replies=listed, cursor=str(found.cursor)), request, app)
    state = MessageState(id=reading.message.id, state="done" if found.done else "pending", replies=listed)
    if request.method == "GET":
        return _json(200, state, request, app)
    return _json(200 if found.done else 202, state, request, app, _location(reading.message.id))


def uploading(request: Request, app: App, address: UploadAddress) -> Response:
    """See `parley.adapter.SupportsUploads`."""
    id_ = media.id_in(urlsplit(address.url).path)
    made = MediaUpload(id=id_, url=address.url, headers=address.headers, expires_in=address.expires_in)
    return _json(201, made, request, app)


# --- requests ---------------------------------------------------------------------------------------------------------


def _accepted(request: Request, app: App, person: Person, now: float) -> Accepted:
    """What a request of `person` asks for. Raises _Refused."""
    wait = _wait(request)
    if request.method == "POST" and request.route == media.ROUTE:
        return _upload(request, app, person)
    if request.method == CONNECT:
        return _connecting(request, app, person, now)
    if request.method == "POST":
        posted = _posted(request)
        message = _message(request, app, person, now, posted)
        reading = Reading(person.id, message=message, wait=wait) if wait else None
        pending = _json(202, MessageState(id=message.id, state="pending"), request, app, _location(message.id))
        return Accepted(
            pending,
            (message,),
            reading=reading,
            refused=rejection(Rejected(503, "unavailable"), request, app),
            limits=persons.limits(person, app),
            fingerprint=fingerprint(posted),
        )
    if request.method != "GET":
        raise _Refused(Rejected(405, "malformed", "neither GET nor POST"))
    if "room" in request.parameters:
        return Accepted(reading=_of_conversation(request, app, person, wait))
    return Accepted(reading=_of_message(request, app, person, wait))


def _upload(request: Request, app: App, person: Person) -> Accepted:
    """Media that the person wants to upload. Raises _Refused."""
    try:
        wanted = media_in(request.body)
    except ValueError as error:
        raise _malformed(str(error)) from error
    new = media.new_media(person, app, _key(request), wanted)
    refused = rejection(Rejected(503, "unavailable"), request, app)
    return Accepted(upload=new, limits=persons.limits(person, app), refused=refused)


def _of_conversation(request: Request, app: App, person: Person, wait: float) -> Reading:
    name = request.parameters["room"]
    room = "" if name == DIRECT else _room(name, person)
    after = request.query.get("after")
    if after is not None and not CURSOR.fullmatch(after):
        raise _malformed("`after` is not a cursor of this conversation.")
    key = _place(person, room, app)
    return Reading(person.id, conversation=key, after=None if after is None else int(after), wait=wait)


def _place(person: Person, room: str, app: App) -> str:
    place = Conversation(platform=app.platform, app=app.name, room_id=persons.room_id(room), user_id=person.id)
    return place.key


def _connecting(request: Request, app: App, person: Person, now: float) -> Accepted:
    """A handshake, or a request for a ticket. Raises _Refused."""
    config: Config = app.config
    if not config.sockets:
        raise _Refused(Rejected(403, "not_allowed", "`sockets` is not true"), "The app has no sockets.")
    until = min(person.until, int(now) + _LONGEST)
    client = Client(
        platform=app.platform, app=app.name, person=person.id, name=person.name, rooms=person.rooms, until=until
    )
    return Accepted(client=client, limits=persons.limits(person, app))


def _of_message(request: Request, app: App, person: Person, wait: float) -> Reading:
    id_ = request.parameters.get("id", "")
    if not ID.fullmatch(id_) or not id_.startswith(person.mark):
        raise _Refused(Rejected(404, "not_found", "no message of this person"), "You have sent no such message.")
    return Reading(person.id, message=_made(app, person, id_, 0), wait=wait)


def _wait(request: Request) -> float:
    """The seconds of the parameter `wait`. Raises _Refused."""
    found = request.query.get("wait", "0")
    if not _WAIT.fullmatch(found) or int(found) > MAX_WAIT:
        raise _malformed(f"`wait` is not a number of seconds from 0 to {MAX_WAIT:g}.")
    return float(found)


def _room(name: str, person: Person) -> str:
    """`name` if the person may use the room. Raises _Refused."""
    if not ROOM.fullmatch(name) or name not in person.rooms:
        raise _Refused(
            Rejected(403, "not_allowed", "the claim rooms lacks the room"), "The token does not name this room."
        )
    return name


def _malformed(detail: str) -> _Refused:
    return _Refused(Rejected(400, "malformed", detail), detail)


# --- messages ---------------------------------------------------------------------------------------------------------


def _posted(request: Request) -> Posted:
    """The body of a POST. Raises _Refused."""
    try:
        return posted_in(request.body)
    except ValueError as error:
        raise _malformed(str(error)) from error


def _message(request: Request, app: App, person: Person, now: float, posted: Posted) -> Message:
    """The message of a POST. Raises _Refused."""
    key = _key(request)
    room = _room(posted.room, person) if posted.room else ""
    if any(not attached.id.startswith(person.mark) for attached in posted.media):
        raise _Refused(Rejected(403, "not_allowed", "media of another person"), "You have not uploaded these media.")
    return _made(app, person, persons.message_id(person, room, key), int(now), posted, decode_json(request.body))


def _key(request: Request) -> str:
    """The idempotency key. Raises _Refused."""
    key = request.headers.get("Idempotency-Key", "")
    if not KEY.fullmatch(key):
        raise _malformed("The header Idempotency-Key is missing: 1 to 255 characters, new for each message.")
    return key


def _made(
    app: App, person: Person, id_: str, timestamp: int, posted: Posted | None = None, raw: object = None
) -> Message:
    posted = posted or Posted()
    press, attached = posted.action, tuple(map(media.segment_of, posted.media))
    return Message(
        id=id_,
        platform=app.platform,
        app=app.name,
        kind="message" if press is None else "action",
        sender=Sender(id=person.id, name=person.name),
        content=Content(text=posted.text, attachments=attached),
        timestamp=timestamp,
        context=Context(
            room_id=persons.room_id(posted.room),
            thread_id=posted.thread,
            private=not posted.room,
            locale=posted.locale,
        ),
        segments=((Text(text=posted.text),) if posted.text else ()) + attached,
        reply_to=posted.reply_to,
        action=_action(press) if press is not None else None,
        raw=raw,
    )


def _action(press: Press) -> Action:
    return Action(id=press.id, value=press.value, message_id=press.message_id, form=press.form, options=press.options)


# --- responses --------------------------------------------------------------------------------------------------------


def _json(status: int, document: object, request: Request, app: App, headers: dict[str, str] | None = None) -> Response:
    return shared(Response(status, msgspec.json.encode(document), headers=headers or {}), request, app)


def _location(id_: str) -> dict[str, str]:
    """Relative to the address of the POST, which has a stage or a custom domain before it."""
    return {"Location": f"messages/{id_}"}


def shared(response: Response, request: Request, app: App) -> Response:
    """`response`, which a page of the configured origins may read, and which no cache keeps."""
    return msgspec.structs.replace(
        response, headers={**response.headers, "Cache-Control": "no-store", **_cors(request, app)}
    )


def _cors(request: Request, app: App) -> dict[str, str]:
    config: Config = app.config
    origin = request.headers.get("Origin", "")
    if not config.origins:
        return {}
    if "*" in config.origins:
        return {"Access-Control-Allow-Origin": "*", **_EXPOSED}
    allowed = {"Access-Control-Allow-Origin": origin, **_EXPOSED} if origin in config.origins else {}
    return {"Vary": "Origin", **allowed}
