"""The bot's commands as Discord's definitions, and the changes to the registered ones."""

import json
from typing import Any

import httpx
import pytest

from parley.engine.http import Http
from parley.model.commands import CommandSpec, OptionSpec
from parley.model.instant import Choice
from parley.platforms.discord.commands import BadCommandError, definitions
from parley.platforms.discord.registration import Plan, calls, listing, plan
from parley_cli import registration
from tests.conformance.adapters.discord import APP, APPLICATION, TOKEN

ASK = CommandSpec(
    name="ask",
    help="Ask anything\nand more",
    helps={"zh-CN": "随便问"},
    names={"zh-CN": "问"},
    options=(
        OptionSpec(name="times", kind="int", minimum=1, maximum=5),
        OptionSpec(name="question", help="What to ask", required=True, maximum=300, names={"zh-CN": "问题"}),
        OptionSpec(name="ratio", kind="float", minimum=0.5),
        OptionSpec(name="style", choices=(Choice("Short", "s"), Choice("", "l"))),
        OptionSpec(name="topic", completes=True),
        OptionSpec(name="file", kind="file"),
    ),
)


def test_a_command_becomes_a_definition() -> None:
    assert definitions([ASK]) == [
        {
            "type": 1,
            "name": "ask",
            "name_localizations": {"zh-CN": "问"},
            "description": "Ask anything",
            "description_localizations": {"zh-CN": "随便问"},
            "options": [
                {
                    "type": 3,
                    "name": "question",
                    "name_localizations": {"zh-CN": "问题"},
                    "description": "What to ask",
                    "required": True,
                    "max_length": 300,
                },
                {"type": 4, "name": "times", "description": "times", "min_value": 1, "max_value": 5},
                {"type": 10, "name": "ratio", "description": "ratio", "min_value": 0.5},
                {
                    "type": 3,
                    "name": "style",
                    "description": "style",
                    "choices": [{"name": "Short", "value": "s"}, {"name": "l", "value": "l"}],
                },
                {"type": 3, "name": "topic", "description": "topic", "autocomplete": True},
                {"type": 11, "name": "file", "description": "file"},
            ],
            "contexts": [0, 1],
        }
    ]


def test_sub_commands_are_grouped_under_their_first_word() -> None:
    names = ("doc file check", "doc file copy", "doc search")
    (root,) = definitions(CommandSpec(name=name, help=name) for name in names)
    group, search = root["options"]
    assert (root["type"], root["name"], root["description"]) == (1, "doc", "doc")
    assert (group["type"], group["name"]) == (2, "file")
    assert [(leaf["type"], leaf["name"]) for leaf in group["options"]] == [(1, "check"), (1, "copy")]
    assert search == {"type": 1, "name": "search", "description": "doc search"}


def test_menu_entries_have_no_description_and_may_share_a_name_with_a_command() -> None:
    specs = [
        CommandSpec(name="Sum up", menu="message"),
        CommandSpec(name="greet", menu="user"),
        CommandSpec(name="greet"),
    ]
    found = definitions(specs)
    assert [(definition["type"], definition["name"]) for definition in found] == [
        (3, "Sum up"),
        (2, "greet"),
        (1, "greet"),
    ]
    assert ["description" in definition for definition in found] == [False, False, True]


def test_permissions_and_contexts_follow_the_strictest_sub_command() -> None:
    def where(*specs: CommandSpec) -> dict[str, Any]:
        (root,) = definitions(specs)
        return {name: root[name] for name in root if name not in ("type", "name", "description", "options")}

    assert where(CommandSpec(name="a", admin=True)) == {"default_member_permissions": "0", "contexts": [0, 1]}
    assert where(CommandSpec(name="a", rooms_only=True, anywhere=True)) == {"contexts": [0]}
    assert where(CommandSpec(name="a", anywhere=True)) == {"contexts": [0, 1, 2], "integration_types": [0, 1]}
    together = where(CommandSpec(name="a b", admin=True), CommandSpec(name="a c", rooms_only=True))
    assert together == {"default_member_permissions": "0", "contexts": [0]}


def test_a_long_help_is_shortened_and_a_missing_one_is_the_name() -> None:
    (long,) = definitions([CommandSpec(name="a", help="x" * 200)])
    (none,) = definitions([CommandSpec(name="a")])
    assert (long["description"], none["description"]) == ("x" * 99 + "…", "a")
    (translated,) = definitions([CommandSpec(name="a", helps={"de": "x" * 200, "fr": "court"})])
    assert translated["description_localizations"] == {"de": "x" * 99 + "…", "fr": "court"}


@pytest.mark.parametrize("name", ["count", "问答", "naïve", "a-b_c", "ไทย", "हिन्दी", "x" * 32])
def test_a_name_may_be_in_any_script(name: str) -> None:
    (found,) = definitions([CommandSpec(name=name)])
    assert found["name"] == name


MANY = tuple(OptionSpec(name=f"o{number}") for number in range(26))
LONG = tuple(OptionSpec(name=f"o{number}", helps={"de": "h" * 100}) for number in range(5))
CHOICES = tuple(Choice(str(number), number) for number in range(26))


@pytest.mark.parametrize(
    "specs",
    [
        [CommandSpec(name="Ask")],
        [CommandSpec(name="x" * 33)],
        [CommandSpec(name="")],
        [CommandSpec(name="a  b")],
        [CommandSpec(name="a b c d")],
        [CommandSpec(name="a!")],
        [CommandSpec(name="a"), CommandSpec(name="a")],
        [CommandSpec(name="a"), CommandSpec(name="a b")],
        [CommandSpec(name="a b c"), CommandSpec(name="a b")],
        [CommandSpec(name="a b"), CommandSpec(name="a b")],
        [CommandSpec(name=f"a s{number}") for number in range(26)],
        [CommandSpec(name=f"c{number}") for number in range(101)],
        [CommandSpec(name=f"c{number}", menu="user") for number in range(16)],
        [CommandSpec(name="m" * 33, menu="message")],
        [CommandSpec(name="m", menu="message", options=(OptionSpec(name="a"),))],
        [CommandSpec(name="a", options=MANY)],
        [CommandSpec(name="a", options=(OptionSpec(name="x"), OptionSpec(name="x")))],
        [CommandSpec(name="a", options=(OptionSpec(name="X"),))],
        [CommandSpec(name="a", options=(OptionSpec(name="x", kind="int", choices=CHOICES),))],
        [CommandSpec(name="a", options=(OptionSpec(name="x", kind="user", choices=CHOICES[:1]),))],
        [CommandSpec(name="a", options=(OptionSpec(name="x", completes=True, choices=CHOICES[:1]),))],
        [CommandSpec(name="a", names={"de": "Bestellen"})],
        [CommandSpec(name="a b", names={"zh-CN": "站会 记录"})],
        [CommandSpec(name="m", menu="message", names={"de": "m" * 33})],
        [CommandSpec(name="a", options=(OptionSpec(name="x", names={"de": "Größe"}),))],
        [CommandSpec(name=f"a s{n}", help="h", options=LONG, helps={"de": "h" * 100}) for n in range(20)],
        *(
            [CommandSpec(name="a", options=(OptionSpec(name="x", **wrong),))]  # pyright: ignore[reportArgumentType]
            for wrong in (
                {"kind": "file", "completes": True},
                {"choices": (Choice("empty", ""),)},
                {"choices": (Choice("long", "v" * 101),)},
                {"choices": (Choice("same", "a"), Choice("same", "b"))},
                {"choices": (Choice("x" * 100 + "1", "a"), Choice("x" * 100 + "2", "b"))},
                {"choices": (Choice("one", "a"), Choice("two", "a"))},
                {"kind": "int", "choices": (Choice("big", 2**53 + 1),)},
                {"kind": "int", "minimum": 3, "maximum": 2},
            )
        ),
    ],
)
def test_a_definition_that_discord_would_refuse_raises_an_error(specs: list[CommandSpec]) -> None:
    with pytest.raises(BadCommandError, match=r"/|Discord takes|menu entry"):
        definitions(specs)


# --- changes ----------------------------------------------------------------------------------------------------------


def registered(*definitions_: dict[str, Any]) -> list[dict[str, Any]]:
    """Registered definitions as Discord returns them: with ids, defaults and nulls."""

    def full(option: dict[str, Any]) -> dict[str, Any]:
        return {"required": False, "name_localizations": None, "new_field": 1, **option}

    return [
        {
            "id": str(number),
            "application_id": APPLICATION,
            "version": "9",
            "default_member_permissions": None,
            "nsfw": False,
            "integration_types": [0],
            "name_localizations": None,
            "description_localizations": None,
            "description": "",
            **definition,
            "options": [full(option) for option in definition.get("options", ())],
        }
        for number, definition in enumerate(definitions_, start=1)
    ]


SPECS = (ASK, CommandSpec(name="help", help="Help"), CommandSpec(name="Sum up", menu="message"))
ZERO = CommandSpec(name="zero", options=(OptionSpec(name="n", kind="int", minimum=0, choices=(Choice("none", 0),)),))


@pytest.mark.parametrize("guild", [False, True])
def test_registered_commands_without_differences_need_no_change(guild: bool) -> None:
    wanted = definitions([*SPECS, ZERO])
    assert plan(registered(*wanted), wanted, guild=guild) == Plan()


def test_the_order_of_contexts_is_ignored() -> None:
    wanted = definitions(SPECS)
    assert plan(registered(*({**d, "contexts": [1, 0]} for d in wanted)), wanted) == Plan()


def test_the_commands_of_a_guild_have_no_contexts() -> None:
    (created,) = plan([], definitions([CommandSpec(name="a", anywhere=True)]), guild=True).create
    assert created == {"type": 1, "name": "a", "description": "a"}


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"description": "Other"}, ("description",)),
        ({"contexts": [0]}, ("contexts",)),
        ({"default_member_permissions": "0"}, ("default_member_permissions",)),
        ({"name_localizations": {"de": "hilfe"}}, ("name_localizations",)),
        ({"description_localizations": {"de": "Hilfe"}}, ("description_localizations",)),
        ({"options": [{"type": 3, "name": "x", "description": "x"}]}, ("options",)),
    ],
)
def test_each_difference_is_named_and_corrected(changed: dict[str, Any], fields: tuple[str, ...]) -> None:
    wanted = definitions([CommandSpec(name="help", help="Help")])
    found = plan(registered({**wanted[0], **changed}), wanted)
    assert (found.create, found.delete) == ((), ())
    (update,) = found.update
    assert (update.id, update.fields) == ("1", fields)
    (call,) = calls(found, APP)
    (name,) = fields
    assert call.json[name] == wanted[0].get(name, [] if name == "options" else None)


def test_a_bound_of_zero_counts_as_set() -> None:
    wanted = definitions([ZERO])
    without = json.loads(json.dumps(wanted))
    del without[0]["options"][0]["min_value"]
    assert plan(registered(*without), wanted).update[0].fields == ("options",)


def test_only_differences_are_applied_and_the_entry_point_command_stays() -> None:
    wanted = definitions(SPECS)
    entry = {"type": 4, "name": "launch"}
    existing = registered(wanted[0], {**wanted[1], "description": "Old"}, {"type": 1, "name": "gone"}, entry)
    found = plan(existing, wanted)
    assert [*found.lines()] == ["- /gone", "~ /help: description", "+ message: Sum up"]
    made = [*calls(found, APP, "20")]
    where = f"https://discord.com/api/v10/applications/{APPLICATION}/guilds/20/commands"
    assert [(call.method, call.url) for call in made] == [
        ("DELETE", f"{where}/3"),
        ("PATCH", f"{where}/2"),
        ("POST", where),
    ]
    assert "type" not in made[1].json
    assert made[2].json == wanted[2]
    assert all(call.auth and TOKEN not in repr(call) for call in made)


def test_an_update_of_a_menu_entry_has_no_description_or_options() -> None:
    wanted = definitions([CommandSpec(name="Sum up", menu="message", admin=True)])
    found = plan(registered({**wanted[0], "default_member_permissions": None}), wanted)
    (call,) = calls(found, APP)
    assert call.json == {
        "name": "Sum up",
        "name_localizations": None,
        "default_member_permissions": "0",
        "contexts": [0, 1],
    }


# --- the command line -------------------------------------------------------------------------------------------------


class Portal:
    """Discord's registration API for one application."""

    def __init__(self) -> None:
        self.commands: dict[str, dict[str, Any]] = {}
        self.limited = 0
        self.refusal: httpx.Response | None = None
        self.calls: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request.method)
        assert request.headers["Authorization"] == f"Bot {TOKEN}"
        if self.limited:
            self.limited -= 1
            return httpx.Response(429, json={"retry_after": 1.5, "global": False})
        if self.refusal and request.method != "GET":
            return self.refusal
        id_ = request.url.path.rpartition("/")[2]
        match request.method:
            case "GET":
                return httpx.Response(200, json=[*self.commands.values()])
            case "DELETE":
                del self.commands[id_]
                return httpx.Response(204)
            case "POST":
                id_ = str(len(self.commands) + 1)
        self.commands[id_] = self.commands.get(id_, {"id": id_}) | json.loads(request.content)
        return httpx.Response(200, json=self.commands[id_])


def register(portal: Portal, *, apply: bool, slept: list[float] | None = None) -> None:
    with httpx.Client(transport=httpx.MockTransport(portal)) as client:
        waited = slept if slept is not None else []
        registration.register(SPECS, APP, "", Http(client), apply=apply, sleep=waited.append)


def test_the_tool_lists_changes_and_applies_them_once(capsys: pytest.CaptureFixture[str]) -> None:
    portal = Portal()
    register(portal, apply=False)
    assert portal.commands == {}
    assert capsys.readouterr().out.splitlines() == [
        "everywhere: 3 to change",
        "  + /ask",
        "  + /help",
        "  + message: Sum up",
        "  nothing was changed: add --apply",
    ]
    register(portal, apply=True)
    assert [command["name"] for command in portal.commands.values()] == ["ask", "help", "Sum up"]
    portal.calls.clear()
    register(portal, apply=True)
    assert portal.calls == ["GET"]
    assert capsys.readouterr().out.splitlines()[-1] == "everywhere: nothing to change"


def test_the_tool_waits_for_the_rate_limit() -> None:
    portal, slept = Portal(), list[float]()
    portal.limited = 2
    register(portal, apply=True, slept=slept)
    assert slept == [1.5, 1.5]
    assert len(portal.commands) == 3


def test_the_tool_reports_the_refusal_of_discord() -> None:
    portal = Portal()
    portal.refusal = httpx.Response(400, json={"code": 50035, "message": "Invalid Form Body", "errors": {"name": 1}})
    with pytest.raises(registration.RegistrationError, match="50035 Invalid Form Body"):
        register(portal, apply=True)


def test_the_list_of_commands_includes_translations() -> None:
    assert listing(APP).query == {"with_localizations": "true"}
