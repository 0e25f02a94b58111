"""A client of the HTTP channel without a webhook: it reads each conversation on from its cursor."""

import json
from collections.abc import Mapping
from typing import Any

from playground.platforms.http import Http, wire
from playground.platforms.http.routes import show_read
from playground.platforms.model import Attempt, Delivery, Room, Wire

_DIRECT = "me"
_DEADLINE = 29.0
_FIRST, _LAST = 2.0, 20.0
"""Seconds between two looks: they grow while there is nothing new."""
_QUIET = 20.0
"""Seconds without a new reply after which the client looks no more, until somebody writes or opens it again."""


class PollingHttp(Http):
    """The client. It shows all that it reads, so a reply that the API repeats is seen twice."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.polls: dict[str, Delivery] = {}
        """By the app, the room, and the person of a direct chat."""

    def enqueue(self, delivery: Delivery) -> Delivery:
        """Somebody writes, and looks for replies."""
        found = super().enqueue(delivery)
        for app in self.accounts:  # one app can send where people write to another one
            poll = self._poll(app, self.rooms[delivery.room], delivery.result["sender"])
            self._look(self.polls.setdefault(poll.id, poll))
        return found

    def resume(self) -> None:
        """Somebody opens the client again, which looks in every conversation."""
        for poll in self.polls.values():
            if not poll.result["looks"]:
                self._look(poll)

    def record_attempt(
        self, delivery: Delivery, attempt: Attempt, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> float | None:
        """Show what a look has found. Returns the seconds until the next one."""
        if delivery.id not in self.polls:
            return super().record_attempt(delivery, attempt, headers, body)
        with self.lock:
            state, now = delivery.result, self.clock()
            page = json.loads(body) if attempt.status == 200 else {"replies": [], "cursor": state["cursor"]}
            for reply in page["replies"]:
                show_read(self, delivery.app, reply)
            state["cursor"] = page["cursor"]
            if page["replies"]:
                state["news"], state["pause"] = now, _FIRST
            pause = state["pause"]
            state["pause"] = min(_LAST, pause * 2)
            delivery.wire = self._wire(delivery)
            state["looks"] = attempt.status != 200 or now <= state["news"] + _QUIET
            return pause if state["looks"] else None

    def _poll(self, app: str, place: Room, person: str) -> Delivery:
        """The looks of a person at a conversation: of the first one who writes in a room."""
        room = place.id if place.kind == "group" else _DIRECT
        id_ = f"poll-{app}-{room}" + (f"-{person}" if room == _DIRECT else "")
        poll = Delivery(id_, self.name, app, "event", Wire(), b"", self.clock(), id_)
        poll.deadline, poll.parameters = _DEADLINE, {"room": room}
        poll.result = {"person": person, "cursor": "0", "looks": False}
        return poll

    def _look(self, poll: Delivery) -> None:
        """Look soon, and again and again."""
        poll.result["news"], poll.result["pause"] = self.clock(), _FIRST
        if not poll.result["looks"]:
            poll.result["looks"], poll.wire = True, self._wire(poll)
            self.outbox.append(poll)

    def _wire(self, poll: Delivery) -> Wire:
        """The next request, with a new token."""
        account, person = self.account(poll.app), self.person(poll.result["person"])
        bearer = self._token(account, person, self.clock() + poll.result["pause"])
        return Wire("GET", {"after": poll.result["cursor"]}, {wire.AUTHORIZATION: f"Bearer {bearer}"})
