"""Discord's rows. Attacks are signed by PyNaCl with the key that only Discord has."""

import json
import time
import uuid
from typing import Any

from nacl.signing import SigningKey

from playground.platforms.discord import wire
from playground.platforms.discord.accounts import GUILD
from playground.platforms.model import Wire
from tools.demo.case import Case, Seen
from tools.demo.rows import Rows, answered, fault
from tools.demo.world import Said, World

_COMMAND, _SLASH = 2, 1


class Discord(Rows):
    """What is Discord's own: slash commands, promises to fill in, signatures over everything."""

    def opened(self, world: World, text: str, **more: Any) -> Said:
        """A slash command in a new channel."""
        return world.say(world.group(), text, **more)

    def genuine(self, world: World, where: Said, age: float = 0) -> Wire:
        """`/echo`, signed."""
        now = time.time() - age
        option = {"type": 3, "name": "text", "value": "attack"}
        user = {"id": wire.snowflake(now, 1), "username": "mallory", "discriminator": "0"}
        body = {
            "id": wire.snowflake(now, uuid.uuid4().int),
            "application_id": world.config["application_id"],
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
        return wire.signed(_key(world), json.dumps(body).encode(), now)

    def resealed(self, world: World, genuine: Wire, body: bytes) -> Wire:
        """Signed anew."""
        del genuine
        return wire.signed(_key(world), body, time.time())

    def missigned(self, genuine: Wire) -> Wire:
        """With another digit."""
        return wire.wrongly_signed(genuine)

    def unsigned(self, world: World) -> Seen:
        """No signature at all."""
        headers = {"Content-Type": "application/json"}
        return self.refused(world, lambda where: Wire(headers=headers, body=self.genuine(world, where).body))

    def completed(self, world: World) -> Seen:
        """Somebody is typing an option: the bot answers within the callback."""
        typed = {"name": "order", "options": {"drink": "tea"}, "focused": "drink"}
        done = world.post("/api/events", app=world.app, kind="complete", room=world.group(), wait=True, **typed)
        (attempt,) = done["attempts"]
        names = ", ".join(choice["name"] for choice in done["result"].get("choices", ()))
        return Seen(f"{attempt['status']}, {names}", attempt["ms"] / 1000)

    def form(self, world: World) -> Seen:
        """A command opens a form within the callback; what is filled in is answered."""
        said = self.opened(world, "/feedback")
        opened = world.delivered(said.id)["result"]["modal"]
        sent = {"modal": opened["id"], "form": {"text": "so so"}, "sender": said.sender}
        world.post("/api/events", app=world.app, kind="submit", **sent)
        (answer, *_) = world.answers(said.room)
        return Seen(f"{opened['title']}, {answer['text']!r}", answer["at"] - said.at)

    def from_menu(self, world: World) -> Seen:
        """A command from the menu of somebody's message, of which the bot is told by nothing else."""
        target = world.say(world.group(), "three little words", deliver=False)
        command = {"type": "command", "content": {"name": "Count words", "options": {"target": target.id}}}
        return answered(world, world.say(target.room, native=command))

    def event(self, world: World) -> Seen:
        """Discord's webhook: its ping, and that somebody has installed the application, which goes the usual way."""
        ping, event = (
            world.post("/api/events", app=world.app, kind=kind, wait=True) for kind in ("save_events", "authorize")
        )
        statuses = " ".join(str(each["attempts"][0]["status"]) for each in (ping, event))
        kept = world.journal(event["message_id"])
        return Seen(f"{statuses}, kept as {kept['message']['event']}", kept["decided"] - event["at"])

    def lost_answer(self, world: World) -> Seen:
        """Discord fills in the promise, and its answer gets lost: it is asked again, and must say it once."""
        with fault(world, "drop_response", path="/messages/@original"):
            said = self.opened(world, "/echo once")
            answer = world.answers(said.room)[0]
        world.again(said, "/echo after")
        texts = [message["text"] for message in world.answers(said.room, 2)]
        return Seen(f"said: {', '.join(texts)}", answer["at"] - said.at)

    def expired(self, world: World) -> Seen:
        """The interaction's token dies before the answer: it is said in the channel, with the bot's token."""
        with fault(world, "token_expired"):
            said = self.opened(world, "/echo late")
            (answer, *_) = world.answers(said.room)
        path = next(call["path"] for call in reversed(world.calls()) if call["message_id"] == answer["id"])
        how = "in the channel" if "/channels/" in path else "with the interaction's token"
        return Seen(f"{answer['text']!r} {how}", answer["at"] - said.at)


def _key(world: World) -> SigningKey:
    return SigningKey(bytes.fromhex(world.stack["private"][world.platform][world.app]["signing_key"]))


_ROWS = Discord()
CASES = (
    Case("saving the address: a wrong signature, a ping", "200, accepted", _ROWS.challenge),
    Case("slash command, direct chat", "'你好, Parley'", _ROWS.text),
    Case("slash command in a thread", "'in here' in the thread", _ROWS.in_thread),
    Case("embed, and a press of its button", "message, 200, 'You chose coffee.'", _ROWS.card_and_button),
    Case("an option that is being typed", "200, Green tea, Milk tea", _ROWS.completed),
    Case("a form that opens at once, filled in", "Feedback, 'Thank you for “so so”.'", _ROWS.form),
    Case("command from the menu of a message", "'3 words'", _ROWS.from_menu),
    Case("webhook: ping, and an installation", "204 204, kept as APPLICATION_AUTHORIZED", _ROWS.event),
    Case("one interaction three times, then another", "200 200; answers 1 then 2", _ROWS.three_times),
    Case("Discord's answer to an edit gets lost", "said: once, after", _ROWS.lost_answer),
    Case("interaction token dies before the answer", "'late' in the channel", _ROWS.expired),
    Case("forged signature", "401 forged, unheard", _ROWS.forged),
    Case("no signature", "401 forged, unheard", _ROWS.unsigned),
    Case("signed a day ago", "401 stale, unheard", _ROWS.day_old),
    Case("truncated body", "400 malformed, unheard", _ROWS.truncated),
    Case("body of 1 MiB", "413 too_large, unheard", _ROWS.one_mebibyte),
    Case("unknown app", "404 unknown_app, unheard", _ROWS.unknown_app),
)
