"""The whole way of a first message, each function in a fresh process: from the event to the platform's first call.

The same job with the SDKs of the platforms is one process (`lark_bot`, `wechatpy_bot`, `discord_bot`).
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from parley.platforms.discord.commands import definitions
from playground.platforms.base import NewMessage
from playground.platforms.exchange import Request
from playground.platforms.model import Attempt, Delivery
from tools import bot
from tools.bench import timing, views
from tools.bench.cloud import APP, SUITE, Cloud, records
from tools.bench.timing import Start

AT_ONCE, QUEUED = "parley, at once", "parley, queue"
_CODE = """
{module}
answer = app.lambda_handler(event, Context)
"""
_BEFORE = """
import json
class Context:
    get_remaining_time_in_millis = staticmethod(lambda: 60000)
event = json.loads(sys.stdin.read())
"""
_AFTER = """
assert not answer.get("batchItemFailures"), answer
print(json.dumps(answer))
"""
_PERSON, _ROOM = "lin", "private"


@dataclass(frozen=True)
class Way:
    """The functions that a message passes on one platform, in order."""

    platform: str
    name: str
    steps: tuple[Start, ...]
    settings: Mapping[str, str]
    """Environment variables."""
    calls: bool = True
    """Whether it calls the platform's API."""


def ways(folder: Path, layer: Path) -> list[Way]:
    """The compared ways of Feishu, WeChat and Discord."""
    here = Path(__file__).parent
    found: list[Way] = []
    for platform, library, module in (
        ("feishu", "lark-oapi", "lark_bot"),
        ("wechat", "wechatpy", "wechatpy_bot"),
        ("discord", "discord-interactions", "discord_bot"),
    ):
        names = (library, "boto3", "cryptography") if platform == "wechat" else (library, "boto3")
        paths = here, views.with_needs(folder, *names)
        code = _CODE.format(module=f"import {module} as app")
        found += ours(platform, layer)
        found += [Way(platform, library, (_start("callback", code, paths),), {}, calls=platform != "discord")]
    return found


def ours(platform: str, layer: Path) -> list[Way]:
    """Parley's two ways of a reply."""
    at_once = _ours(platform, AT_ONCE, ("processor",), layer)
    return [at_once, _ours(platform, QUEUED, ("processor", "deliverer"), layer)]


def _ours(platform: str, name: str, workers: Sequence[str], layer: Path) -> Way:
    folders = {"callback": platform, **{worker: worker for worker in workers}}
    code = _CODE.format(module="import app")
    steps = (
        _start(stage, code, (views.ROOT / "functions" / folder, views.ROOT / bot.SAMPLE, views.ROOT / "shared", layer))
        for stage, folder in folders.items()
    )
    return Way(platform, name, tuple(steps), {"PARLEY_DELIVER_AT_ONCE": str(name == AT_ONCE).lower()})


def _start(name: str, code: str, paths: tuple[Path, ...]) -> Start:
    return Start(name, code, paths, before=_BEFORE, after=_AFTER)


Taken = dict[str, dict[str, list[float]]]
"""Milliseconds of CPU time by way, and by function or `total`; one for each run."""


def measure(chosen: Sequence[Way], runs: int, cloud: Cloud) -> Taken:
    """Let all ways take turns. The first turn is not counted: it also fetches the tokens that the table keeps."""
    register_commands(cloud)
    found: Taken = {way.name: {} for way in chosen}
    for number in range(runs + 1):
        for way in chosen:
            taken = walk(way, cloud)
            for stage, milliseconds in {**taken, "total": sum(taken.values())}.items() if number else ():
                found[way.name].setdefault(stage, []).append(milliseconds)
    return found


def walk(way: Way, cloud: Cloud) -> dict[str, float]:
    """The CPU time of each function for one message."""
    delivery = say(cloud, way.platform, "/count")
    before = len(cloud.calls(way.platform))
    event: dict[str, Any] = gateway_event(delivery)
    taken: dict[str, float] = {}
    for step, queue in zip(way.steps, ("inbound", "outbound", ""), strict=False):
        environment = {**cloud.environment(), **way.settings}
        taken[step.name], answer = timing.once(replace(step, stdin=json.dumps(event)), environment)
        if step.name == "callback":
            acknowledge(cloud, delivery, json.loads(answer))
        sent = cloud.sent[queue]
        event = records(sent[-1:])[0] if sent else {}
    if (len(cloud.calls(way.platform)) > before) != way.calls:
        raise SystemExit(f"bench: {way.name} has not called the API of {way.platform}, or must not")
    return taken


# --- messages of the simulated platforms ------------------------------------------------------------------------------


def say(cloud: Cloud, platform: str, text: str, person: str = _PERSON) -> Delivery:
    """A person writes `text`. Returns the callback that the platform makes."""
    imitation = cloud.platforms[platform]
    imitation.send_message(APP, _ROOM, person, NewMessage(text=text))
    (delivery,) = imitation.drain_outbox()
    return delivery


def install(cloud: Cloud, company: str) -> Delivery:
    """A company installs the app of a provider. Returns the callback that WeCom makes."""
    imitation = cloud.platforms["wecom"]
    imitation.emit_event(SUITE, "installed", {"company": company})
    (delivery,) = imitation.drain_outbox()
    return delivery


def gateway_event(delivery: Delivery) -> dict[str, Any]:
    """The event of API Gateway for a callback."""
    wire = delivery.wire
    return {
        "httpMethod": wire.method,
        "headers": dict(wire.headers),
        "queryStringParameters": dict(wire.query),
        "pathParameters": {"app": delivery.app},
        "body": base64.b64encode(wire.body).decode(),
        "isBase64Encoded": True,
    }


def acknowledge(cloud: Cloud, delivery: Delivery, answer: Mapping[str, Any]) -> None:
    """Hand the response of the callback function to the platform. Raises SystemExit if it is not accepted."""
    imitation = cloud.platforms[delivery.platform]
    attempt = Attempt(imitation.clock(), 0, int(answer["statusCode"]))
    imitation.record_attempt(delivery, attempt, {}, str(answer["body"]).encode())
    if delivery.state != "delivered":
        raise SystemExit(f"bench: {delivery.platform} does not accept the response {answer}")


def register_commands(cloud: Cloud) -> None:
    """Register the bot's commands with Discord."""
    config = cloud.configurations["discord"]
    request = Request(
        "PUT",
        f"/api/v10/applications/{config['application_id']}/commands",
        headers={"authorization": f"Bot {config['bot_token']}", "user-agent": "DiscordBot (bench, 1)"},
        body=json.dumps(definitions(bot.load(views.ROOT / bot.SAMPLE / "bot.py").specs())).encode(),
    )
    response = cloud.platforms["discord"].handle(request)
    if response.status != 200:
        raise SystemExit(f"bench: Discord rejects the commands: {response.body!r}")


def of_platform(chosen: Sequence[Way]) -> Iterator[tuple[str, list[Way]]]:
    """The ways by platform."""
    for platform in dict.fromkeys(way.platform for way in chosen):
        yield platform, [way for way in chosen if way.platform == platform]
