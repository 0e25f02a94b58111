"""The initialisation of a function imports the HTTP client only if the function calls the platforms: it takes 60 ms."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import parley.bot
from tests.template import ROOT, functions
from tools import bot
from tools.names import logical_id

FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
PLAIN = "from parley.bot import Bot\n\nbot = Bot()\n\n\n@bot.command()\ndef echo(text: str) -> str:\n    return text\n"
"""A bot with a command, and nothing else."""
UNUSED = {
    "asyncio",
    "cronsim",
    "markdown_it",
    "parley.bot.approvals",
    "parley.bot.clocks",
    "parley.bot.converse",
    "parley.bot.dates",
    "parley.bot.definitions",
    "parley.bot.dialogues",
    "parley.bot.intents",
    "parley.bot.logins",
    "parley.bot.offers",
    "parley.bot.open_dialogues",
    "parley.bot.pairing",
    "parley.bot.questions",
    "parley.bot.quotas",
    "parley.bot.schedules",
    "parley.bot.settings",
    "parley.bot.signer",
    "parley.engine.data_keys",
    "parley.engine.download",
    "parley.engine.failures",
    "parley.engine.install_pages",
    "parley.engine.key_sets",
    "parley.engine.merging",
    "parley.engine.names",
    "parley.engine.reading",
    "parley.engine.resuming",
    "parley.engine.tenant_codes",
    "parley.engine.tenants",
    "parley.engine.undelivered",
    "parley.engine.user_tokens",
    "parley.intents",
    "parley.journal.grants",
    "parley.journal.mailbox",
    "parley.journal.merging",
    "parley.journal.tenants",
    "parley.model.merging",
    "parley.models",
    "pydantic",
    "zoneinfo",
}
"""Packages and modules of features that it does not use."""
USES = {
    "from parley.bot import Ask": {"questions"},
    "from parley.bot import Approve": {"approvals", "questions"},
    "from parley.bot import Script": {"approvals", "dialogues", "logins", "questions"},
    "from parley.bot import Login": {"approvals", "logins", "questions"},
    "from parley.bot import Signer": {"signer"},
    "from parley.bot import Settings": {"settings"},
    "from parley.bot import Quotas": {"quotas"},
    "from parley.bot import Pairing": {"pairing"},
    "bot.intent('refund', examples=['I want a refund'])(lambda: 'refund')": {"clocks", "dates", "intents"},
    "from parley.model import Destination\n"
    "bot.scheduled('0 9 * * *', to=Destination(platform='feishu', app='a', room_id='r'))(lambda: 'hi')": {"schedules"},
    "bot.reminder('tea')(lambda: 'tea')": set[str](),
}
"""Lines that a plain bot gets, and the modules of `parley.bot` that it then loads."""
CALLING = {"deliverer", "oauth", "processor"}


def imports(function: str, folder: Path = ROOT / bot.SAMPLE, **settings: str) -> set[str]:
    """The modules of a process that has imported the handler of `function`, with the bot in `folder`."""
    paths = (ROOT / "functions" / function, folder, ROOT / "shared")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, paths)), **settings}
    code = "import sys, app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_a_function_that_calls_the_platforms_imports_the_http_client(function: str) -> None:
    assert ("httpx" in imports(function)) == (function in CALLING)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_functions_with_the_layer_for_tokens_import_what_checks_them(function: str) -> None:
    """They bring cffi, which makes the imports of the other functions slower (docs/decisions/ed25519.md)."""
    layers = functions()[f"{logical_id(function)}Function"]["Layers"]
    has_layer = {"Ref": "TokensLayer"} in layers
    assert ({"jwt", "cryptography", "parley.bearer"} & imports(function) != set()) == has_layer


def test_a_processor_that_leaves_all_replies_to_the_queue_imports_no_http_client() -> None:
    assert not {"httpx", "parley.engine.direct"} & imports("processor", PARLEY_DELIVER_AT_ONCE="false")


def test_no_other_function_than_that_of_connections_imports_what_notifies_clients() -> None:
    notifying = {"parley.engine.notices", "parley.journal.watchers", "parley.platforms.http.frames"}
    assert {function for function in FUNCTIONS if notifying & imports(function)} == {"socket"}


def test_discords_function_loads_only_what_answers_at_once(tmp_path: Path) -> None:
    (tmp_path / "instant.py").write_text("from parley.bot import Bot\n\nbot = Bot()\n")
    (tmp_path / "bot.py").write_text("import heavy\nfrom instant import bot\n")
    (tmp_path / "heavy.py").write_text("")
    assert {"instant", "bot", "heavy"} & imports("discord", tmp_path) == {"instant"}
    assert {"instant", "bot", "heavy"} <= imports("processor", tmp_path)


def test_no_function_imports_the_names_of_senders_before_a_message_wants_one() -> None:
    assert "parley.engine.names" not in imports("processor")


def test_no_function_imports_language_models_for_a_bot_without_one() -> None:
    unused = {"parley.models", "parley.bot.converse", "parley.bot.exchange", "parley.bot.offers"}
    assert not any(unused & imports(function) for function in FUNCTIONS)


def test_a_bot_with_a_language_model_loads_no_client_of_it(tmp_path: Path) -> None:
    lines = (
        "from parley.bot import Bot",
        "from parley.models import OpenAICompatible",
        "bot = Bot()",
        "model = OpenAICompatible(base_url='https://example.com/v1', model='m')",
        "bot.converse(model=model)(lambda turn: '')",
    )
    (tmp_path / "bot.py").write_text("\n".join(lines))
    assert "httpx" not in imports("processor", tmp_path, PARLEY_DELIVER_AT_ONCE="false")


def test_no_function_imports_what_a_plain_bot_does_not_use(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(PLAIN)
    used = {function: UNUSED & imports(function, tmp_path) for function in FUNCTIONS}
    logins = {"parley.engine.data_keys", "parley.engine.user_tokens", "parley.journal.grants"}
    assert used == {function: set[str]() for function in FUNCTIONS} | {"oauth": logins}


@pytest.mark.parametrize("lines", USES)
def test_a_bot_loads_the_modules_of_the_features_that_it_uses(lines: str, tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(f"{PLAIN}\n\n{lines}\n")
    features = {name for name in UNUSED if name.startswith("parley.bot.")}
    loaded = features & imports("processor", tmp_path, PARLEY_DELIVER_AT_ONCE="false")
    assert loaded == {f"parley.bot.{name}" for name in USES[lines]}


def test_a_command_of_a_plain_bot_loads_no_other_feature_when_it_runs(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(PLAIN)
    lines = (
        "import sys",
        "from bot import bot",
        "from parley.bot import Turn",
        "from tests.factories import make_message",
        "print(bot.handle(Turn(make_message('m1', '/echo hi')))[0].segments[0].text, *sys.modules)",
    )
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, (tmp_path, ROOT / "shared", ROOT))),
    }
    command = [sys.executable, "-c", "\n".join(lines)]
    said, *loaded = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert (said, UNUSED & set(loaded)) == ("hi", set())


def test_every_name_of_the_interface_exists() -> None:
    assert [name for name in parley.bot.__all__ if not hasattr(parley.bot, name)] == []
    assert not hasattr(parley.bot, "Approved")


@pytest.mark.parametrize("function", ["", "parley-processor"])
def test_the_garbage_collector_rests_on_lambda_only(function: str) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "shared")}
    if function:
        environment["AWS_LAMBDA_FUNCTION_NAME"] = function
    code = "import gc; before = gc.get_threshold(); import parley; print(gc.get_threshold()[0] > before[0])"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(bool(function))


def test_no_function_imports_intents_for_a_bot_without_one() -> None:
    unused = {"parley.bot.intents", "parley.bot.slots", "parley.bot.understanding", "parley.intents"}
    assert not any(unused & imports(function) for function in FUNCTIONS)


def test_a_bot_with_intents_reads_them_with_the_first_message(tmp_path: Path) -> None:
    lines = (
        "from parley.bot import Bot",
        "bot = Bot()",
        "bot.intent('refund', examples=['I want a refund'])(lambda: 'refund')",
    )
    (tmp_path / "bot.py").write_text("\n".join(lines))
    loaded = imports("processor", tmp_path)
    assert "parley.bot.intents" in loaded
    assert not {"parley.bot.understanding", "parley.intents.matcher"} & loaded
