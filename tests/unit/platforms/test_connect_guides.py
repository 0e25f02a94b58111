"""The guides that connect a platform agree with the code: settings, and the replies that they show."""

import ast
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from parley.adapter import App, Sent
from parley.model import Destination, Outgoing, Reply
from parley.platforms import NAMES, config_type, outbound
from tests.unit.playground.tencent import WECHAT, WECOM

DOCS = Path(__file__).parents[3] / "docs"
GUIDES = [(name, path) for name in NAMES for path in sorted(DOCS.glob(f"connect-{name}.*md"))]
NAMES_OF_GUIDES = [path.name for _, path in GUIDES]
CONFIGS = {
    "feishu": {
        "app_id": "cli_1",
        "app_secret": "the-secret",
        "verification_token": "token",
        "webhooks": {"ops": {"url": "https://open.feishu.cn/open-apis/bot/v2/hook/1"}},
    },
    "wecom": WECOM,
    "wechat": WECHAT,
}
CALLS = {"feishu": ["push"], "wecom": ["send"], "wechat": ["typing", "send", "template", "subscription"]}
"""The calls that the Python block of each guide results in; a platform that is not listed has no block."""


def blocks(path: Path, language: str) -> list[str]:
    fenced = re.findall(rf"^( *)```{language}\n(.*?)^ *```", path.read_text(), re.DOTALL | re.MULTILINE)
    return ["".join(line.removeprefix(indent) for line in block.splitlines(keepends=True)) for indent, block in fenced]


def described_fields(path: Path) -> set[str]:
    """The fields in the table of settings: the first column of the table that has `on_unknown`."""
    tables = [found for found in re.findall(r"(?:^\|.*\n)+", path.read_text(), re.MULTILINE) if "`on_unknown`" in found]
    assert len(tables) == 1, f"{path.name} needs a table of settings, with a row for `on_unknown`"
    [table] = tables
    return {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def fields(platform: str) -> set[str]:
    return {field.name for field in msgspec.structs.fields(config_type(platform))}


def reply_in(block: str, guide: str) -> Reply:
    *imports, last = ast.parse(block).body
    assert isinstance(last, ast.Expr)
    names: dict[str, Any] = {}
    exec(compile(ast.Module(imports, []), guide, "exec"), names)
    return eval(compile(ast.Expression(last.value), guide, "eval"), names)


def calls(reply: Reply, app: App) -> list[str]:
    """The names of the calls that deliver `reply`."""
    to = reply.to or Destination(platform=app.platform, app=app.name, user_id="lin")
    out = Outgoing(id="r1", message_key="", ordinal=0, to=to, reply=reply, created=0)
    steps, names = outbound(app.platform).deliver(out, app, 0), list[str]()
    try:
        call = next(steps)
        while True:
            names.append(call.name)
            call = steps.send(Sent())
    except StopIteration:
        return names


@pytest.mark.parametrize(("platform", "path"), GUIDES, ids=NAMES_OF_GUIDES)
def test_the_guide_describes_every_field_of_the_configuration_and_no_other(platform: str, path: Path) -> None:
    assert described_fields(path) == fields(platform)


@pytest.mark.parametrize(("platform", "path"), GUIDES, ids=NAMES_OF_GUIDES)
def test_the_configuration_that_the_guide_shows_has_only_fields_that_exist(platform: str, path: Path) -> None:
    shown = [msgspec.json.decode(block) for block in blocks(path, "json")]
    required = {field.name for field in msgspec.structs.fields(config_type(platform)) if field.required}
    assert shown, f"{path.name} needs a JSON block with the required fields of the configuration"
    assert all(set(config) <= fields(platform) for config in shown)
    assert required <= set(shown[0])


@pytest.mark.parametrize(("platform", "path"), GUIDES, ids=NAMES_OF_GUIDES)
def test_the_replies_that_the_guide_shows_make_the_calls(platform: str, path: Path) -> None:
    made = [
        calls(
            reply_in(block, path.name),
            App(platform, "helper", msgspec.convert(CONFIGS[platform], config_type(platform))),
        )
        for block in blocks(path, "python")
    ]
    assert made == ([CALLS[platform]] if platform in CALLS else [])


@pytest.mark.parametrize("platform", [name for name, path in GUIDES if path.name.endswith(".zh-CN.md")])
def test_both_languages_show_the_same_code_and_the_same_rows(platform: str) -> None:
    english, chinese = (DOCS / f"connect-{platform}{suffix}.md" for suffix in ("", ".zh-CN"))

    def rows(path: Path) -> list[tuple[str, ...]]:
        """Of each table row: what stands in backticks in its first column."""
        lines = re.findall(r"^\|(.*?)\|", path.read_text(), re.MULTILINE)
        return [tuple(re.findall(r"`([^`]+)`|(\d{3,})", line)) for line in lines]

    assert [blocks(english, language) for language in ("json", "python")] == [
        blocks(chinese, language) for language in ("json", "python")
    ]
    assert rows(english) == rows(chinese)


NAMES_NEED = {
    "feishu": (
        "`contact:user.base:readonly`",
        "`contact:contact.base:readonly`",
        "通讯录权限范围",
        "99991672",
        "41050",
    ),
    "wecom": ("`GET /cgi-bin/user/get`", "可见范围"),
}
"""By platform that can fetch the names of senders: the permissions, calls and errors that its guide names."""


def chapter_about_names(path: Path) -> str:
    [found] = re.findall(r"^## (?:Names of senders|发送者姓名)\n(.*?)^## ", path.read_text(), re.DOTALL | re.MULTILINE)
    return found


@pytest.mark.parametrize(
    ("platform", "path"),
    [guide for guide in GUIDES if "names" in fields(guide[0])],
    ids=lambda value: getattr(value, "name", value),
)
def test_the_guide_names_the_permission_for_the_names_of_senders(platform: str, path: Path) -> None:
    chapter = chapter_about_names(path)
    assert [term for term in NAMES_NEED[platform] if term not in chapter] == []
    assert '"names": true' in chapter
    assert "NamesUnknown" in chapter


@pytest.mark.parametrize("path", sorted(DOCS.glob("writing-a-bot*.md")), ids=lambda path: path.name)
def test_the_guide_for_bots_leads_to_the_permissions_for_names(path: Path) -> None:
    suffix, anchor = (".zh-CN", "发送者姓名") if path.name.endswith(".zh-CN.md") else ("", "names-of-senders")
    for platform in NAMES_NEED:
        assert f"(connect-{platform}{suffix}.md#{anchor})" in path.read_text()
