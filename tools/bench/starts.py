"""The cold starts that are compared: the import of a handler, and the response to a first callback."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools import bot
from tools.bench import views
from tools.bench.timing import Start

BASE = "import boto3\nboto3.client('sqs')"
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


def imports(folder: Path, layer: Path) -> list[Start]:
    """boto3 as the base, the handler of every function, one with the clients of its first callback, and lark-oapi."""
    functions = sorted(path.parent for path in (views.ROOT / "functions").glob("*/app.py"))
    feishu = next(path for path in functions if path.name == "feishu")
    return [
        Start("boto3 + SQS client", BASE, (layer,)),
        *(Start(path.name, _HANDLER, _paths(path, layer)) for path in functions),
        Start(CLIENTS, _CLIENTS, _paths(feishu, layer)),
        Start("lark-oapi", LARK, (views.with_needs(folder, "lark-oapi"),)),
    ]


def _paths(function: Path, layer: Path) -> tuple[Path, ...]:
    return function, views.ROOT / bot.SAMPLE, views.ROOT / "shared", layer


def authorisation(layer: Path, event: Mapping[str, Any]) -> Start:
    """A first callback of WeCom that a company has installed the app of a provider: the same work."""
    code, text = _FIRST.format(code="import app"), json.dumps(event)
    return Start("create_auth", code, _paths(views.ROOT / "functions" / "wecom", layer), stdin=text)


def first_responses(folder: Path, layer: Path, event: Mapping[str, Any]) -> list[Start]:
    """A first callback of Feishu: import, configuration from SSM, message to SQS, response."""
    code, text = _FIRST.format(code="import app"), json.dumps(event)
    lark = views.with_needs(folder, "lark-oapi", "boto3")
    feishu = views.ROOT / "functions" / "feishu"
    return [
        Start("parley", code, _paths(feishu, layer), stdin=text),
        Start(
            "lark-oapi + boto3",
            code.replace("import app", "import lark_app as app"),
            (_LARK_APP.parent, lark),
            stdin=text,
        ),
    ]
