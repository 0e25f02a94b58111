"""The control API of the playground: for the page, the demo and tests. JSON requests and JSON responses."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from playground.charts_source import Charts
from playground.control_input import BadRequestError, json_object, new_message, press, string, whole_number
from playground.conversation import conversation_of
from playground.logs import lines
from playground.platforms.base import NotFoundError, Platform
from playground.platforms.faults import Fault
from playground.platforms.model import Attempt, Delivery
from playground.room_outcomes import Outcomes
from playground.stack import StackUnavailableError
from playground.trace import journal, trace_of
from playground.views import message_view, platform_view
from playground.world import World

MAX_REDELIVERIES = 100
RECENT_SECONDS = 900
"""How far back `/api/logs` reads by default."""


class Control:
    """The endpoints, for one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._outcomes = Outcomes(world)
        self._charts = Charts(world.stack)

    def routes(self) -> list[Route]:
        """The routes under `/api`, and `/healthz`."""
        return [
            Route("/healthz", self.health),
            Route("/api/stream", self.stream),
            Route("/api/rooms", _json(self.rooms)),
            Route("/api/messages", _json(self.messages)),
            Route("/api/commands", _json(self.commands)),
            Route("/api/calls", _json(self.calls)),
            Route("/api/outcomes", _json(self.outcomes)),
            Route("/api/state", _json(self.state)),
            Route("/api/logs", _json(self.logs)),
            Route("/api/charts", _json(self.charts)),
            Route("/api/journal/{message_id}", _json(self.journal)),
            Route("/api/trace/{message_id}", _json(self.trace)),
            Route("/api/media/{platform}/{key}", _json(self.media)),
            Route("/api/messages", _json(self.send_message), methods=["POST"]),
            Route("/api/say", _json(self.send_message), methods=["POST"]),  # the first name, which scripts use
            Route("/api/press", _json(self.press), methods=["POST"]),
            Route("/api/events", _json(self.emit_event), methods=["POST"]),
            Route("/api/challenge", _json(self.challenge), methods=["POST"]),
            Route("/api/deliver", _json(self.deliver), methods=["POST"]),
            Route("/api/permissions", _json(self.permissions), methods=["POST"]),
            Route("/api/faults", _json(self.faults), methods=["GET", "POST", "DELETE"]),
        ]

    async def health(self, _request: Request) -> Response:
        """200 while the playground runs, with the state of the stack."""
        return JSONResponse({"ok": True, "stack": await run_in_threadpool(self.world.stack.status)})

    async def stream(self, _request: Request) -> Response:
        """Live updates as server-sent events."""
        return StreamingResponse(
            self.world.hub.subscribe(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    # --- reading ------------------------------------------------------------------------------------------------------

    async def rooms(self, _request: Request) -> Any:
        """Platforms with their apps, persons and rooms, and the state of the stack."""

        def read() -> Any:
            return {
                "platforms": [
                    platform_view(platform, {app: self._callback(platform, app) for app in platform.app_names()})
                    for platform in self.world.platforms.values()
                ],
                "stack": self.world.stack.status(),
            }

        return await run_in_threadpool(read)

    def _callback(self, platform: Platform, app: str) -> str:
        try:
            return self.world.stack.callback_url(platform.name, app)
        except StackUnavailableError:
            return ""

    async def messages(self, request: Request) -> Any:
        """Messages of a platform, oldest first: of one room, or of all."""
        platform = self.world.platform(request.query_params.get("platform"))
        wanted = request.query_params.get("room", "")
        with platform.lock:
            rooms = {id_ for id_, room in platform.rooms.items() if wanted in ("", id_, room.slug)}
            if wanted and not rooms:
                raise NotFoundError(f"{platform.name} has no room {wanted!r}")
            found = [message for message in platform.messages.values() if message.room in rooms]
            return {"messages": [message_view(platform, message) for message in found]}

    async def commands(self, request: Request) -> Any:
        """The commands of the bot, as the platform has them registered; `?platform&app`. A platform that registers no
        commands has those of the bot's code, which persons write as text."""
        platform = self.world.platform(request.query_params.get("platform"))
        if "commands" in platform.features:
            return await run_in_threadpool(platform.commands, request.query_params.get("app", ""))
        return [command for command in await run_in_threadpool(self.world.stack.commands) if not command.get("menu")]

    async def outcomes(self, request: Request) -> Any:
        """Whether the newest messages of persons in a room got an answer, and why not: `?platform&room`."""
        platform = self.world.platform(request.query_params.get("platform"))
        room = request.query_params.get("room", "")
        return {"outcomes": await run_in_threadpool(self._outcomes.of_room, platform, room)}

    async def state(self, request: Request) -> Any:
        """The bot's state of a conversation, and its deferred replies: `?platform&app&room`."""
        query = request.query_params
        platform = self.world.platform(query.get("platform"))
        app, room = query.get("app", ""), query.get("room", "")
        return await run_in_threadpool(conversation_of, self.world, platform, app, room)

    async def logs(self, request: Request) -> Any:
        """The logs of the functions since a time in unix seconds: `?since`, and `function` once for each wanted one."""
        query = request.query_params
        try:
            since = float(query.get("since") or time.time() - RECENT_SECONDS)
        except ValueError as error:
            raise BadRequestError("since must be a number: unix seconds") from error
        names = list(self.world.stack.describe().get("log_groups", {}))
        found = await run_in_threadpool(lines, self.world.stack, since, query.getlist("function"))
        return {"functions": names, "lines": found}

    async def charts(self, _request: Request) -> Any:
        """The charts of the last minutes: latency, throughput, queues, and outcomes by platform."""
        return await run_in_threadpool(self._charts.now)

    async def calls(self, request: Request) -> Any:
        """Every API call that the platform received, oldest first."""
        return [call.to_json() for platform in self._platforms(request) for call in list(platform.calls)]

    async def journal(self, request: Request) -> Any:
        """States and replies of one message."""
        return await run_in_threadpool(journal, self.world, request.path_params["message_id"])

    async def trace(self, request: Request) -> Any:
        """The trace of one message."""
        return await run_in_threadpool(trace_of, self.world, request.path_params["message_id"])

    async def media(self, request: Request) -> Response:
        """An image or a file of a message. Browsers show images and download all other types."""
        mime, data = self.world.platform(request.path_params["platform"]).media(request.path_params["key"])
        disposition = {} if mime.startswith("image/") else {"Content-Disposition": "attachment"}
        return Response(data, media_type=mime, headers={"Cache-Control": "private, max-age=3600", **disposition})

    # --- acting -------------------------------------------------------------------------------------------------------

    async def send_message(self, request: Request) -> Any:
        """A person writes: `{platform, app, room, sender, text}` -> `{message_id, room, notified}`."""
        body = await json_object(request)
        platform, app = await self._app(body)
        sent = await run_in_threadpool(
            platform.send_message, app, string(body, "room"), _sender(platform, body), new_message(body)
        )
        return {"message_id": sent.id, "room": sent.room, "notified": sent.id in platform.delivery_ids}

    async def press(self, request: Request) -> Any:
        """A person presses a button: `{platform, app, message_id, button, sender}` -> `{message_id}` of the press."""
        body = await json_object(request)
        platform, app = await self._app(body)
        delivery = await run_in_threadpool(
            platform.press, app, string(body, "message_id"), _sender(platform, body), press(body)
        )
        if body.get("wait") is not False:
            await self.world.webhooks.wait_until_finished(delivery)
        return {"message_id": delivery.journal_id, "event_id": delivery.id, **delivery.to_json()}

    async def emit_event(self, request: Request) -> Any:
        """An event: `{platform, app, kind, ...}` -> `{event_id}`, null if the platform sends no event. With `wait`,
        also the result of its delivery."""
        body = await json_object(request)
        platform, app = await self._app(body)
        delivery = await run_in_threadpool(platform.emit_event, app, string(body, "kind"), body)
        if delivery is None:
            return {"event_id": None, "message_id": None}
        ids = {"event_id": delivery.id, "message_id": delivery.journal_id}
        if not body.get("wait"):
            return ids
        await self.world.webhooks.wait_until_finished(delivery)
        return delivery.to_json() | ids

    async def challenge(self, request: Request) -> Any:
        """Verify the callback URL as the platform's console does: `{platform, app}` -> `{ok, attempts}`."""
        platform, app = await self._app(await json_object(request))
        delivery = await run_in_threadpool(platform.challenge, app)
        await self.world.webhooks.wait_until_finished(delivery)
        return {"ok": delivery.state == "delivered", **delivery.to_json()}

    async def deliver(self, request: Request) -> Any:
        """Deliver an event again: `{message_id, times, forge}` -> the status of each attempt."""
        body = await json_object(request)
        platform, _, delivery = self.world.find(string(body, "message_id"))
        if delivery is None:
            raise NotFoundError("that message was never delivered to the bot")
        times, forged = whole_number(body, "times", 1, MAX_REDELIVERIES), string(body, "forge")
        attempts = [await self._redeliver(platform, delivery, forged) for _ in range(times)]
        return {"event_id": delivery.id, "attempts": [attempt.to_json() for attempt in attempts]}

    async def _redeliver(self, platform: Platform, delivery: Delivery, forged: str) -> Attempt:
        wire = platform.forge(delivery, forged) if forged else delivery.wire
        return await self.world.webhooks.redeliver(platform, delivery, wire, forged)

    async def permissions(self, request: Request) -> Any:
        """Give an app a permission of the platform, or take it away: `{platform, app, all_messages}` -> the same."""
        body = await json_object(request)
        platform, app = await self._app(body)
        if not isinstance(permitted := body.get("all_messages"), bool):
            raise BadRequestError("all_messages must be true or false")
        await run_in_threadpool(platform.permit_all_messages, app, permitted=permitted)
        return {"platform": platform.name, "app": app, "all_messages": permitted}

    async def faults(self, request: Request) -> Any:
        """GET lists the faults, POST `{platform, kind, times | rate + seed}` adds one, DELETE removes all."""
        if request.method == "POST":
            body = await json_object(request)
            platform = self.world.platform(body.get("platform"))
            try:
                fault = Fault.of(body)
            except ValueError as error:
                raise BadRequestError(str(error)) from error
            with platform.lock:
                platform.faults.add(fault)
        platforms = self._platforms(request)
        if request.method == "DELETE":
            for platform in platforms:
                with platform.lock:
                    platform.faults.clear()
        return {"faults": [{"platform": p.name, **fault} for p in platforms for fault in p.faults.to_json()]}

    def _platforms(self, request: Request) -> list[Platform]:
        """The platform of the query; all platforms if it names none."""
        wanted = request.query_params.get("platform")
        return [self.world.platform(wanted)] if wanted else list(self.world.platforms.values())

    async def _app(self, body: Mapping[str, Any]) -> tuple[Platform, str]:
        """The platform and app of a body; without `app`, the first app."""
        platform = self.world.platform(body.get("platform"))
        if app := string(body, "app"):
            return platform, app
        if not platform.app_names():
            await run_in_threadpool(self.world.refresh)
        if not platform.app_names():
            raise StackUnavailableError("there is no app yet: the stack is not up")
        return platform, platform.app_names()[0]


def _sender(platform: Platform, body: Mapping[str, Any]) -> str:
    """The sender of a body; without `sender`, the first person."""
    return string(body, "sender") or next(iter(platform.persons))


Endpoint = Callable[[Request], Awaitable[Any]]


def _json(endpoint: Endpoint) -> Endpoint:
    """`endpoint` with its value and its errors as JSON responses."""

    async def respond(request: Request) -> Response:
        try:
            value = await endpoint(request)
        except BadRequestError as error:
            return JSONResponse({"error": str(error)}, 400)
        except NotFoundError as error:
            return JSONResponse({"error": str(error)}, 404)
        except StackUnavailableError as error:
            return JSONResponse({"error": str(error)}, 503)
        if isinstance(value, Response):
            return value
        return JSONResponse(value, headers={"Cache-Control": "no-store"})

    return respond
