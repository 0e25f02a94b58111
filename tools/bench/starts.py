"""Milliseconds of CPU in fresh processes: to import a handler, and to answer a first callback.

CPU time and not the clock's: a cold start waits for nothing but the CPU, and others may use this machine meanwhile.
"""

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.bench import views
from tools.bench.aws import Aws

_TIMED = """
import sys, time
started = time.process_time()
{code}
print((time.process_time() - started) * 1e3)
"""
FLOOR = "import boto3\nboto3.client('sqs')"
LARK = "import lark_oapi"
CLIENTS = "feishu + SQS and SSM clients"
_HANDLER = "import app\napp.lambda_handler"
_CLIENTS = "import app\nfrom parley.engine.aws import sqs, ssm\nsqs(), ssm()"
_FIRST = """
import json
event = json.loads(sys.stdin.read())
{code}
answer = app.lambda_handler(event, None)
assert answer["statusCode"] == 200, answer
"""
_LARK_APP = Path(__file__).with_name("lark_app.py")


@dataclass(frozen=True)
class Start:
    """One thing that is measured: `code` in a process that sees `paths`, fed `text`."""

    name: str
    code: str
    paths: tuple[Path, ...]
    text: str = ""


def imports(folder: Path) -> list[Start]:
    """The floor, every function's handler, one with the clients that its first callback makes, and lark-oapi."""
    layer = views.layer(folder)
    functions = sorted(path.parent for path in (views.ROOT / "functions").glob("*/app.py"))
    feishu = next(path for path in functions if path.name == "feishu")
    return [
        Start("boto3 + SQS client", FLOOR, (layer,)),
        *(Start(path.name, _HANDLER, _paths(path, layer)) for path in functions),
        Start(CLIENTS, _CLIENTS, _paths(feishu, layer)),
        Start("lark-oapi", LARK, (views.with_needs(folder, "lark-oapi"),)),
    ]


def _paths(function: Path, layer: Path) -> tuple[Path, ...]:
    return function, views.ROOT / "mybot", views.ROOT / "shared", layer


def first_answers(folder: Path, event: dict[str, object]) -> list[Start]:
    """A first callback, from nothing to its answer, with the configuration from SSM and the message into SQS."""
    code, text = _FIRST.format(code="import app"), json.dumps(event)
    lark = views.with_needs(folder, "lark-oapi", "boto3")
    feishu = views.ROOT / "functions" / "feishu"
    return [
        Start("parley", code, _paths(feishu, folder / "layer"), text),
        Start(
            "lark-oapi + boto3", code.replace("import app", "import lark_app as app"), (_LARK_APP.parent, lark), text
        ),
    ]


def measure(starts: list[Start], aws: Aws, runs: int) -> dict[str, list[float]]:
    """Milliseconds of CPU by name, in turns. A first round, not counted, writes the byte code and warms the disk."""
    found: dict[str, list[float]] = {start.name: [] for start in starts}
    for number in range(runs + 1):
        for start in starts:
            taken = _run(start, aws)
            if number:
                found[start.name].append(taken)
    return found


def ratios(found: dict[str, list[float]], floor: str) -> dict[str, float]:
    """How many times as long as `floor` each takes: medians of the rounds' own ratios."""
    base = found[floor]
    return {
        name: statistics.median(one / other for one, other in zip(values, base, strict=True))
        for name, values in found.items()
    }


def _run(start: Start, aws: Aws) -> float:
    environment = {"PYTHONPATH": os.pathsep.join(map(str, start.paths)), "PATH": os.environ.get("PATH", "")}
    done = subprocess.run(
        [sys.executable, "-S", "-c", _TIMED.format(code=start.code)],
        env=environment | aws.environment(),
        input=start.text,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"bench: {start.name} does not start:\n{done.stderr[-2000:]}")
    return float(done.stdout.splitlines()[-1])
