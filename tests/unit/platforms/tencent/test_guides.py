"""What the guides of WeCom and WeChat show is what the platforms take."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from parley.adapter import App, Sent
from parley.model import Destination, Outgoing, Reply
from parley.platforms import outbound
from tests.unit.playground.tencent import wechat, wecom

DOCS = Path(__file__).parents[4] / "docs"
GUIDES = [
    ("connect-wecom.md", wecom, ["send"]),
    ("connect-wecom.zh-CN.md", wecom, ["send"]),
    ("connect-wechat.md", wechat, ["typing", "send", "template", "subscription"]),
    ("connect-wechat.zh-CN.md", wechat, ["typing", "send", "template", "subscription"]),
]


def shown(guide: str) -> Reply:
    """The reply that the guide's code makes."""
    (block,) = re.findall(r"^```python\n(.*?)^```", (DOCS / guide).read_text(), re.DOTALL | re.MULTILINE)
    *imports, last = ast.parse(block).body
    assert isinstance(last, ast.Expr)
    names: dict[str, Any] = {}
    exec(compile(ast.Module(imports, []), guide, "exec"), names)
    return eval(compile(ast.Expression(last.value), guide, "eval"), names)


def calls(reply: Reply, app: App) -> list[str]:
    """The names of the calls that say `reply`."""
    to = reply.to or Destination(platform=app.platform, app=app.name, user_id="lin")
    out = Outgoing(id="r1", message_key="", ordinal=0, to=to, reply=reply, created=0)
    steps, names = outbound(app.platform).deliver(out, app, 0), []
    try:
        call = next(steps)
        while True:
            names.append(call.name)
            call = steps.send(Sent())
    except StopIteration:
        return names


@pytest.mark.parametrize(("guide", "platform", "wanted"), GUIDES, ids=[guide for guide, _, _ in GUIDES])
def test_the_code_of_the_guide_makes_the_calls(guide: str, platform: Any, wanted: list[str]) -> None:
    assert calls(shown(guide), platform().app) == wanted
