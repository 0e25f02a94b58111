"""Instant answers: completions and forms."""

import json
import math
from typing import Any

import pytest
from msgspec.structs import replace

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


def test_choices_that_discord_refuses_are_left_out_and_the_others_are_shown() -> None:
    refused = [Choice("a", ""), Choice("b", " "), Choice("c", "🐼" * 51), Choice("d", 2**53 + 1), Choice("e", math.nan)]
    found = shown(TYPING, Choices((*refused, Choice(" ", "x"), Choice("again", "x"), Choice("🐼" * 60, -1.5))))
    assert found["data"]["choices"] == [{"name": "x", "value": "x"}, {"name": "🐼" * 50, "value": -1.5}]
    assert shown(TYPING, Choices(tuple(refused)))["data"]["choices"] == []
    assert shown(TYPING, Choices())["data"]["choices"] == []


def test_a_length_beyond_discords_is_its_own_and_a_choice_without_a_label_shows_its_value() -> None:
    text = Input(id="t", label=" A ", max_length=9000)
    select = Input(id="s", label="B", kind="choice", choices=(Choice("", 1), Choice("two", 1), Choice("three", 3)))
    labels = shown(GIVEN, Form(id="f", title="T", inputs=(text, select)))["data"]["components"]
    assert (labels[0]["label"], labels[0]["component"]["max_length"]) == ("A", 4000)
    assert labels[1]["component"]["options"] == [{"label": "1", "value": "1"}, {"label": "three", "value": "3"}]


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


WRONG_INPUTS: list[dict[str, Any]] = [
    {"id": ""},
    {"id": "i" * 101},
    {"label": ""},
    {"label": " "},
    {"kind": "choice"},
    {"kind": "choice", "choices": (Choice("a", ""), Choice("b", "v" * 101))},
    {"min_length": -1},
    {"min_length": 4001},
    {"min_length": 9, "max_length": 8},
    {"max_length": -1},
    {"value": "x" * 4001},
    {"value": "xxx", "max_length": 2},
    {"value": "x", "min_length": 2},
]


@pytest.mark.parametrize(
    ("message", "result"),
    [
        (TYPING, FORM),
        (GIVEN, Choices()),
        (PRESSED, Choices()),
        (GIVEN, Form(id="x", title="x", inputs=())),
        (GIVEN, Form(id="x", title="x", inputs=FORM.inputs * 2)),
        (GIVEN, Form(id="x" * 101, title="x", inputs=FORM.inputs)),
    ]
    + [(PRESSED, replace(FORM, title=title)) for title in ("", " ")]
    + [(GIVEN, replace(FORM, id=""))]
    + [(GIVEN, replace(FORM, inputs=(Input(**{"id": "i", "label": "l"} | wrong),))) for wrong in WRONG_INPUTS]  # pyright: ignore[reportArgumentType]
    + [(GIVEN, replace(FORM, inputs=(Input(id="i", label="a"), Input(id="i", label="b"))))],
)
def test_an_instant_answer_that_discord_cannot_show_raises_an_error(message, result) -> None:
    with pytest.raises(ValueError, match=r"form|1 to 100"):
        instant(message, result, APP)
