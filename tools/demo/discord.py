"""The cases of Discord. Attacks are signed by PyNaCl with the key that only Discord has."""

import json
import time
import uuid
from functools import partial
from typing import Any

from nacl.signing import SigningKey

from playground.platforms.discord import wire
from playground.platforms.discord.accounts import GUILD
from playground.platforms.model import Wire
from tools.demo.case import Case, Outcome
from tools.demo.client import PlatformClient, SentMessage
from tools.demo.common import CommonCases, fault, reply_to

_COMMAND, _SLASH = 2, 1


class Discord(CommonCases):
    """Discord has slash commands, deferred responses, and signatures over time and body."""

    def open(self, client: PlatformClient, text: str, **more: Any) -> SentMessage:
        """A slash command in a new channel."""
        return client.send(client.group(), text, **more)

    def genuine(self, client: PlatformClient, where: SentMessage, age: float = 0) -> Wire:
        """A signed `/echo`."""
        now = time.time() - age
        option = {"type": 3, "name": "text", "value": "attack"}
        user = {"id": wire.snowflake(now, 1), "username": "mallory", "discriminator": "0"}
        body = {
            "id": wire.snowflake(now, uuid.uuid4().int),
            "application_id": client.config["application_id"],
            "type": _COMMAND,
            "version": 1,
            "token": uuid.uuid4().hex,
            "guild_id": GUILD,
            "channel_id": where.room,
            "channel": {"id": where.room, "type": 0, "name": "demo"},
            "context": 0,
            "member": {"user": user, "roles": []},
            "data": {"id": wire.snowflake(now, 2), "name": "echo", "type": _SLASH, "options": [option]},
        }
        return wire.signed(_key(client), json.dumps(body).encode(), now)

    def resealed(self, client: PlatformClient, genuine: Wire, body: bytes) -> Wire:
        """With a new signature."""
        del genuine
        return wire.signed(_key(client), body, time.time())

    def missigned(self, genuine: Wire) -> Wire:
        """With another digit in the signature."""
        return wire.wrongly_signed(genuine)

    def unsigned(self, client: PlatformClient) -> Outcome:
        """No signature at all."""
        headers = {"Content-Type": "application/json"}
        return self.refused(client, lambda where: Wire(headers=headers, body=self.genuine(client, where).body))

    def completed(self, client: PlatformClient) -> Outcome:
        """Somebody types an option. The bot returns suggestions in the response to the callback."""
        typed = {"name": "order", "options": {"drink": "tea"}, "focused": "drink"}
        done = client.post("/api/events", app=client.app, kind="complete", room=client.group(), wait=True, **typed)
        (attempt,) = done["attempts"]
        names = ", ".join(choice["name"] for choice in done["result"].get("choices", ()))
        return Outcome(f"{attempt['status']}, {names}", attempt["ms"] / 1000)

    def form(self, client: PlatformClient) -> Outcome:
        """A command opens a form in the response to the callback. The bot replies to the submitted form."""
        sent = self.open(client, "/feedback")
        opened = client.delivered(sent.id)["result"]["modal"]
        form = {"modal": opened["id"], "form": {"text": "so so"}, "sender": sent.sender}
        client.post("/api/events", app=client.app, kind="submit", **form)
        (reply, *_) = client.replies(sent.room)
        return Outcome(f"{opened['title']}, {reply['text']!r}", reply["at"] - sent.at)

    def from_menu(self, client: PlatformClient) -> Outcome:
        """A command from the menu of another message, which the bot has not received otherwise."""
        target = client.send(client.group(), "three little words", deliver=False)
        command = {"type": "command", "content": {"name": "Count words", "options": {"target": target.id}}}
        return reply_to(client, client.send(target.room, native=command))

    def event(self, client: PlatformClient) -> Outcome:
        """Discord's webhook events: its ping, and an installation of the application, which is queued and handled."""
        ping, event = (
            client.post("/api/events", app=client.app, kind=kind, wait=True) for kind in ("save_events", "authorize")
        )
        statuses = " ".join(str(each["attempts"][0]["status"]) for each in (ping, event))
        stored = client.journal(event["message_id"])
        return Outcome(f"{statuses}, stored as {stored['message']['event']}", stored["decided"] - event["at"])

    def expired(self, client: PlatformClient) -> Outcome:
        """The interaction token expires before the reply. The reply is sent to the channel with the bot's token."""
        with fault(client, "token_expired"):
            sent = self.open(client, "/echo late")
            (reply, *_) = client.replies(sent.room)
        path = next(call["path"] for call in reversed(client.calls()) if call["message_id"] == reply["id"])
        how = "in the channel" if "/channels/" in path else "with the interaction's token"
        return Outcome(f"{reply['text']!r} {how}", reply["at"] - sent.at)


def _key(client: PlatformClient) -> SigningKey:
    return SigningKey(bytes.fromhex(client.stack["private"][client.platform][client.app]["signing_key"]))


_DISCORD = Discord()
CASES = (
    Case("check of the URL: a wrong signature, a ping", "200, accepted", _DISCORD.challenge),
    Case("slash command, direct chat", "'你好, Parley'", _DISCORD.text),
    Case("slash command in a thread", "'in here' in the thread", _DISCORD.in_thread),
    Case("embed, and a press of its button", "message, 200, 'You chose coffee.'", _DISCORD.card_and_button),
    Case("suggestions while an option is typed", "200, Green tea, Milk tea", _DISCORD.completed),
    Case("a form that opens at once, filled in", "Feedback, 'Thank you for “so so”.'", _DISCORD.form),
    Case("command from the menu of a message", "'3 words'", _DISCORD.from_menu),
    Case("webhook: ping, and an installation", "204 204, stored as APPLICATION_AUTHORIZED", _DISCORD.event),
    Case("one interaction three times, then another", "200 200; replies 1 then 2", _DISCORD.three_times),
    Case(
        "response of an edit gets lost",
        "SENT after 2 calls: once, after",
        partial(_DISCORD.lost_response, path="/messages/@original"),
    ),
    Case("interaction token expires before the reply", "'late' in the channel", _DISCORD.expired),
    *_DISCORD.attacks(),
    Case("no signature", "401 forged, no reply", _DISCORD.unsigned),
)
