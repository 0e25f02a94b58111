"""The cards and their buttons, in the room of the team. `make test-bot BOT=examples/operations` runs this."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import pipeline
from bot import bot
from parley.testing import Chat, Room

EVENTS = Path(__file__).parents[1] / "events"
WITH_BUTTONS = pytest.mark.parametrize("platform", ["feishu", "discord"])


def event(name: str, **detail: Any) -> dict[str, Any]:
    """An event of the folder `events`, with other fields in its detail."""
    found = json.loads((EVENTS / f"{name}.json").read_text())
    return {**found, "detail": {**found["detail"], **detail}}


def team(platform: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Chat, Room]:
    """A chat whose room `team` gets the cards."""
    chat = Chat(bot, platform)
    room = chat.room("team")
    place = {"platform": platform, "app": "demo", "room_id": room.id}
    monkeypatch.setenv("PARLEY_SETTING_PLACES", json.dumps([place]))
    return chat, room


@WITH_BUTTONS
def test_an_alarm_is_acknowledged_in_its_card(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chat, room = team(platform, monkeypatch)
    chat.incoming(event("alarm"))
    assert "Threshold Crossed" in room.expect(contains="🔥 orders-5xx").text
    assert "[Acknowledge]" in room.shown()

    room.press("Acknowledge", by="ann")
    edited = room.expect(contains="Acknowledged by")
    assert (edited.kind, "Acknowledge]" in str(edited)) == ("edit", False)
    room.expect_nothing()


@WITH_BUTTONS
def test_the_end_of_an_alarm_is_shown(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chat, room = team(platform, monkeypatch)
    chat.incoming(event("recovered"))
    room.expect("✅ orders-5xx is OK again")
    chat.incoming(event("alarm", state={"value": "INSUFFICIENT_DATA"}) | {"id": "3"})
    room.expect_nothing()


def test_an_event_that_comes_twice_shows_one_card(monkeypatch: pytest.MonkeyPatch) -> None:
    chat, room = team("feishu", monkeypatch)
    for _ in range(2):
        chat.incoming(event("alarm"))
    chat.advance(minutes=10)
    chat.incoming(event("alarm"))
    assert len(room.replies) == 1


def test_a_robot_of_wecom_shows_the_alarm_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = {"url": "http://wecom.imitation/cgi-bin/webhook/send?key=0b1e6f3a-8d0e-4b1f-9a51-4f2d8f2c7c11"}
    chat = Chat(bot, "wecom", config={"webhooks": {"ops": hook}})
    place = {"platform": "wecom", "app": "demo", "webhook": "ops"}
    monkeypatch.setenv("PARLEY_SETTING_PLACES", json.dumps([place]))
    chat.incoming(event("alarm"))
    assert "https://us-east-1.console.aws.amazon.com/cloudwatch" in str(chat.room("team").expect(contains="orders-5xx"))


class CodePipeline:
    """The two calls of CodePipeline, with one approval that waits."""

    def __init__(self) -> None:
        self.results: list[dict[str, Any]] = []
        self.waits = True

    def get_pipeline_state(self, name: str) -> dict[str, Any]:
        assert name == "shop"
        token = {"token": "t-1"} if self.waits else {}
        latest = {"actionExecutionId": "47f821c5-a902-4c1e-9f77-2ff0e0e1a7b6", **token}
        actions: list[dict[str, Any]] = [{"actionName": "Test"}, {"actionName": "Release", "latestExecution": latest}]
        return {"stageStates": [{"stageName": "Production", "actionStates": actions}]}

    def put_approval_result(self, **given: Any) -> None:
        self.results.append(given)
        self.waits = False


@pytest.fixture
def codepipeline(monkeypatch: pytest.MonkeyPatch) -> CodePipeline:
    found = CodePipeline()

    def client(_service: str, **_: Any) -> CodePipeline:
        return found

    monkeypatch.setattr(boto3, "client", client)
    return found


def approve_as(person: str, room: Room, monkeypatch: pytest.MonkeyPatch, button: str = "Approve") -> None:
    """Let `person` press a button, as one of the approvers."""
    room.press(button, by=person)
    refusal = room.expect(contains="is not among the approvers").text
    id_ = refusal.partition(": ")[2].partition(" ")[0]
    monkeypatch.setenv("PARLEY_SETTING_APPROVERS", json.dumps([id_]))
    room.press(button, by=person)


@WITH_BUTTONS
@pytest.mark.parametrize(("button", "status"), [("Approve", "Approved"), ("Reject", "Rejected")])
def test_an_approver_decides_once(
    platform: str, button: str, status: str, monkeypatch: pytest.MonkeyPatch, codepipeline: CodePipeline
) -> None:
    chat, room = team(platform, monkeypatch)
    chat.incoming(event("approval"))
    room.expect(contains="🚦 shop waits for an approval")

    approve_as("ann", room, monkeypatch, button)

    assert room.expect(contains=status.lower()).kind == "edit"
    (result,) = codepipeline.results
    assert result["result"]["status"] == status
    assert {"pipelineName": "shop", "stageName": "Production", "actionName": "Release", "token": "t-1"}.items() <= (
        result.items()
    )


def test_an_approval_that_is_over_is_not_decided(monkeypatch: pytest.MonkeyPatch, codepipeline: CodePipeline) -> None:
    chat, room = team("feishu", monkeypatch)
    chat.incoming(event("approval"))
    room.expect(contains="waits for an approval")
    codepipeline.waits = False
    approve_as("ann", room, monkeypatch)
    room.expect("The pipeline does not wait for this approval any more.")
    assert codepipeline.results == []


def test_a_refusal_of_aws_is_said_and_the_card_stays(
    monkeypatch: pytest.MonkeyPatch, codepipeline: CodePipeline
) -> None:
    def denied(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutApprovalResult")

    monkeypatch.setattr(codepipeline, "put_approval_result", denied)
    chat, room = team("feishu", monkeypatch)
    chat.incoming(event("approval"))
    room.expect(contains="waits for an approval")
    approve_as("ann", room, monkeypatch)
    room.expect("CodePipeline answers AccessDeniedException.")


@pytest.mark.parametrize("detail", [{"state": "SUCCEEDED"}, {"type": {"category": "Build"}}])
def test_other_actions_of_a_pipeline_are_not_shown(detail: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    chat, room = team("feishu", monkeypatch)
    chat.incoming(event("approval", **detail))
    room.expect_nothing()


@WITH_BUTTONS
def test_a_pipeline_whose_name_does_not_fit_into_a_button_has_a_link(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat, room = team(platform, monkeypatch)
    chat.incoming(event("approval", pipeline="p" * 100))
    room.expect(contains="waits for an approval")
    assert ("[Open" in room.shown(), "[Approve]" in room.shown()) == (True, False)


def test_a_room_tells_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    _, room = team("feishu", monkeypatch)
    room.say("/here")
    assert json.loads(room.expect(contains="feishu").text)["room_id"] == room.id


def test_the_local_stack_approves_without_codepipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_STAGE", "local")
    assert pipeline.decide(pipeline.Waiting("shop", "1"), "ann", approved=True) == ""
