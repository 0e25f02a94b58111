"""Prepares the local stack for `sam local invoke --config-env local` with the samples of events/.

It stores the configuration of the app `sample` and the journal row of the deliverer's sample, and makes the stack
reachable from containers. It writes the two files that samconfig.toml names: the built template, and the environment
variables with which its functions reach the local AWS.
"""

import http.client
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import yaml

from parley.journal.rows import item_of
from parley.journal.states import Row
from tools.local import StackError, build, processes, stack
from tools.local.aws import REGION, Aws
from tools.local.paths import PYTHON, ROOT, Paths
from tools.names import folder_of
from tools.samples import APPS, domain, workers

_TEMPLATE, _VARIABLES = ROOT / ".local" / "invoke.yaml", ROOT / ".local" / "env.json"
_STAGE = "invoke"
"""The stage of functions in containers. They reach the playground at another address than the stack's functions."""


class NoContainerEngineError(StackError):
    """No container engine answers, so `sam local invoke` cannot run."""


def prepare(facts: dict[str, Any], now: int, host: str = "") -> None:
    """Prepare the stack that `facts` (the content of stack.json) describes. `host` is the name of this machine inside
    containers; an empty one is detected. Raises NoContainerEngineError, StackError.
    """
    host = host or _host()
    aws = Aws(facts["aws_endpoint"])
    for stage, playground in (("local", facts["playground"]), (_STAGE, _address_inside(host, facts["playground"]))):
        for platform, make in APPS.items():
            aws.client("ssm").put_parameter(
                Name=f"/parley/{stage}/{platform}/sample",
                Type="SecureString",
                Value=json.dumps(make(playground)),
                Overwrite=True,
            )
        aws.client("ssm").put_parameter(
            Name=f"/parley/{stage}/domain/{domain.FILE}", Type="String", Value="Sample0Sample0Sam", Overwrite=True
        )
    _put_reply(aws, facts["table"], now)
    functions = _write_template(build.build())
    _VARIABLES.write_text(json.dumps(_variables(aws, facts, functions, host), indent=2) + "\n")


def _put_reply(aws: Aws, table: str, now: int) -> None:
    """Store the journal row of the deliverer's sample. It is not due: the stack's sweeper must not deliver it first."""
    item = item_of(Row(workers.reply(now), updated=now), ttl=int(now) + 86_400)
    aws.client("dynamodb").put_item(
        TableName=table, Item={name: value for name, value in item.items() if name not in ("due_at", "due_shard")}
    )


# --- the files for SAM ------------------------------------------------------------------------------------------------


def _write_template(template: Path) -> list[str]:
    """Write the built template with absolute paths, and with a declaration of every variable that the functions need:
    SAM passes no other variables. Returns the functions' logical ids.
    """
    built = yaml.safe_load(template.read_text())
    found: list[str] = []
    for name, resource in built["Resources"].items():
        if name.startswith("Fn::ForEach::"):  # holds no function
            continue
        properties = resource.get("Properties", {})
        for field in ("CodeUri", "ContentUri"):
            if field in properties:
                properties[field] = str((template.parent / properties[field]).resolve())
        if resource["Type"] == "AWS::Serverless::Function":
            declared = properties.setdefault("Environment", {}).setdefault("Variables", {})
            declared |= dict.fromkeys(_aws_variables(""), "")
            found.append(name)
    for parameter in build.parameters():
        name, _, value = parameter.partition("=")
        built["Parameters"][name]["Default"] = value
    _TEMPLATE.write_text(yaml.safe_dump(built, sort_keys=False))
    return found


def _aws_variables(endpoint: str) -> dict[str, str]:
    """The variables with which a function reaches the local AWS."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def _variables(aws: Aws, facts: dict[str, Any], functions: list[str], host: str) -> dict[str, dict[str, str]]:
    """For each function, its variables in the stack and those of `_aws_variables`."""
    more = {**_aws_variables(_address_inside(host, aws.endpoint)), "PARLEY_STAGE": _STAGE}
    client = aws.client("lambda")
    variables: dict[str, dict[str, str]] = {}
    for function in functions:
        full = facts["functions"].get(folder_of(function.removesuffix("Function")))
        if full is None:
            raise StackError(f"The running stack has no {function}. Run `make down`, `make up`, `make events`.")
        configured = client.get_function_configuration(FunctionName=full)["Environment"]["Variables"]
        variables[function] = {name: _address_inside(host, value) for name, value in configured.items()} | more
    return variables


def _address_inside(host: str, address: str) -> str:
    """An address on this machine in the form that works inside containers."""
    return address.replace("://127.0.0.1", f"://{host}").replace("://localhost", f"://{host}")


# --- access from containers -------------------------------------------------------------------------------------------


def _host() -> str:
    """Make the stack reachable from containers. Returns the name or address of this machine inside them."""
    if sys.platform != "linux":
        return "host.docker.internal"  # Docker Desktop maps it to the loopback interface
    address = _gateway()
    paths = Paths.of()
    noted = paths.directory / "relay.json"
    if noted.exists() and processes.alive(json.loads(noted.read_text())["pid"], paths.directory):
        return address
    pid = processes.spawn(
        [PYTHON, "-m", "tools.relay", paths.stack, address],
        paths.directory,
        cwd=ROOT,
        log=paths.logs / "relay.log",
        env={"PATH": os.environ.get("PATH", "")},
        lock=os.open(os.devnull, os.O_RDONLY),
    )
    stack.adopt(pid)
    noted.write_text(json.dumps({"pid": pid}))
    return address


class _Socket(http.client.HTTPConnection):
    """HTTP to a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _gateway() -> str:
    """This machine's address in the network of containers, from the container engine."""
    where = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    connection = _Socket(where.removeprefix("unix://"))
    try:
        connection.request("GET", "/networks/bridge")
        network = json.loads(connection.getresponse().read())
        return str(network["IPAM"]["Config"][0]["Gateway"])
    except (OSError, ValueError, LookupError, TypeError, http.client.HTTPException) as error:
        raise NoContainerEngineError(
            f"No container engine answers at {where}. `sam local invoke` needs one: start Docker or set DOCKER_HOST."
        ) from error
    finally:
        connection.close()
