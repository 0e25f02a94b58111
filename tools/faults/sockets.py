"""The clients of a platform that are connected by WebSocket, and their calls of its functions."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from parley.engine.aws import AwsError
from playground.platforms.base import Platform
from playground.platforms.http import Http
from playground.platforms.model import Delivery
from tools.faults.aws import Aws
from tools.faults.gateway import Gateway
from tools.faults.injector import Execution
from tools.faults.policies import Crash, Fault
from tools.faults.processes import Processes
from tools.faults.socket_client import Client

RESPONSE = "Response"
"""The injector's name for the end of a call of the function."""


class Clients:
    """The clients of all people of a platform: one for each app, place and person."""

    def __init__(self, platform: Platform[Any], gateway: Gateway, processes: Processes, aws: Aws) -> None:
        if not isinstance(platform, Http):
            raise TypeError(f"{platform.name} has no client that is connected")
        self.platform = platform
        self.gateway, self.processes, self.aws = gateway, processes, aws
        self.clock = gateway.scheduler.clock
        self._clients: dict[tuple[str, str, str], Client] = {}
        self._shown_by: dict[tuple[str, str], str] = {}
        """Whose client shows what comes in a room: the first one's there."""

    def send(self, delivery: Delivery) -> None:
        """Send a message, or send it once more."""
        place, person = self.platform.rooms[delivery.room], delivery.result["sender"]
        for app in self.platform.accounts:  # one app can send where people write to another one
            room = place.id if place.kind == "group" else ""
            shows = self._shown_by.setdefault((app, room or person), person) == person
            client = self._clients.setdefault(
                (app, room, person), Client(self, app, room, person, shows=shows, is_used=app == delivery.app)
            )
            client.begin()
            if app == delivery.app:
                client.send(delivery)

    def resume(self) -> None:
        """Somebody looks at each client, which makes sure that its connection is alive."""
        for client in self._clients.values():
            client.check()

    def invoke(self, event: Mapping[str, Any]) -> int:
        """Call the function of sockets. Returns the status of its result; 0 if the connection is lost meanwhile."""
        return self.answer(self._connections, event)[0]

    def request(self, event: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Make a request to the REST API."""
        is_ticket = event.get("resource") == "tickets"
        return self.answer(self._connections if is_ticket else self._callback, {"requestContext": {}, **event})

    def answer(
        self, function: Callable[[Mapping[str, Any]], dict[str, Any]], event: Mapping[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        """The status of the answer, and its document."""
        injector = self.processes.injector
        answer, fault = {"statusCode": 502, "body": ""}, None
        with injector.executing(Execution("socket")):
            try:
                answer = function(event)
                fault = injector.before(RESPONSE)
                if fault is not None:
                    injector.after(fault)
            except AwsError:
                pass  # Lambda reports an error, and API Gateway HTTP 502
            except Crash:
                self.processes.restart()
                return 502, {}
        if fault is not None:
            return (502 if fault is Fault.ERROR else 0), {}
        return answer["statusCode"], json.loads(answer.get("body") or "{}")

    def _connections(self, event: Mapping[str, Any]) -> dict[str, Any]:
        return self.processes.current.connections[self.platform.name](event, None)

    def _callback(self, event: Mapping[str, Any]) -> dict[str, Any]:
        return self.processes.current.callbacks[self.platform.name](event, None)
