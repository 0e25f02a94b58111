"""The cases that every platform has: conversations of people, and attacks on the callback URL."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playground.platforms.model import Wire
from tools.demo.case import Case, Outcome
from tools.demo.client import CallbackResponse, PlatformClient, SentMessage

DAY = 86_400
MEBIBYTE = 1_048_576


class CommonCases(ABC):
    """The cases of one platform. The genuine callback that an attack starts from is signed by independent code."""

    @abstractmethod
    def open(self, client: PlatformClient, text: str, **more: Any) -> SentMessage:
        """Have somebody send `text` in a new conversation."""

    @abstractmethod
    def genuine(self, client: PlatformClient, where: SentMessage, age: float = 0) -> Wire:
        """A genuine callback, `age` seconds old, for a message that nobody has sent."""

    @abstractmethod
    def resealed(self, client: PlatformClient, genuine: Wire, body: bytes) -> Wire:
        """`genuine` with another body. If the platform's signature covers the body, the new signature is valid."""

    @abstractmethod
    def missigned(self, genuine: Wire) -> Wire:
        """`genuine` with one digit of its signature changed."""

    # --- people write, through the simulated platform ---

    def challenge(self, client: PlatformClient) -> Outcome:
        """The platform's console checks the callback URL."""
        done = client.post("/api/challenge", app=client.app)
        (attempt,) = done["attempts"]
        return Outcome(f"{attempt['status']}, " + ("accepted" if done["ok"] else "not accepted"), attempt["ms"] / 1000)

    def text(self, client: PlatformClient) -> Outcome:
        """A direct message."""
        return reply_to(client, client.send("private", "/echo 你好, Parley"))

    def image(self, client: PlatformClient) -> Outcome:
        """A picture in a direct message."""
        return reply_to(client, client.send("private", image=True))

    def in_thread(self, client: PlatformClient) -> Outcome:
        """A message to the bot in a thread of a group. The reply must be in the same thread."""
        sent = client.send(client.group(), "/echo in here", mention=True, thread=True)
        (reply, *_) = client.replies(sent.room)
        where = "in the thread" if reply["thread"] and reply["thread"] == sent.thread else "outside the thread"
        return Outcome(f"{reply['text']!r} {where}", reply["at"] - sent.at)

    def card_and_button(self, client: PlatformClient) -> Outcome:
        """A card with two buttons, and a press of the second one."""
        sent = self.open(client, "/card")
        (card, *_) = client.replies(sent.room)
        press = client.post("/api/press", app=client.app, message_id=card["id"], button="coffee", sender=sent.sender)
        reply = client.replies(sent.room, 2)[1]
        return Outcome(
            f"{card['type']}, {press['attempts'][0]['status']}, {reply['text']!r}", reply["at"] - press["at"]
        )

    def three_times(self, client: PlatformClient) -> Outcome:
        """The same callback three times. The bot counts, so the next number shows whether it ran once."""
        sent = self.open(client, "/count")
        first = client.replies(sent.room)[0]
        repeated = client.post("/api/deliver", message_id=sent.id, times=2)["attempts"]
        client.send_next(sent, "/count")
        numbers = " then ".join(reply["text"] for reply in client.replies(sent.room, 2))
        statuses = " ".join(str(attempt["status"]) for attempt in repeated)
        return Outcome(f"{statuses}; replies {numbers}", first["at"] - sent.at)

    def lost_response(self, client: PlatformClient, path: str) -> Outcome:
        """The platform carries out a call to `path`, and its response gets lost. The reply must be there once."""
        with fault(client, "drop_response", path=path):
            sent = self.open(client, "/echo once")
            reply = client.replies(sent.room)[0]
            (final,) = client.wait(
                lambda: client.get(f"/api/journal/{sent.id}")["replies"],
                lambda replies: bool(replies) and replies[0]["state"] in ("SENT", "FAILED", "UNKNOWN"),
                lambda replies: f"{len(replies)} replies in the journal",
            )
        # By the text: Discord does not carry out the first call if it comes before the response to the callback.
        found = [call for call in client.calls() if call["at"] >= sent.at and path in call["path"]]
        calls = sum("once" in str(call["body"]) and call["status"] < 400 for call in found)
        client.send_next(sent, "/echo after")
        texts = ", ".join(reply["text"] for reply in client.replies(sent.room, 2))
        return Outcome(
            f"{final['state']} after {calls} {'call' if calls == 1 else 'calls'}: {texts}", reply["at"] - sent.at
        )

    # --- attackers send requests to the callback URL ---

    def attacks(self) -> tuple[Case, ...]:
        """The attacks that every platform refuses."""
        return (
            Case("forged signature", "401 forged, no reply", self.forged),
            Case("signed a day ago", "401 stale, no reply", self.day_old),
            Case("truncated body", "400 malformed, no reply", self.truncated),
            Case("body of 1 MiB", "413 too_large, no reply", self.one_mebibyte),
            Case("unknown app", "404 unknown_app, no reply", self.unknown_app),
        )

    def forged(self, client: PlatformClient) -> Outcome:
        """One digit of the signature is wrong."""
        return self.refused(client, lambda where: self.missigned(self.genuine(client, where)))

    def day_old(self, client: PlatformClient) -> Outcome:
        """A genuine callback of yesterday, with a valid signature of yesterday's time."""
        return self.refused(client, lambda where: self.genuine(client, where, age=DAY))

    def truncated(self, client: PlatformClient) -> Outcome:
        """Half of the body."""

        def attack(where: SentMessage) -> Wire:
            wire = self.genuine(client, where)
            return self.resealed(client, wire, wire.body[: len(wire.body) // 2])

        return self.refused(client, attack)

    def one_mebibyte(self, client: PlatformClient) -> Outcome:
        """A genuine callback, padded with white space."""

        def attack(where: SentMessage) -> Wire:
            wire = self.genuine(client, where)
            return self.resealed(client, wire, wire.body + b" " * (MEBIBYTE - len(wire.body)))

        return self.refused(client, attack)

    def unknown_app(self, client: PlatformClient) -> Outcome:
        """A genuine callback at the URL of an app that is not configured."""
        return self.refused(client, lambda where: self.genuine(client, where), app="nobody")

    def refused(self, client: PlatformClient, attack: Callable[[SentMessage], Wire], app: str = "") -> Outcome:
        """Send `attack` in a conversation that goes on afterwards. Only the person may get replies.

        A conversation is one FIFO group: the reply to an attack that was queued would come first. Finally the genuine
        callback is sent, which must be accepted.
        """
        where = self.open(client, "/echo before")
        client.replies(where.room)
        response = _call_back(client, attack(where), app)
        client.send_next(where, "/echo after")
        texts = [message["text"] for message in client.replies(where.room, 2)]
        accepted = _call_back(client, self.genuine(client, where))
        if accepted.status not in (200, 202):
            return Outcome(f"{response.text}; the genuine one {accepted.text}", response.seconds)
        effect = "no reply" if texts == ["before", "after"] else f"replies {texts}"
        return Outcome(f"{response.text}, {effect}", response.seconds)


def reply_to(client: PlatformClient, sent: SentMessage) -> Outcome:
    """The first reply after `sent`."""
    (reply, *_) = client.replies(sent.room, since=sent.at)
    return Outcome(repr(reply["text"]), reply["at"] - sent.at)


@contextmanager
def fault(client: PlatformClient, kind: str, **more: Any) -> Iterator[None]:
    """Let the platform's next API call fail."""
    client.post("/api/faults", kind=kind, times=1, **more)
    try:
        yield
    finally:
        client.delete("/api/faults")


def _call_back(client: PlatformClient, wire: Wire, app: str = "") -> CallbackResponse:
    return client.call_back(wire.headers, wire.body, app, wire.query)
