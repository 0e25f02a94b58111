"""Prepares the local stack for `sam local invoke --config-env local` with the samples of events/.

The stack gets the app `sample` and the journal's row of the deliverer's sample, and a way in for containers. Two files
are written that samconfig.toml names: the built template, and the variables that lead its functions to the local AWS.
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
from tools.local import Trouble, build, processes, stack
from tools.local.aws import REGION, Aws
from tools.local.places import PYTHON, ROOT, Places
from tools.names import folder_of
from tools.samples import APPS, domain, workers

_TEMPLATE, _VARIABLES = ROOT / ".local" / "invoke.yaml", ROOT / ".local" / "env.json"
_STAGE = "invoke"
"""The stage of functions in containers: these know the playground under another address than the stack's own do."""


class NoContainers(Trouble):
    """No container engine answers, so there is nothing that `sam local invoke` could run in."""


def prepare(facts: dict[str, Any], now: int, host: str = "") -> None:
    """Do it for the stack that `facts` (stack.json) describes. `host`: this machine as containers know it; found out
    where it is left empty. Raises NoContainers, or Trouble for what is wrong with the stack.
    """
    host = host or _way_in()
    aws = Aws(facts["aws_endpoint"])
    for stage, playground in (("local", facts["playground"]), (_STAGE, _seen_from(host, facts["playground"]))):
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
    """The journal's row of the deliverer's sample; not due, or the stack's own sweeper would deliver it first."""
    item = item_of(Row(workers.reply(now), updated=now), ttl=int(now) + 86_400)
    aws.client("dynamodb").put_item(
        TableName=table, Item={name: value for name, value in item.items() if name not in ("due_at", "due_shard")}
    )


# --- what SAM needs ---------------------------------------------------------------------------------------------------


def _write_template(template: Path) -> list[str]:
    """Write the built template such that it can be anywhere, with every variable declared that has to reach the
    functions, since SAM passes no others. Returns the functions' logical ids.
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
            declared |= dict.fromkeys(_reach(""), "")
            found.append(name)
    for parameter in build.parameters():
        name, _, value = parameter.partition("=")
        built["Parameters"][name]["Default"] = value
    _TEMPLATE.write_text(yaml.safe_dump(built, sort_keys=False))
    return found


def _reach(endpoint: str) -> dict[str, str]:
    """What leads the AWS clients of a function to the local AWS."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def _variables(aws: Aws, facts: dict[str, Any], functions: list[str], host: str) -> dict[str, dict[str, str]]:
    """By function: the variables that it has in the stack, and those of `_reach`."""
    more = {**_reach(_seen_from(host, aws.endpoint)), "PARLEY_STAGE": _STAGE}
    client = aws.client("lambda")
    variables: dict[str, dict[str, str]] = {}
    for function in functions:
        full = facts["functions"].get(folder_of(function.removesuffix("Function")))
        if full is None:
            raise Trouble(f"{function} is newer than the stack that is up: `make down`, `make up`, `make events`.")
        configured = client.get_function_configuration(FunctionName=full)["Environment"]["Variables"]
        variables[function] = {name: _seen_from(host, value) for name, value in configured.items()} | more
    return variables


def _seen_from(host: str, address: str) -> str:
    """An address on this machine, as containers have to write it."""
    return address.replace("://127.0.0.1", f"://{host}").replace("://localhost", f"://{host}")


# --- the way in -------------------------------------------------------------------------------------------------------


def _way_in() -> str:
    """The name or address by which containers reach the stack, once they can."""
    if sys.platform != "linux":
        return "host.docker.internal"  # Docker Desktop leads it to the loopback interface
    address = _gateway()
    places = Places.of()
    noted = places.directory / "relay.json"
    if noted.exists() and processes.alive(json.loads(noted.read_text())["pid"], places.directory):
        return address
    pid = processes.spawn(
        [PYTHON, "-m", "tools.relay", places.stack, address],
        places.directory,
        cwd=ROOT,
        log=places.logs / "relay.log",
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
    """This machine's address in the network of containers, as the engine tells it."""
    where = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    connection = _Socket(where.removeprefix("unix://"))
    try:
        connection.request("GET", "/networks/bridge")
        network = json.loads(connection.getresponse().read())
        return str(network["IPAM"]["Config"][0]["Gateway"])
    except (OSError, ValueError, LookupError, TypeError, http.client.HTTPException) as error:
        raise NoContainers(
            f"No container engine answers at {where}; `sam local invoke` needs one: start Docker or set DOCKER_HOST."
        ) from error
    finally:
        connection.close()
