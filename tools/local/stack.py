"""Starts and ends one local stack; see the package."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.local import build, commands, credentials, emulator, first_calls, ports, processes
from tools.local.aws import REGION, Aws
from tools.local.deploy import STAGE, api_url, deploy, resources
from tools.local.places import EMULATOR_PYTHON, PYTHON, ROOT, SAM, Places
from tools.local.progress import Progress
from tools.local.trouble import Trouble

Stack = dict[str, Any]
"""The contents of stack.json."""


@dataclass(frozen=True)
class Options:
    """How to start a stack. `iam`: functions may do only what their roles allow."""

    directory: str | Path | None = None
    iam: bool = False
    say: Callable[[str], None] = field(default_factory=Progress)


def running(directory: str | Path | None = None) -> Stack | None:
    """The stack that runs in `directory` and is ready; None if there is none."""
    places = Places.of(directory)
    try:
        stack: Stack = json.loads(places.stack.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    leaders = _leaders(places)
    whole = bool(leaders) and all(processes.alive(pid, places.directory) for pid in leaders)
    return stack if whole and stack.get("ready") else None


def up(options: Options) -> Stack:
    """Start a stack, or return the one that runs already. Raises Trouble, and leaves no process then."""
    places, say = Places.of(options.directory), options.say
    stack = running(places.directory)
    if stack is not None and stack["iam"] == options.iam:
        same = (template := build.built()) is not None and str(template.parent) == stack["build"]
        say("already up" + ("" if same else ", with sources that have changed since: `make down up` deploys them"))
        return stack
    down(places.directory)
    try:
        return _start(places, options)
    except BaseException:
        down(places.directory)
        raise


def down(directory: str | Path | None = None) -> bool:
    """End the stack in `directory`. False if none was there. Raises Trouble if a process cannot be ended."""
    places = Places.of(directory)
    leaders = _leaders(places)
    left = processes.end(leaders, places.directory)
    if left:
        raise Trouble(f"These processes do not end: {', '.join(map(str, left))}; end them by hand (kill -9).")
    for path in (places.processes, places.stack):
        path.unlink(missing_ok=True)
    # The emulator unpacks the layers for every worker: hundreds of megabytes that nobody needs any more.
    shutil.rmtree(places.state, ignore_errors=True)
    return bool(leaders)


def adopt(pid: int, directory: str | Path | None = None) -> None:
    """End the process `pid`, spawned beside the stack in `directory`, together with the stack."""
    _note(Places.of(directory), pid)


def _start(places: Places, options: Options) -> Stack:
    _check_tools()
    say = options.say
    aws_port = ports.choose("PARLEY_AWS_PORT", 4566, "the local AWS")
    port = ports.choose("PARLEY_PORT", 8400, "the playground")
    aws = Aws(aws_port.url)
    places.directory.mkdir(parents=True, exist_ok=True)

    say("starting the local AWS" + (", with IAM enforced" if options.iam else ""))
    pid = emulator.start(places, aws_port, iam=options.iam)
    _note(places, pid)
    say("using the last build" if build.built() else "building the functions and layers (sam build)")
    template = build.build()
    emulator.wait(places, pid, aws.endpoint)
    say("deploying (sam deploy)")
    outputs = deploy(aws, template, places)
    say("making apps with random credentials")
    apps, private = credentials.install(aws, port.url)
    stack: Stack = _describe(aws, outputs, apps) | {"private": private}
    say("calling each function for the first time")
    workers = [name for function, name in stack["functions"].items() if function not in apps]
    first_calls.make(aws, stack["api"], apps, workers)
    stack |= {
        "playground": port.url,
        "iam": options.iam,
        "build": str(template.parent),
        "pids": {"aws": pid},
        "logs": str(places.logs),
    }
    _write(places.stack, stack)
    say("starting the playground")
    stack["pids"]["playground"] = _start_playground(places, aws, port)
    commands.register(stack)
    stack["ready"] = True
    _write(places.stack, stack)
    say(f"ready: {port.url}")
    return stack


def _describe(aws: Aws, outputs: dict[str, str], apps: dict[str, dict[str, credentials.App]]) -> Stack:
    api = api_url(aws, outputs)
    return {
        "ready": False,
        "api": api,
        "aws_endpoint": aws.endpoint,
        "region": REGION,
        "stage": STAGE,
        "callbacks": {
            platform: {name: f"{api}/callback/{platform}/{name}" for name in named} for platform, named in apps.items()
        },
        "apps": apps,
        **resources(outputs),
    }


def _check_tools() -> None:
    for tool in (PYTHON, SAM, EMULATOR_PYTHON):
        if not tool.exists():
            raise Trouble(f"{tool.relative_to(ROOT)} is missing: run `make setup` first.")
    if shutil.which("make") is None:
        raise Trouble("`make` is missing, and SAM builds the layers with it: install make.")


def _start_playground(places: Places, aws: Aws, port: ports.Port) -> int:
    log = places.logs / "playground.log"
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        **aws.environment(),
        "PYTHONUNBUFFERED": "1",
    }
    command = [PYTHON, "-m", "playground", "--stack", places.stack, "--port", str(port.number)]
    pid = processes.spawn(command, places.directory, cwd=ROOT, log=log, env=environment, lock=port.lock)
    _note(places, pid)
    emulator.wait_for(f"{port.url}/healthz", "The playground", places, pid, log)
    return pid


def _leaders(places: Places) -> list[int]:
    try:
        return [int(pid) for pid in json.loads(places.processes.read_text())]
    except (FileNotFoundError, json.JSONDecodeError):
        return []


def _note(places: Places, pid: int) -> None:
    _write(places.processes, [*_leaders(places), pid])


def _write(path: Path, value: object) -> None:
    """Whole or not at all: others read the file while it is written. It holds secrets, if made-up ones."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(value, indent=2) + "\n")
    new.chmod(0o600)
    new.replace(path)
