"""Alarms of CloudWatch and approvals of CodePipeline as cards. README.md says how to use this bot."""

from typing import Any

import pipeline
from parley.bot import Bot, Settings, Turn
from parley.model import Action, Button, Card, Destination, Reply

bot = Bot()

_TEAM = (
    Destination(platform="feishu", app="demo", room_id="oc_66fa2763d5ac15b2f715165e969b5509"),
    Destination(platform="discord", app="demo", room_id="1028985494710103061"),
    Destination(platform="wecom", app="demo", webhook="ops"),
)
"""The team's rooms on the local page. A robot of WeCom shows a card as text, with the link."""
_LONGEST = 50
"""Characters of a pipeline's name that fit into a button."""
_REMEMBERED = 100
"""Cards of a room whose first press is remembered."""


class Operations(Settings):
    """The settings of this bot."""

    places: tuple[Destination, ...] = _TEAM
    """Where the cards are shown."""
    approvers: tuple[str, ...] = ()
    """The ids of the people who may approve. The bot tells everybody else their id."""


@bot.incoming("aws.cloudwatch", "CloudWatch Alarm State Change")
def alarm(turn: Turn) -> list[Reply]:
    """An alarm begins or ends"""
    event = turn.message.raw
    name, state = event["detail"]["alarmName"], event["detail"]["state"]
    match state["value"]:
        case "ALARM":
            return _everywhere(_alarm_card(event, name, state.get("reason", "")))
        case "OK":
            return _everywhere(Card(title=f"✅ {name} is OK again"))
        case _:
            return []


@bot.incoming("aws.codepipeline", "CodePipeline Action Execution State Change")
def approval(turn: Turn) -> list[Reply]:
    """A pipeline waits for an approval"""
    detail = turn.message.raw["detail"]
    if detail["state"] != "STARTED" or detail["type"]["category"] != "Approval":
        return []
    value = pipeline.Waiting(detail["pipeline"], detail["action-execution-id"]).value
    decisions = (
        Button(id="approve", label="Approve", value=value, style="primary"),
        Button(id="reject", label="Reject", value=value, style="danger"),
    )
    link = _link(turn.message.raw, f"codesuite/codepipeline/pipelines/{detail['pipeline']}/view")
    buttons = (*decisions, link) if len(detail["pipeline"]) <= _LONGEST else (link,)
    title, text = (
        f"🚦 {detail['pipeline']} waits for an approval",
        f"Stage {detail['stage']}, action {detail['action']}",
    )
    return _everywhere(Card(title=title, text=text, literal=True, buttons=buttons))


@bot.action("acknowledge")
def acknowledge(turn: Turn) -> str | Reply:
    """Somebody takes care of the alarm"""
    action = turn.action
    earlier = _first(turn, action)
    if earlier:
        return f"{earlier} has acknowledged it already."
    return _closed(action, f"👀 {action.value}", f"Acknowledged by {_name(turn)}")


@bot.action("approve", "reject")
def decide(turn: Turn) -> str | Reply:
    """Somebody decides about the approval"""
    action, person = turn.action, turn.message.sender.id
    if person not in Operations.load().approvers:
        return f"You may not decide this: {person} is not among the approvers."
    waiting, approved = pipeline.Waiting.of(action.value), action.id == "approve"
    problem = turn.once("decide", lambda _key: pipeline.decide(waiting, _name(turn), approved=approved))
    if problem:
        return problem
    verdict = "✅ approved" if approved else "⛔ rejected"
    return _closed(action, f"{waiting.pipeline}: {verdict}", f"By {_name(turn)}")


@bot.command()
def here(turn: Turn) -> str:
    """This room, for the setting `places`"""
    to = Destination.answering(turn.message)
    fields = {"platform": to.platform, "app": to.app, "tenant": to.tenant, "room_id": to.room_id}
    return "{" + ", ".join(f'"{name}": "{value}"' for name, value in fields.items() if value) + "}"


def _everywhere(card: Card) -> list[Reply]:
    return [Reply(segments=(card,), to=place) for place in Operations.load().places]


def _alarm_card(event: dict[str, Any], name: str, reason: str) -> Card:
    buttons = (
        Button(id="acknowledge", label="Acknowledge", value=name[:80], style="primary"),
        _link(event, f"cloudwatch/home#alarmsV2:alarm/{name}"),
    )
    return Card(title=f"🔥 {name}", text=reason[:500], literal=True, buttons=buttons)


def _link(event: dict[str, Any], path: str) -> Button:
    """The console of AWS, in the region of the event."""
    region = event.get("region") or "us-east-1"
    domain = "console.amazonaws.cn" if region.startswith("cn-") else "console.aws.amazon.com"
    return Button(id="open", label="Open", url=f"https://{region}.{domain}/{path}")


def _first(turn: Turn, action: Action) -> str:
    """Who has pressed this card first; empty if this person is the first one."""
    pressed: dict[str, str] = turn.state.setdefault("pressed", {})
    if action.message_id in pressed:
        return pressed[action.message_id]
    pressed[action.message_id] = _name(turn)
    for old in list(pressed)[:-_REMEMBERED]:
        del pressed[old]
    return ""


def _closed(action: Action, title: str, text: str) -> Reply:
    """The card in its last form, without buttons."""
    return Reply(op="edit", target=action.message_id, segments=(Card(title=title, text=text, literal=True),))


def _name(turn: Turn) -> str:
    sender = turn.message.sender
    return sender.name or sender.id
