"""SnapStart: the initialisation of a function makes nothing that has to differ between processes."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from parley.engine.snapshot import reseed_after_restore
from tests.template import ROOT, functions
from tools import bot

FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
WATCHED = """
import json, os, random, runpy, secrets, socket, sys, time, uuid

made = []

def watch(module, name):
    real = getattr(module, name)

    def watched(*arguments, **more):
        caller = sys._getframe(1).f_code.co_filename
        if not caller.startswith(sys.prefix) and "/lib/python" not in caller:
            made.append(f"{name} in {caller}")
        return real(*arguments, **more)

    setattr(module, name, watched)

def refuse(*_arguments, **_more):
    made.append("a connection")
    raise OSError("no connection before the snapshot")

for module, name in (
    (uuid, "uuid4"), (os, "urandom"), (secrets, "token_hex"), (secrets, "token_bytes"), (random, "random"),
    (random, "seed"), (time, "time"), (time, "monotonic"),
):
    watch(module, name)
socket.socket.connect = socket.getaddrinfo = refuse
handler = runpy.run_path(sys.argv[1])["lambda_handler"]
assert callable(handler)
print(json.dumps(made))
"""
"""Runs the module of a function as Lambda does before the first event."""


def made_by(app: Path) -> list[str]:
    """What the module makes that differs between processes."""
    settings = ("STAGE", "TABLE", "INBOUND_URL", "INBOUND_DEAD_URL", "OUTBOUND_URL")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join((str(ROOT / bot.SAMPLE), str(ROOT / "shared"))),
        "AWS_DEFAULT_REGION": "us-east-1",
        **{f"PARLEY_{setting}": "x" for setting in settings},
    }
    command = [sys.executable, "-c", WATCHED, str(app)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_id_time_random_number_or_connection_is_made_before_the_first_event(name: str) -> None:
    assert made_by(ROOT / "functions" / name / "app.py") == []


def test_a_module_that_makes_some_is_found(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(
        "import uuid, urllib.request\nID = uuid.uuid4()\ntry:\n    urllib.request.urlopen('http://127.0.0.1:9')\n"
        "except OSError:\n    pass\nlambda_handler = print\n"
    )
    assert made_by(app) == [f"uuid4 in {app}", "a connection"]


def test_processes_of_one_snapshot_get_different_random_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[Callable[[], None]] = []
    lambdas = ModuleType("snapshot_restore_py")
    lambdas.register_after_restore = hooks.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", lambdas)
    reseed_after_restore()
    snapshot = random.getstate()

    def started() -> list[float]:
        random.setstate(snapshot)
        for hook in hooks:
            hook()
        return [random.random() for _ in range(4)]

    assert started() != started()


def test_without_snapstart_nothing_is_registered() -> None:
    assert "snapshot_restore_py" not in sys.modules
    reseed_after_restore()


def test_the_functions_for_which_a_person_waits_can_start_from_a_snapshot() -> None:
    setting = {"Fn::If": ["UsesSnapStart", {"ApplyOn": "PublishedVersions"}, {"Ref": "AWS::NoValue"}]}
    using = {name for name, function in functions().items() if "SnapStart" in function}
    waited = {name for name, function in functions().items() if "Post" in function["Events"]}
    assert using == waited | {"OauthFunction", "ProcessorFunction", "SocketFunction"}
    assert all(functions()[name]["SnapStart"] == setting for name in using)
    assert not any("ProvisionedConcurrencyConfig" in function for function in functions().values())
