"""Simulated Discord: buttons, selects, modals, autocomplete, context menus and user installs."""

import json
from typing import Any

import pytest

from playground.platforms.base import NotFoundError
from playground.platforms.discord.accounts import user_id
from playground.platforms.model import NewMessage, Press
from tests.unit.playground.discord import APPLICATION, Caller, caller, code

ORIGINAL = "/messages/@original"
ROW = {"type": 1, "components": [{"type": 2, "style": 1, "label": "Tea", "custom_id": "tea?hot"}]}
SELECT = {"type": 3, "custom_id": "size", "options": [{"label": "Big", "value": "b"}, {"label": "Small", "value": "s"}]}
FORM = {
    "custom_id": "ticket",
    "title": "Ticket",
    "components": [{"type": 18, "label": "What", "component": {"type": 4, "custom_id": "what", "style": 1}}],
}


@pytest.fixture
def bot() -> Caller:
    return caller()


# --- buttons, selects, modals, autocomplete ---


def card(bot: Caller, *rows: dict[str, Any]) -> str:
    body = {"content": "Pick", "components": list(rows) or [ROW]}
    return bot.bot("POST", f"/channels/{bot.discord.room_id('team', 'group')}/messages", json=body).json()["id"]


@pytest.mark.parametrize("named", ["0", "tea", "tea?hot", "Tea"])
def test_a_press_contains_the_custom_id_and_the_message(bot: Caller, named: str):
    id_ = card(bot)
    delivery = bot.discord.press("demo", id_, "sam", Press(button=named))
    sent = json.loads(delivery.plain)
    assert (sent["type"], sent["data"]["custom_id"], sent["message"]["id"]) == (3, "tea?hot", id_)
    assert bot.respond(delivery, {"type": 6}) == "delivered"
    made = bot.discord.by_delivery[delivery.id]
    bot.by_token("PATCH", made, ORIGINAL, json={"content": "Tea it is", "components": []})
    assert [m["content"] for m in bot.bot_messages()] == ["Tea it is"]
    with pytest.raises(NotFoundError):
        bot.discord.press("demo", id_, "sam", Press(button=named))


def test_the_response_to_a_press_may_update_the_message(bot: Caller):
    delivery = bot.discord.press("demo", card(bot), "sam", Press(button="tea"))
    bot.respond(delivery, {"type": 7, "data": {"content": "Changed"}})
    assert [m["content"] for m in bot.bot_messages()] == ["Changed"]


@pytest.mark.parametrize(
    "body",
    [
        {"components": [{"type": 1, "components": [SELECT, SELECT | {"custom_id": "b"}]}]},
        {"components": [{"type": 1, "components": [SELECT | {"options": []}]}]},
        {"components": [{"type": 1, "components": [SELECT | {"options": [{"label": "a", "value": "1"}] * 2}]}]},
        {"components": [{"type": 1, "components": [SELECT | {"placeholder": "p" * 151}]}]},
        {"embeds": [{"fields": [{"name": "", "value": "v"}]}]},
        {"embeds": [{"fields": [{"name": "n", "value": "v" * 1025}]}]},
        {"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]},
        {"embeds": [{"fields": [{"name": "n", "value": "v" * 1024}] * 6}]},
    ],
)
def test_an_invalid_select_or_field_is_refused(bot: Caller, body: dict[str, Any]):
    response = bot.bot("POST", f"/channels/{bot.discord.room_id('team', 'group')}/messages", json=body)
    assert code(response) == (400, 50035)


def test_a_select_accepts_only_its_options(bot: Caller):
    id_ = card(bot, {"type": 1, "components": [SELECT]})
    sent = json.loads(bot.discord.press("demo", id_, "sam", Press(button="size", options=("b",))).plain)
    assert sent["data"]["values"] == ["b"]
    for options in ((), ("b", "s"), ("x",)):
        with pytest.raises(NotFoundError):
            bot.discord.press("demo", id_, "sam", Press(button="size", options=options))


def test_a_modal_opens_and_can_be_submitted_once(bot: Caller):
    made = bot.invoke()
    assert bot.respond(made.delivery, {"type": 9, "data": FORM}) == "delivered"
    modal = made.delivery.result["modal"]["id"]
    for wrong in ({"sender": "sam", "form": {"what": "x"}}, {"sender": "lin", "form": {}}):
        with pytest.raises(NotFoundError):
            bot.discord.emit_event("demo", "submit", {"modal": modal, **wrong})
    details = {"sender": "lin", "modal": modal, "form": {"what": "Fire"}}
    delivery = bot.discord.emit_event("demo", "submit", details)
    assert delivery
    sent = json.loads(delivery.plain)
    assert (sent["type"], sent["data"]["custom_id"]) == (5, "ticket")
    assert sent["data"]["components"][0]["component"] == {"type": 4, "custom_id": "what", "value": "Fire"}
    with pytest.raises(NotFoundError):
        bot.discord.emit_event("demo", "submit", details)


def test_autocomplete_sends_the_focused_option_and_accepts_25_choices(bot: Caller):
    details = {"room": "team", "name": "echo", "options": {"text": "he"}, "focused": "text", "sender": "lin"}
    delivery = bot.discord.emit_event("demo", "complete", details)
    assert delivery
    assert json.loads(delivery.plain)["type"] == 4
    assert json.loads(delivery.plain)["data"]["options"] == [
        {"name": "text", "type": 3, "value": "he", "focused": True}
    ]
    bot.respond(delivery, {"type": 8, "data": {"choices": [{"name": "hello", "value": "hello"}]}})
    assert delivery.result["choices"] == [{"name": "hello", "value": "hello"}]
    again = bot.discord.emit_event("demo", "complete", details)
    assert again
    assert bot.respond(again, {"type": 8, "data": {"choices": [{}] * 26}}) == "failed"


@pytest.mark.parametrize(
    "choice", [{}, {"name": "", "value": "a"}, {"name": "a" * 101, "value": "a"}, {"name": "a", "value": "a" * 101}]
)
def test_an_invalid_autocomplete_choice_fails(bot: Caller, choice: dict[str, Any]):
    details = {"room": "team", "name": "echo", "options": {"text": "he"}, "focused": "text"}
    delivery = bot.discord.emit_event("demo", "complete", details)
    assert delivery
    assert bot.respond(delivery, {"type": 8, "data": {"choices": [choice]}}) == "failed"


LINE = {"type": 4, "custom_id": "what", "style": 1}
LABEL = {"type": 18, "label": "What"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "t" * 46},
        {"custom_id": "c" * 101},
        {"components": []},
        {"components": [LABEL | {"component": LINE | {"custom_id": f"c{n}"}} for n in range(6)]},
        {"components": [LABEL | {"component": LINE}] * 2},
        {"components": [{"type": 18, "label": "l" * 46, "component": LINE}]},
        {"components": [{"type": 18, "component": LINE}]},
        {"components": [LABEL | {"component": LINE | {"style": 3}}]},
        {"components": [LABEL | {"component": LINE | {"max_length": 4001}}]},
        {"components": [LABEL | {"component": LINE | {"placeholder": "p" * 101}}]},
        {"components": [LABEL | {"component": {"type": 3, "custom_id": "s", "options": []}}]},
        {"components": [LABEL | {"component": SELECT | {"options": [{"label": "a", "value": "1"}] * 2}}]},
        {"components": [LABEL | {"component": SELECT | {"options": [{"label": "a", "value": ""}]}}]},
        {"components": [LABEL | {"component": LINE | {"min_length": 3, "max_length": 2}}]},
        {"components": [LABEL | {"component": LINE | {"max_length": 2, "value": "abc"}}]},
    ],
)
def test_an_invalid_modal_fails(bot: Caller, wrong: dict[str, Any]):
    made = bot.invoke()
    assert bot.respond(made.delivery, {"type": 9, "data": FORM | wrong}) == "failed"


def test_submitted_values_have_to_match_the_modal(bot: Caller):
    made = bot.invoke()
    line = LABEL | {"component": LINE | {"min_length": 2, "max_length": 3, "required": False}}
    choice = LABEL | {"component": SELECT}
    bot.respond(made.delivery, {"type": 9, "data": FORM | {"components": [line, choice]}})
    details = {"sender": "lin", "modal": made.id}
    for wrong in ({"what": "a", "size": "b"}, {"what": "abcd", "size": "b"}, {"what": "ab", "size": "x"}):
        with pytest.raises(NotFoundError):
            bot.discord.emit_event("demo", "submit", {**details, "form": wrong})
    delivery = bot.discord.emit_event("demo", "submit", {**details, "form": {"size": "b"}})
    assert delivery
    filled = [label["component"] for label in json.loads(delivery.plain)["data"]["components"]]
    assert [(one.get("value"), one.get("values")) for one in filled] == [("", None), (None, ["b"])]


# --- context menus, roles, user installs ---


def registered(bot: Caller, **command: Any) -> None:
    assert bot.bot("POST", f"/applications/{APPLICATION}/commands", json=command).status_code == 201


def from_menu(bot: Caller, name: str, target: str, **more: Any) -> dict[str, Any]:
    content = {"name": name, "options": {"target": target}, **more}
    made = bot.discord.send_message("demo", "team", "lin", NewMessage(native=("command", content)))
    return json.loads(bot.discord.by_delivery[made.id].delivery.plain)


def test_a_message_command_contains_the_message_and_its_mentions(bot: Caller):
    registered(bot, name="Sum up", type=3)
    sam = bot.discord.person("Sam Okafor")
    seen = bot.discord.send_message("demo", "team", sam.id, NewMessage(text=f"ask <@{user_id(sam.id)}>", mention=False))
    data = from_menu(bot, "Sum up", seen.id)["data"]
    assert (data["type"], data["target_id"], "options" in data) == (3, seen.id, False)
    target = data["resolved"]["messages"][seen.id]
    assert (target["content"], target["author"]["global_name"]) == (f"ask <@{user_id(sam.id)}>", "Sam Okafor")
    assert [one["id"] for one in target["mentions"]] == [user_id(sam.id)]
    command = next(m for m in bot.discord.messages.values() if m.reply_to == seen.id)
    assert bot.discord.parts(command)[0]["text"] == "Sum up"
    elsewhere = bot.discord.send_message("demo", "support", sam.id, NewMessage(text="x", mention=False))
    with pytest.raises(NotFoundError, match="no message"):
        from_menu(bot, "Sum up", elsewhere.id)


def test_a_user_command_contains_the_user(bot: Caller):
    registered(bot, name="Greet", type=2)
    data = from_menu(bot, "Greet", "Sam Okafor")["data"]
    assert (data["type"], data["resolved"]["users"][data["target_id"]]["global_name"]) == (2, "Sam Okafor")


def test_roles_and_mentionables_are_options_by_name_and_are_offered_as_choices(bot: Caller):
    kinds = {"who": 9, "role": 8, "where": 7}
    options = [{"type": kind, "name": name, "description": "d"} for name, kind in kinds.items()]
    registered(bot, name="ping", description="d", options=options)
    data = json.loads(bot.invoke("/ping who:@Team role:Guests where:#team").delivery.plain)["data"]
    values = {option["name"]: option["value"] for option in data["options"]}
    assert [data["resolved"]["roles"][values[name]]["name"] for name in ("who", "role")] == ["Team", "Guests"]
    assert data["resolved"]["channels"][values["where"]]["type"] == 0
    someone = json.loads(bot.invoke("/ping who:@Sam Okafor").delivery.plain)["data"]
    assert [one["global_name"] for one in someone["resolved"]["users"].values()] == ["Sam Okafor"]
    with pytest.raises(NotFoundError, match="no role"):
        bot.invoke("/ping role:Nobody")
    (ping,) = [command for command in bot.discord.commands("demo") if command["name"] == "ping"]
    offered = {option["name"]: {choice["name"] for choice in option["choices"]} for option in ping["options"]}
    assert offered["role"] == {"@Team", "@Guests"}
    assert {"@Team", "@Sam Okafor"} <= offered["who"]
    assert all(name.startswith("#") for name in offered["where"])


def test_a_user_install_works_in_a_room_without_the_bot(bot: Caller):
    content = {"name": "along", "user_install": True}
    with pytest.raises(NotFoundError, match="no command"):
        bot.discord.send_message("demo", "club", "lin", NewMessage(native=("command", content | {"name": "count"})))
    registered(bot, name="along", description="d", contexts=[0, 1, 2], integration_types=[0, 1])
    made = bot.discord.by_delivery[
        bot.discord.send_message("demo", "club", "lin", NewMessage(native=("command", content))).id
    ]
    sent = json.loads(made.delivery.plain)
    assert (sent["context"], sent["channel"]["type"], "guild_id" in sent) == (2, 3, False)
    assert sent["authorizing_integration_owners"] == {"1": sent["user"]["id"]}
    bot.respond(made.delivery, {"type": 5})
    bot.by_token("PATCH", made, ORIGINAL, json={"content": "first"})
    responses = [bot.by_token("POST", made, json={"content": str(number)}) for number in range(5)]
    assert [response.status_code for response in responses] == [200] * 5
    bot.clock.now += 5
    assert code(bot.by_token("POST", made, json={"content": "sixth"})) == (400, 40094)
    room = bot.discord.room_id("club", "group")
    assert code(bot.bot("POST", f"/channels/{room}/messages", json={"content": "x"})) == (403, 50001)
