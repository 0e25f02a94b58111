"""Instant answers: completions and forms."""

import json
from typing import Any

import pytest

from parley.model.instant import Choice, Choices, Form, Input
from parley.platforms.discord.inbound import instant
from parley.platforms.discord.interaction import message_of
from tests.conformance.adapters.discord import APP, completion, press, slash

TYPING, GIVEN, PRESSED = (message_of(body, APP) for body in (completion(), slash(), press()))


def shown(message, result) -> Any:
    response = instant(message, result, APP)
    assert (response.status, response.content_type) == (200, "application/json")
    return json.loads(response.body)


def test_choices_become_a_completion() -> None:
    result = Choices((Choice("Invoice 2026-11", "inv-2026-11"), Choice("", 7), Choice("Half", 0.5)))
    assert shown(TYPING, result) == {
        "type": 8,
        "data": {
            "choices": [
                {"name": "Invoice 2026-11", "value": "inv-2026-11"},
                {"name": "7", "value": 7},
                {"name": "Half", "value": 0.5},
            ]
        },
    }


def test_the_number_of_choices_and_the_length_of_labels_are_limited() -> None:
    choices = tuple(Choice("x" * 200, number) for number in range(30))
    found = shown(TYPING, Choices(choices))["data"]["choices"]
    assert [choice["value"] for choice in found] == list(range(25))
    assert {len(choice["name"]) for choice in found} == {100}


def test_a_choice_with_a_too_long_value_is_left_out() -> None:
    result = Choices((Choice("long", "v" * 101), Choice("short", "v" * 100)))
    assert [choice["name"] for choice in shown(TYPING, result)["data"]["choices"]] == ["short"]


FORM = Form(
    id="ticket",
    value="new",
    title="A new ticket" + "!" * 50,
    inputs=(
        Input(id="subject", label="Subject", placeholder="short", max_length=80),
        Input(id="text", label="What happened", kind="paragraph", required=False, value="It", min_length=2, help="All"),
        Input(id="prio", label="Priority", kind="choice", value="2", choices=(Choice("low", 1), Choice("high", 2))),
    ),
)


@pytest.mark.parametrize("message", [GIVEN, PRESSED])
def test_a_command_and_a_button_can_open_a_form(message) -> None:
    found = shown(message, FORM)
    assert (found["type"], found["data"]["custom_id"]) == (9, "ticket?new")
    assert found["data"]["title"] == "A new ticket" + "!" * 33
    subject, text, prio = found["data"]["components"]
    assert subject == {
        "type": 18,
        "label": "Subject",
        "component": {
            "type": 4,
            "style": 1,
            "custom_id": "subject",
            "required": True,
            "placeholder": "short",
            "max_length": 80,
        },
    }
    assert text["description"] == "All"
    assert text["component"] == {
        "type": 4,
        "style": 2,
        "custom_id": "text",
        "required": False,
        "min_length": 2,
        "value": "It",
    }
    assert prio["component"] == {
        "type": 3,
        "custom_id": "prio",
        "required": True,
        "options": [{"label": "low", "value": "1"}, {"label": "high", "value": "2", "default": True}],
    }


@pytest.mark.parametrize(
    ("message", "result"),
    [
        (TYPING, FORM),
        (GIVEN, Choices()),
        (PRESSED, Choices()),
        (GIVEN, Form(id="x", title="x", inputs=())),
        (GIVEN, Form(id="x", title="x", inputs=FORM.inputs * 2)),
        (GIVEN, Form(id="x" * 101, title="x", inputs=FORM.inputs)),
    ],
)
def test_an_instant_answer_that_discord_cannot_show_raises_an_error(message, result) -> None:
    with pytest.raises(ValueError, match=r"form|100"):
        instant(message, result, APP)
