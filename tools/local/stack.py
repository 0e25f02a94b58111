"""Starts and stops one local stack; see the package."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parley.platforms import callback_path
from tools import bot
from tools.local import build, check, commands, credentials, emulator, first_calls, ports, processes, settings
from tools.local.aws import REGION, Aws
from tools.local.deploy import STAGE, api_url, deploy, resources, sockets_url
from tools.local.errors import StackError
from tools.local.paths import EMULATOR_PYTHON, PYTHON, ROOT, SAM, Paths
from tools.local.progress import Progress

Stack = dict[str, Any]
"""The content of stack.json."""


@dataclass(frozen=True)
class Options:
    """How to start a stack. `iam` enforces the roles of the functions. `report` gets progress messages.

    DynamoDB and SQS take `aws_seconds` longer to answer, as over a network.

    `watch` makes each saved change of the bot live. Its messages go to the terminal with `terminal`, else to a log.
    """

    directory: str | Path | None = None
    iam: bool = False
    watch: bool = False
    terminal: bool = False
    aws_seconds: float = 0
    report: Callable[[str], None] = field(default_factory=Progress)


def running(directory: str | Path | None = None) -> Stack | None:
    """The running stack in `directory`; None if there is none, or if it is not ready."""
    paths = Paths.of(directory)
    try:
        stack: Stack = json.loads(paths.stack.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    leaders = _leaders(paths)
    complete = bool(leaders) and all(processes.alive(pid, paths.directory) for pid in leaders)
    return stack if complete and stack.get("ready") else None


def up(options: Options) -> Stack:
    """Start a stack, or return the running one. Raises StackError, and leaves no process running then."""
    paths = Paths.of(options.directory)
    stack = running(paths.directory)
    if stack is not None and (stack["iam"], stack["bot"]) == (options.iam, bot.folder()):
        current = build.sources() == stack["sources"]
        changed = "" if current else ", but Parley's sources have changed: run `make down up` to deploy them"
        options.report(f"already running{changed}")
        return stack
    if stack is not None:
        options.report("replacing the running stack, which has another bot or other options for IAM")
    down(paths.directory)
    try:
        return _start(paths, options)
    except BaseException:
        down(paths.directory)
        raise


def down(directory: str | Path | None = None) -> bool:
    """Stop the stack in `directory`. Returns whether one was running. Raises StackError if a process does not stop."""
    paths = Paths.of(directory)
    leaders = _leaders(paths)
    left = processes.end(leaders, paths.directory)
    if left:
        raise StackError(f"These processes do not stop: {', '.join(map(str, left))}. Stop them with kill -9.")
    for path in (paths.processes, paths.stack, paths.bot, paths.commands):
        path.unlink(missing_ok=True)
    # The emulator unpacks the layers for every worker: hundreds of megabytes.
    shutil.rmtree(paths.state, ignore_errors=True)
    return bool(leaders)


def adopt(pid: int, directory: str | Path | None = None) -> None:
    """Stop the process `pid` together with the stack in `directory`."""
    _note(Paths.of(directory), pid)


def _start(paths: Paths, options: Options) -> Stack:
    _check_tools()
    _check_bot()
    report = options.report
    aws_port = ports.choose("PARLEY_AWS_PORT", 4566, "the local AWS")
    port = ports.choose("PARLEY_PORT", 8400, "the playground")
    aws = Aws(aws_port.url)
    paths.directory.mkdir(parents=True, exist_ok=True)

    report("starting the local AWS" + (", with IAM enforced" if options.iam else ""))
    pid = emulator.start(paths, aws_port, iam=options.iam, aws_seconds=options.aws_seconds)
    _note(paths, pid)
    report("using the last build" if build.built() else "building the functions and layers (sam build)")
    saved = build.saved_bot()
    template = build.build()
    emulator.wait(paths, pid, aws.endpoint)
    report("deploying (sam deploy)")
    outputs = deploy(aws, template, paths)
    report("creating the apps")
    apps, private = credentials.install(aws, port.url, paths.apps)
    settings.install(aws, port.url)
    stack: Stack = _describe(aws, outputs, apps) | {"private": private}
    report("calling each function for the first time")
    workers = [name for function, name in stack["functions"].items() if function not in apps]
    first_calls.make(aws, stack["api"], apps, workers)
    stack |= {
        "playground": port.url,
        "iam": options.iam,
        "bot": bot.folder(),
        "build": str(template.parent),
        "sources": build.sources(),
        "saved": saved,
        "pids": {"aws": pid},
        "logs": str(paths.logs),
    }
    _write(paths.stack, stack)
    _start_page(stack, paths, options, aws, port)
    report(f"ready: {port.url}")
    return stack


def _start_page(stack: Stack, paths: Paths, options: Options, aws: Aws, port: ports.Port) -> None:
    """Start the playground and the watcher. `stack` is ready then."""
    options.report("starting the playground")
    stack["pids"]["playground"] = _start_playground(paths, aws, port)
    commands.register(stack, paths)
    for name, apps in connectors(stack["apps"]).items():
        stack["pids"][f"{name}_connector"] = _start_connector(stack, paths, aws, name, apps)
    if options.watch:
        stack["pids"]["watcher"] = _start_watcher(paths, aws, terminal=options.terminal)
    stack["ready"] = True
    _write(paths.stack, stack)


def _describe(aws: Aws, outputs: dict[str, str], apps: dict[str, dict[str, credentials.App]]) -> Stack:
    api = api_url(aws, outputs)
    return {
        "ready": False,
        "api": api,
        "sockets": sockets_url(aws, outputs),
        "aws_endpoint": aws.endpoint,
        "region": REGION,
        "stage": STAGE,
        "callbacks": {
            platform: {name: f"{api}{callback_path(platform, name)}" for name in named}
            for platform, named in apps.items()
        },
        "apps": apps,
        **resources(outputs),
    }


def _check_bot() -> None:
    """Raises StackError, before anything is built, if the bot cannot be imported."""
    template = build.built()
    if error := check.problem(ROOT / bot.folder(), template.parent if template else None):
        raise StackError(error)


def _check_tools() -> None:
    for tool in (PYTHON, SAM, EMULATOR_PYTHON):
        if not tool.exists():
            raise StackError(f"{tool.relative_to(ROOT)} is missing. Run `make setup` first.")
    if shutil.which("make") is None:
        raise StackError("`make` is missing. Install it: SAM builds the layers with it.")


def _start_playground(paths: Paths, aws: Aws, port: ports.Port) -> int:
    log = paths.logs / "playground.log"
    command = [PYTHON, "-m", "playground", "--stack", paths.stack, "--port", str(port.number)]
    pid = processes.spawn(command, paths.directory, cwd=ROOT, log=log, env=_environment(aws), lock=port.lock)
    _note(paths, pid)
    emulator.wait_for(f"{port.url}/healthz", "The playground", paths, pid, log)
    return pid


_SERVES = {"tcp": "http"}
"""The platforms of connectors that have another name."""


def connectors(apps: dict[str, Any]) -> dict[str, list[str]]:
    """The programs `connectors.<name>` that hold connections for the platforms of `apps`, with the names of their
    apps.
    """
    programs = sorted(path.parent.name for path in (ROOT / "connectors").glob("*/__main__.py"))
    return {name: list(apps[_SERVES.get(name, name)]) for name in programs if _SERVES.get(name, name) in apps}


def _start_connector(stack: Stack, paths: Paths, aws: Aws, name: str, apps: list[str]) -> int:
    alive = ["--alive", paths.state / f"{name}-connector"]
    variables = {
        "PARLEY_STAGE": STAGE,
        "PARLEY_TABLE": stack["table"],
        "PARLEY_INBOUND_URL": stack["queues"]["inbound"],
        "PARLEY_MEDIA_HOST": stack["bucket"],
    }
    place, lock = _listen(stack) if name == "tcp" else ([], -1)
    command = [PYTHON, "-m", f"connectors.{name}", *apps, *alive, *place]
    log = paths.logs / f"{name}-connector.log"
    environment = {**_environment(aws), **variables}
    pid = processes.spawn(command, paths.directory, cwd=ROOT, log=log, env=environment, lock=lock)
    _note(paths, pid)
    return pid


def _listen(stack: Stack) -> tuple[list[str], int]:
    """Where the TCP connector listens, as its arguments, and the lock of its port. `stack` names the port."""
    port = ports.choose("PARLEY_TCP_PORT", 8443, "the TCP connector")
    stack["tcp"] = {"host": "127.0.0.1", "port": port.number}
    return ["--plain", "--host", "127.0.0.1", "--port", str(port.number)], port.lock


def _start_watcher(paths: Paths, aws: Aws, *, terminal: bool) -> int:
    command = [PYTHON, "-m", "tools.local.watch", f"{paths.directory}{os.sep}"]
    log = None if terminal else paths.logs / "watcher.log"
    # It builds the bot's layer, so it needs the proxy, the certificates and the package index of the developer.
    pid = processes.spawn(command, paths.directory, cwd=ROOT, log=log, env={**os.environ, **_environment(aws)})
    _note(paths, pid)
    return pid


def _environment(aws: Aws) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PARLEY_BOT") if name in os.environ}
    return {**kept, **aws.environment(), "PYTHONUNBUFFERED": "1"}


def _leaders(paths: Paths) -> list[int]:
    try:
        return [int(pid) for pid in json.loads(paths.processes.read_text())]
    except (FileNotFoundError, json.JSONDecodeError):
        return []


def _note(paths: Paths, pid: int) -> None:
    _write(paths.processes, [*_leaders(paths), pid])


def _write(path: Path, value: object) -> None:
    """Replace the file atomically: other processes read it meanwhile. It contains (generated) secrets."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(value, indent=2) + "\n")
    new.chmod(0o600)
    new.replace(path)
