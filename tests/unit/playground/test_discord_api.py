"""Simulated Discord's API: validation, rate limits, messages, threads, commands."""

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from playground.platforms.discord import rate_limits
from playground.platforms.discord.accounts import GUILD
from playground.platforms.exchange import Request
from playground.platforms.faults import Fault
from tests.unit.playground.discord import AGENT, APPLICATION, COUNT, ECHO, TOKEN, Caller, caller, code

COMMANDS = f"/applications/{APPLICATION}/commands"


@pytest.fixture
def bot() -> Caller:
    return caller()


@pytest.fixture
def team(bot: Caller) -> str:
    return f"/channels/{bot.discord.room_id('team', 'group')}/messages"


def button(**more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "A", "custom_id": "a", **more}


def row(*inner: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(inner)}


@pytest.mark.parametrize("token", ["", "Bot wrong", f"Bearer {TOKEN}", TOKEN])
def test_a_call_without_the_bot_token_is_rejected(bot: Caller, team: str, token: str):
    headers = AGENT | ({"Authorization": token} if token else {})
    assert code(bot.http.post(team, json={"content": "x"}, headers=headers)) == (401, 0)
    assert bot.bot_messages() == []


def test_a_client_without_discords_user_agent_is_blocked(bot: Caller, team: str):
    response = bot.http.post(team, json={"content": "x"}, headers={"Authorization": f"Bot {TOKEN}"})
    assert code(response) == (403, 40333)


@pytest.mark.parametrize(
    ("body", "rejected_code"),
    [
        ({}, 50006),
        ({"content": "  "}, 50006),
        ({"content": "x" * 2001}, 50035),
        ({"content": "x", "nonce": "n" * 26}, 50035),
        ({"content": 5}, 50035),
        ({"embeds": [{"title": "x" * 257}]}, 50035),
        ({"embeds": [{"description": "x" * 4096}] * 2}, 50035),
        ({"embeds": [{"title": "x", "url": "javascript:1"}]}, 50035),
        ({"embeds": [{}] * 11}, 50035),
        ({"components": [button()]}, 50035),
        ({"components": [row(*[button(custom_id=str(n)) for n in range(6)])]}, 50035),
        ({"components": [row(button(custom_id=str(n))) for n in range(6)]}, 50035),
        ({"components": [row(button(label="x" * 81))]}, 50035),
        ({"components": [row(button(custom_id="x" * 101))]}, 50035),
        ({"components": [row(button(), button())]}, 50035),
        ({"components": [row(button(style=5))]}, 50035),
        ({"components": [row(button(label=""))]}, 50035),
        ({"components": [row(button(label=" "))]}, 50035),
        ({"components": [row(button(style=5, url="javascript:1"))]}, 50035),
        ({"embeds": [{"title": "x", "image": {"url": "img_1"}}]}, 50035),
        ({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, 50035),
        ({"content": "x", "attachments": [{"id": 0, "filename": "a"}]}, 50035),
        ({"content": "x", "message_reference": {"message_id": "1"}}, 50035),
    ],
)
def test_invalid_messages_are_rejected_with_their_codes(
    bot: Caller, team: str, body: dict[str, Any], rejected_code: int
):
    assert code(bot.bot("POST", team, json=body)) == (400, rejected_code)
    assert bot.bot_messages() == []


def test_a_form_error_names_the_field(bot: Caller, team: str):
    errors = bot.bot("POST", team, json={"embeds": [{"title": "x" * 257}]}).json()["errors"]
    assert errors["embeds"]["0"]["title"]["_errors"][0]["code"] == "BASE_TYPE_MAX_LENGTH"


@pytest.mark.parametrize(
    ("body", "kind", "rejected_code"), [(b"{", "application/json", 50109), (b"a=b", "text/plain", 50035)]
)
def test_an_invalid_body_is_rejected(bot: Caller, team: str, body: bytes, kind: str, rejected_code: int):
    headers = {**AGENT, "Authorization": f"Bot {TOKEN}", "Content-Type": kind}
    assert code(bot.http.post(team, content=body, headers=headers)) == (400, rejected_code)


def test_a_message_at_all_limits_is_accepted(bot: Caller, team: str):
    rows = [row(*[button(custom_id=f"{n}-{m}", label="x" * 80) for m in range(5)]) for n in range(5)]
    embed = {"title": "x" * 256, "description": "y" * 4096}
    body = {"content": "x" * 2000, "embeds": [embed], "components": rows, "nonce": "n" * 25}
    assert bot.bot("POST", team, json=body).status_code == 200


def test_a_repeated_nonce_returns_the_first_message_for_two_minutes(bot: Caller, team: str):
    body = {"content": "once", "nonce": "n1", "enforce_nonce": True}
    first = bot.bot("POST", team, json=body).json()
    assert bot.bot("POST", team, json=body | {"content": "twice"}).json()["id"] == first["id"]
    bot.bot("POST", team, json={"content": "no key", "nonce": "n1"})
    assert [m["content"] for m in bot.bot_messages()] == ["once", "no key"]
    bot.clock.now += 120
    assert bot.bot("POST", team, json=body).json()["id"] != first["id"]


def test_files_are_uploaded_in_a_form_and_an_edit_keeps_only_listed_ones(bot: Caller, team: str):
    body = {"content": "see", "attachments": [{"id": 0, "filename": "chart.png"}]}
    form = {"payload_json": (None, json.dumps(body)), "files[0]": ("x", b"\x89PNG")}
    made = bot.bot("POST", team, files=form).json()
    (kept,) = made["attachments"]
    assert bot.discord.media(kept["id"]) == ("image/png", b"\x89PNG")
    path = f"{team}/{made['id']}"
    assert bot.bot("PATCH", path, json={"content": "still"}).json()["attachments"] == [kept]
    assert bot.bot("PATCH", path, json={"attachments": []}).json()["attachments"] == []


def test_a_file_above_ten_mebibytes_is_rejected(bot: Caller, team: str):
    form = {"payload_json": (None, "{}"), "files[0]": ("x", b"x" * (10 * 1024 * 1024 + 1))}
    assert code(bot.bot("POST", team, files=form)) == (413, 40005)


def test_a_bot_edits_and_deletes_its_own_messages_only(bot: Caller, team: str):
    mine = bot.bot("POST", team, json={"content": "mine"}).json()["id"]
    command = bot.invoke("/count")
    assert bot.bot("PATCH", f"{team}/{mine}", json={"content": "changed"}).json()["edited_timestamp"]
    assert bot.bot("GET", f"{team}/{mine}").json()["content"] == "changed"
    assert bot.bot("DELETE", f"{team}/{mine}").status_code == 204
    for path in (f"{team}/{mine}", f"{team}/{command.id}"):
        assert code(bot.bot("PATCH", path, json={"content": "x"})) == (404, 10008)


def test_unknown_channels_and_users_are_rejected(bot: Caller):
    assert code(bot.bot("POST", "/channels/1/messages", json={"content": "x"})) == (404, 10003)
    assert code(bot.bot("POST", "/users/@me/channels", json={"recipient_id": "1"})) == (404, 10013)
    assert code(bot.bot("GET", "/nothing")) == (404, 0)
    room = bot.discord.rooms[bot.discord.room_id("lab", "group")]
    room.bots.clear()
    assert code(bot.bot("POST", f"/channels/{room.id}/messages", json={"content": "x"})) == (403, 50001)


def test_a_direct_channel_opened_twice_is_the_same(bot: Caller):
    person = json.loads(bot.invoke(room="private").delivery.plain)["user"]["id"]
    opened = [bot.bot("POST", "/users/@me/channels", json={"recipient_id": person}).json() for _ in range(2)]
    assert opened[0]["id"] == opened[1]["id"]
    assert bot.bot("POST", f"/channels/{opened[0]['id']}/messages", json={"content": "psst"}).status_code == 200


def test_a_thread_has_the_id_of_its_message_and_is_a_channel(bot: Caller, team: str):
    message = bot.bot("POST", team, json={"content": "start"}).json()["id"]
    opened = bot.bot("POST", f"{team}/{message}/threads", json={"name": "t"})
    assert (opened.status_code, opened.json()["id"]) == (201, message)
    assert code(bot.bot("POST", f"{team}/{message}/threads", json={"name": "t"})) == (400, 160004)
    inside = bot.bot("POST", f"/channels/{message}/messages", json={"content": "in"}).json()
    assert bot.discord.messages[inside["id"]].thread == message
    sent = json.loads(bot.invoke(thread=message).delivery.plain)
    assert (sent["channel_id"], sent["channel"]["type"]) == (message, 11)
    assert sent["channel"]["parent_id"] == bot.discord.room_id("team", "group")


def test_no_thread_is_opened_in_a_direct_chat_or_in_a_thread(bot: Caller, team: str):
    direct = json.loads(bot.invoke(room="private").delivery.plain)["channel_id"]
    message = bot.bot("POST", f"/channels/{direct}/messages", json={"content": "x"}).json()["id"]
    assert code(bot.bot("POST", f"/channels/{direct}/messages/{message}/threads", json={"name": "t"})) == (400, 50024)
    start = bot.bot("POST", team, json={"content": "start"}).json()["id"]
    bot.bot("POST", f"{team}/{start}/threads", json={"name": "t"})
    inside = bot.bot("POST", f"/channels/{start}/messages", json={"content": "in"}).json()["id"]
    assert code(bot.bot("POST", f"/channels/{start}/messages/{inside}/threads", json={"name": "t"})) == (400, 50024)


def test_a_deleted_message_cannot_be_quoted(bot: Caller, team: str):
    message = bot.bot("POST", team, json={"content": "x"}).json()["id"]
    bot.bot("DELETE", f"{team}/{message}")
    body = {"content": "re", "message_reference": {"message_id": message}}
    assert code(bot.bot("POST", team, json=body)) == (400, 50035)
    body["message_reference"]["fail_if_not_exists"] = False
    assert "message_reference" not in bot.bot("POST", team, json=body).json()


# --- limits ---


def test_a_route_accepts_five_calls_in_five_seconds_and_says_so_in_headers(bot: Caller, team: str):
    left = [bot.bot("POST", team, json={"content": "x"}).headers["x-ratelimit-remaining"] for _ in range(5)]
    assert left == ["4", "3", "2", "1", "0"]
    bot.clock.now += 1
    rejected = bot.bot("POST", team, json={"content": "x"})
    assert (rejected.status_code, rejected.json()["retry_after"], rejected.json()["global"]) == (429, 4.0, False)
    assert (rejected.headers["retry-after"], rejected.headers["x-ratelimit-scope"]) == ("4", "user")
    assert rejected.headers["x-ratelimit-reset-after"] == "4.000"
    assert bot.bot("POST", team.replace(*ids(bot)), json={"content": "x"}).status_code == 200
    bot.clock.now += 4
    assert bot.bot("POST", team, json={"content": "x"}).status_code == 200


def ids(bot: Caller) -> tuple[str, str]:
    return bot.discord.room_id("team", "group"), bot.discord.room_id("lab", "group")


def test_a_bot_may_make_fifty_calls_a_second_without_interactions(bot: Caller):
    made = bot.deferred()
    bot.clock.now += 1
    for number in range(50):
        assert bot.bot("GET", f"/channels/{number}/messages/1").status_code == 404
    rejected = bot.bot("GET", "/users/@me")
    assert (rejected.status_code, rejected.json()["global"]) == (429, True)
    assert (rejected.headers["x-ratelimit-scope"], rejected.headers["x-ratelimit-global"]) == ("global", "true")
    assert bot.by_token("PATCH", made, "/messages/@original", json={"content": "x"}).status_code == 200


def test_ten_thousand_invalid_requests_block_all_calls_for_ten_minutes(bot: Caller, team: str):
    request = Request("POST", f"/api/v10{team}", headers={"user-agent": "DiscordBot (x, 1)"})
    for _ in range(rate_limits.BAN_AT - 1):
        assert bot.discord.handle(request).status == 401
    assert bot.bot("POST", team, json={"content": "x"}).status_code == 200
    bot.discord.handle(request)
    banned = bot.bot("POST", team, json={"content": "x"})
    assert banned.status_code == 403
    assert banned.text.startswith("<html>")
    bot.clock.now += 600
    assert bot.bot("POST", team, json={"content": "x"}).status_code == 200


def test_every_response_has_a_date(bot: Caller, team: str):
    for response in (bot.bot("POST", team, json={"content": "x"}), bot.bot("GET", "/nothing")):
        assert response.headers["date"] == "Mon, 24 Nov 2025 16:00:00 GMT"


# --- commands ---


def test_commands_can_be_created_overwritten_updated_and_deleted(bot: Caller):
    changed = bot.bot("POST", COMMANDS, json=COUNT | {"description": "New"})
    assert changed.status_code == 200
    listed = bot.bot("GET", COMMANDS).json()
    assert [(c["name"], c["description"]) for c in listed] == [("echo", "Say it back"), ("count", "New")]
    path = f"{COMMANDS}/{changed.json()['id']}"
    assert bot.bot("PATCH", path, json={"description": "Newer"}).json()["description"] == "Newer"
    assert bot.bot("DELETE", path).status_code == 204
    assert code(bot.bot("DELETE", path)) == (404, 10063)


def test_a_bulk_overwrite_deletes_other_commands_but_not_guild_commands(bot: Caller):
    guild = COMMANDS.replace("/commands", f"/guilds/{GUILD}/commands")
    bot.bot("POST", guild, json=ECHO)
    assert [c["name"] for c in bot.bot("PUT", COMMANDS, json=[COUNT]).json()] == ["count"]
    assert [c["name"] for c in bot.bot("GET", COMMANDS).json()] == ["count"]
    assert [c["name"] for c in bot.bot("GET", guild).json()] == ["echo"]
    assert code(bot.bot("GET", COMMANDS.replace("/commands", "/guilds/1/commands"))) == (403, 50001)
    assert code(bot.bot("GET", "/applications/1/commands")) == (403, 20012)


@pytest.mark.parametrize(
    "command",
    [
        {"name": "Upper", "description": "x"},
        {"name": "two words", "description": "x"},
        {"name": "x"},
        {"name": "x", "description": "y" * 101},
        {"name": "x", "description": "y", "options": [{"type": 3, "name": "a", "description": ""}]},
        {"name": "x", "description": "y", "options": [ECHO["options"][1], ECHO["options"][0]]},
        {"name": "Menu", "type": 3, "description": "none allowed"},
        {"name": "x", "type": 9, "description": "y"},
        COUNT | {"name_localizations": {"de": "Zähle"}},
        {"name": "Menu", "type": 3, "name_localizations": {"de": "m" * 33}},
    ],
)
def test_invalid_command_definitions_are_rejected(bot: Caller, command: dict[str, Any]):
    assert code(bot.bot("POST", COMMANDS, json=command)) == (400, 50035)


def test_a_guild_command_with_contexts_is_rejected(bot: Caller):
    path = f"/applications/{APPLICATION}/guilds/{GUILD}/commands"
    assert code(bot.bot("POST", path, json=COUNT | {"contexts": [0]})) == (400, 50035)
    assert bot.bot("POST", path, json=COUNT).status_code == 201


def test_a_components_v2_message_with_content_is_rejected(bot: Caller, team: str):
    assert code(bot.bot("POST", team, json={"content": "x", "flags": 32768})) == (400, 50035)


def test_two_hundred_commands_can_be_created_in_a_day(bot: Caller):
    made = bot.bot("POST", COMMANDS, json=COUNT | {"name": "again"}).json()
    account = bot.discord.accounts["demo"]
    account.created = [bot.clock.now] * 200
    assert code(bot.bot("POST", COMMANDS, json=COUNT | {"name": "another"})) == (400, 30034)
    bot.clock.now += 86_401
    assert bot.bot("POST", COMMANDS, json=COUNT | {"name": "another"}).status_code == 201
    assert made["name"] == "again"


# --- reactions ---


def test_a_reaction_is_added_once_and_removed(bot: Caller, team: str):
    path = f"{team}/{bot.bot('POST', team, json={'content': 'x'}).json()['id']}/reactions/%F0%9F%91%8D/@me"
    assert [bot.bot("PUT", path).status_code for _ in range(2)] == [204, 204]
    (message,) = bot.discord.messages.values()
    assert [reaction["emoji"] for reaction in message.reactions] == ["👍"]
    assert bot.bot("DELETE", path).status_code == 204
    assert message.reactions == []


@pytest.mark.parametrize("emoji", ["👍🏽", "❤️", "1️⃣", "👩‍👩‍👧", "parrot:1234567890123456789"])
def test_an_emoji_of_unicode_or_of_a_server_is_accepted(bot: Caller, team: str, emoji: str):
    made = bot.bot("POST", team, json={"content": "x"}).json()["id"]
    assert bot.bot("PUT", f"{team}/{made}/reactions/{quote(emoji, safe='')}/@me").status_code == 204


@pytest.mark.parametrize("emoji", ["THUMBSUP", "x", "%3Athumbsup%3A", "parrot:1"])
def test_an_unknown_emoji_is_rejected(bot: Caller, team: str, emoji: str):
    made = bot.bot("POST", team, json={"content": "x"}).json()["id"]
    assert code(bot.bot("PUT", f"{team}/{made}/reactions/{emoji}/@me")) == (400, 10014)


def test_a_message_has_at_most_twenty_kinds_of_reactions(bot: Caller, team: str):
    path = f"{team}/{bot.bot('POST', team, json={'content': 'x'}).json()['id']}/reactions"
    message = next(iter(bot.discord.messages.values()))
    message.reactions = [{"emoji": chr(0x1F600 + number), "by": "somebody"} for number in range(20)]
    assert code(bot.bot("PUT", f"{path}/%F0%9F%91%8D/@me")) == (403, 30010)
    assert bot.bot("PUT", f"{path}/%F0%9F%98%80/@me").status_code == 204


def test_a_deleted_message_and_one_that_only_a_person_sees_get_no_reaction(bot: Caller, team: str):
    path = f"{team}/{bot.bot('POST', team, json={'content': 'x'}).json()['id']}"
    message = next(iter(bot.discord.messages.values()))
    message.content["flags"] = 64
    assert code(bot.bot("PUT", f"{path}/reactions/%F0%9F%91%8D/@me")) == (404, 10008)
    message.content["flags"] = 0
    bot.bot("DELETE", path)
    assert code(bot.bot("PUT", f"{path}/reactions/%F0%9F%91%8D/@me")) == (404, 10008)


# --- faults ---


def test_faults_hit_calls(bot: Caller, team: str):
    made = bot.deferred()
    bot.discord.faults.add(Fault("drop_response", 1))
    with pytest.raises(httpx.RemoteProtocolError):
        bot.bot("POST", team, json={"content": "done"})
    assert [m["content"] for m in bot.bot_messages()] == ["done"]
    bot.discord.faults.add(Fault("limited", 1))
    assert bot.bot("POST", team, json={"content": "x"}).json()["retry_after"] == 1.0
    bot.discord.faults.add(Fault("token_expired", 1))
    assert bot.bot("POST", team, json={"content": "y"}).status_code == 200
    assert code(bot.by_token("POST", made, json={"content": "z"})) == (401, 50027)
