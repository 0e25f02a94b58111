"""The control API: what tests, the demo and the page ask of the playground. JSON in, JSON out."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from playground import sample
from playground.platforms.base import NewMessage, Platform, Press, Unknown
from playground.platforms.faults import Fault
from playground.platforms.model import Attempt, Delivery
from playground.shown import message_shown, platform_shown
from playground.stack import StackUnavailable
from playground.trace import journal, trace_of
from playground.world import World

MOST_REPEATS = 100
_MOST_BYTES = 32 * 1024 * 1024


class BadRequest(Exception):
    """The request cannot be understood; the text says why."""


class Control:
    """The endpoints, over one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[Route]:
        """Everything under `/api`, and `/healthz`."""
        return [
            Route("/healthz", self.health),
            Route("/api/stream", self.stream),
            Route("/api/rooms", _safe(self.rooms)),
            Route("/api/messages", _safe(self.messages)),
            Route("/api/commands", _safe(self.commands)),
            Route("/api/calls", _safe(self.calls)),
            Route("/api/journal/{message_id}", _safe(self.journal)),
            Route("/api/trace/{message_id}", _safe(self.trace)),
            Route("/api/media/{platform}/{key}", _safe(self.media)),
            Route("/api/messages", _safe(self.send_message), methods=["POST"]),
            Route("/api/press", _safe(self.press), methods=["POST"]),
            Route("/api/events", _safe(self.emit_event), methods=["POST"]),
            Route("/api/challenge", _safe(self.challenge), methods=["POST"]),
            Route("/api/deliver", _safe(self.deliver), methods=["POST"]),
            Route("/api/faults", _safe(self.faults), methods=["GET", "POST", "DELETE"]),
        ]

    async def health(self, _request: Request) -> Response:
        """200 while the playground answers; says how the stack is."""
        return JSONResponse({"ok": True, "stack": await run_in_threadpool(self.world.stack.status)})

    async def stream(self, _request: Request) -> Response:
        """Live updates as server-sent events."""
        return StreamingResponse(
            self.world.hub.subscribe(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    # --- looking ------------------------------------------------------------------------------------------------------

    async def rooms(self, _request: Request) -> Any:
        """Platforms with their apps, persons and rooms, and how the stack is."""

        def look() -> Any:
            return {
                "platforms": [
                    platform_shown(platform, {app: self._callback(platform, app) for app in platform.app_names()})
                    for platform in self.world.platforms.values()
                ],
                "stack": self.world.stack.status(),
            }

        return await run_in_threadpool(look)

    def _callback(self, platform: Platform, app: str) -> str:
        try:
            return self.world.stack.callback_url(platform.name, app)
        except StackUnavailable:
            return ""

    async def messages(self, request: Request) -> Any:
        """Messages of a platform, oldest first: of one room, or of all."""
        platform = self.world.platform(request.query_params.get("platform"))
        wanted = request.query_params.get("room", "")
        with platform.lock:
            rooms = {id_ for id_, room in platform.rooms.items() if wanted in ("", id_, room.slug)}
            if wanted and not rooms:
                raise Unknown(f"{platform.name} has no room {wanted!r}")
            found = [message for message in platform.messages.values() if message.room in rooms]
            return {"messages": [message_shown(platform, message) for message in found]}

    async def commands(self, request: Request) -> Any:
        """The bot's commands, as the platform knows them: `?platform&app`."""
        platform = self.world.platform(request.query_params.get("platform"))
        return await run_in_threadpool(platform.commands, request.query_params.get("app", ""))

    async def calls(self, request: Request) -> Any:
        """Every API call that the imitation received, in order."""
        wanted = request.query_params.get("platform")
        platforms = [self.world.platform(wanted)] if wanted else list(self.world.platforms.values())
        return [call.shown() for platform in platforms for call in list(platform.calls)]

    async def journal(self, request: Request) -> Any:
        """States and replies of one message."""
        return await run_in_threadpool(journal, self.world, request.path_params["message_id"])

    async def trace(self, request: Request) -> Any:
        """The trace of one message."""
        return await run_in_threadpool(trace_of, self.world, request.path_params["message_id"])

    async def media(self, request: Request) -> Response:
        """A picture or file of a message. Only pictures are shown; anything else is downloaded."""
        mime, data = self.world.platform(request.path_params["platform"]).media(request.path_params["key"])
        shown = {} if mime.startswith("image/") else {"Content-Disposition": "attachment"}
        return Response(data, media_type=mime, headers={"Cache-Control": "private, max-age=3600", **shown})

    # --- acting -------------------------------------------------------------------------------------------------------

    async def send_message(self, request: Request) -> Any:
        """A person sends a message: `{platform, app, room, sender, text}` -> `{message_id, room, notified}`."""
        body = await _body(request)
        platform = self.world.platform(body.get("platform"))
        said = NewMessage(
            text=_string(body, "text"),
            mention=_optional(body, "mention", bool),
            reply_to=_string(body, "reply_to"),
            thread=body.get("thread") or "",
            image=_image(body.get("image")),
            file=_file(body.get("file")),
            native=_native(body.get("native")),
            deliver=body.get("deliver") is not False,
        )
        if not (said.text or said.image or said.file or said.native):
            raise BadRequest("the message is empty: give text, image, file or native")
        sender = _string(body, "sender") or next(iter(platform.persons))
        message = await run_in_threadpool(
            platform.send_message, await self._app(platform, body), _string(body, "room"), sender, said
        )
        notified = message.id in platform.delivery_ids
        return {"message_id": message.id, "room": message.room, "notified": notified}

    async def press(self, request: Request) -> Any:
        """A person presses a button: `{platform, app, message_id, button, sender}` -> `{message_id}` of the press."""
        body = await _body(request)
        platform = self.world.platform(body.get("platform"))
        pressed = Press(
            button=_string(body, "button"),
            form=_optional(body, "form", dict) or {},
            options=tuple(map(str, body.get("options") or ())),
        )
        sender = _string(body, "sender") or next(iter(platform.persons))
        app = await self._app(platform, body)
        delivery = await run_in_threadpool(platform.press, app, _string(body, "message_id"), sender, pressed)
        if body.get("wait") is not False:
            await self.world.courier.ended(delivery, delivery.deadline + 1)
        return {"message_id": delivery.journal_id, "event_id": delivery.id, **delivery.shown()}

    async def emit_event(self, request: Request) -> Any:
        """An event: `{platform, app, kind, ...}` -> `{event_id}`, null if the platform sends no event. With `wait`,
        also the result of its delivery."""
        body = await _body(request)
        platform = self.world.platform(body.get("platform"))
        delivery = await run_in_threadpool(
            platform.emit_event, await self._app(platform, body), _string(body, "kind"), body
        )
        if delivery is None:
            return {"event_id": None, "message_id": None}
        ids = {"event_id": delivery.id, "message_id": delivery.journal_id}
        if not body.get("wait"):
            return ids
        await self.world.courier.ended(delivery, delivery.deadline + 1)
        return delivery.shown() | ids

    async def challenge(self, request: Request) -> Any:
        """Verify the callback URL as the platform's console does: `{platform, app}` -> `{ok, attempts}`."""
        body = await _body(request)
        platform = self.world.platform(body.get("platform"))
        delivery = await run_in_threadpool(platform.challenge, await self._app(platform, body))
        await self.world.courier.ended(delivery, delivery.deadline + 1)
        return {"ok": delivery.state == "delivered", **delivery.shown()}

    async def deliver(self, request: Request) -> Any:
        """Deliver an event again: `{message_id, times, forge}` -> the status of each attempt."""
        body = await _body(request)
        platform, _, delivery = self.world.find(_string(body, "message_id"))
        if delivery is None:
            raise Unknown("that message was never delivered to the bot")
        times = body.get("times", 1)
        if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= MOST_REPEATS:
            raise BadRequest(f"times must be a whole number from 1 to {MOST_REPEATS}, not {times!r}")
        forged = _string(body, "forge")
        attempts = [await self._again(platform, delivery, forged) for _ in range(times)]
        return {"event_id": delivery.id, "attempts": [attempt.shown() for attempt in attempts]}

    async def _again(self, platform: Platform, delivery: Delivery, forged: str) -> Attempt:
        wire = platform.forge(delivery, forged) if forged else delivery.wire
        return await self.world.courier.again(platform, delivery, wire, forged)

    async def faults(self, request: Request) -> Any:
        """GET lists, POST `{platform, kind, times | rate + seed}` adds, DELETE removes them all."""
        if request.method == "POST":
            body = await _body(request)
            platform = self.world.platform(body.get("platform"))
            try:
                fault = Fault.of(body)
            except ValueError as error:
                raise BadRequest(str(error)) from error
            with platform.lock:
                platform.faults.add(fault)
        wanted = request.query_params.get("platform")
        chosen = [self.world.platform(wanted)] if wanted else list(self.world.platforms.values())
        if request.method == "DELETE":
            for platform in chosen:
                with platform.lock:
                    platform.faults.clear()
        return {"faults": [{"platform": p.name, **shown} for p in chosen for shown in p.faults.shown()]}

    async def _app(self, platform: Platform, body: Mapping[str, Any]) -> str:
        """The app that is meant: the one named, or the only one."""
        named = _string(body, "app")
        if named:
            return named
        if not platform.app_names():
            await run_in_threadpool(self.world.refresh)
        if not platform.app_names():
            raise StackUnavailable("there is no app yet: the stack is not up")
        return platform.app_names()[0]


Endpoint = Callable[[Request], Awaitable[Any]]


def _safe(endpoint: Endpoint) -> Endpoint:
    """`endpoint` with its values and its errors as JSON."""

    async def answer(request: Request) -> Response:
        try:
            value = await endpoint(request)
        except BadRequest as error:
            return JSONResponse({"error": str(error)}, 400)
        except Unknown as error:
            return JSONResponse({"error": str(error)}, 404)
        except StackUnavailable as error:
            return JSONResponse({"error": str(error)}, 503)
        if isinstance(value, Response):
            return value
        return JSONResponse(value, headers={"Cache-Control": "no-store"})

    return answer


async def _body(request: Request) -> dict[str, Any]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise BadRequest("the body must be JSON, with Content-Type: application/json")
    size = request.headers.get("content-length", "")
    if size.isdigit() and int(size) > _MOST_BYTES:
        raise BadRequest(f"the body is beyond {_MOST_BYTES} bytes")
    try:
        value = await request.json()
    except ValueError as error:
        raise BadRequest(f"the body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadRequest("the body must be a JSON object")
    return value


def _string(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequest(f"{name} must be a string, not {value!r}")
    return value


def _optional(body: Mapping[str, Any], name: str, kind: type) -> Any:
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        raise BadRequest(f"{name} must be of type {kind.__name__}, not {value!r}")
    return value


def _image(value: Any) -> bytes:
    """True: a sample picture; a string: Base64."""
    if not value:
        return b""
    return sample.picture() if value is True else _base64(value, "image")


def _file(value: Any) -> tuple[str, bytes] | None:
    if not value:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise BadRequest("file must be {name, data}, data in Base64")
    return value["name"], _base64(value.get("data"), "file.data")


def _native(value: Any) -> tuple[str, Any] | None:
    if not value:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("type"), str) or "content" not in value:
        raise BadRequest("native must be {type, content}")
    return value["type"], value["content"]


def _base64(value: Any, name: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadRequest(f"{name} must be Base64") from error
