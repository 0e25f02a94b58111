"""Deploys the bot's layer to a running stack: the functions that load the bot get a new version, and keep their state.

It calls what `sam deploy` lets CloudFormation call: a layer version, the configuration, a function version, the alias.
The new versions are started before the alias names them. If one does not start, the old ones go on.
"""

import io
import os
import subprocess
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tools import bot
from tools.local import build, first_calls
from tools.local.aws import Aws
from tools.local.errors import StackError
from tools.local.paths import ROOT

_LAYER = "-bot"
"""The end of the layer's name in template.yaml."""
_ALIAS = "live"
_KEPT = 2
"""Versions that are kept: the new one, and the one before, which may still be at work."""


def deploy(aws: Aws, functions: dict[str, str]) -> None:
    """Deploy the bot's layer to those of `functions` that have one. Raises StackError."""
    lambda_ = aws.client("lambda")
    old = next(arn for arn in _layers(lambda_, functions["processor"]) if _name(arn).endswith(_LAYER))
    new = lambda_.publish_layer_version(LayerName=_name(old), Content={"ZipFile": _layer()})["LayerVersionArn"]
    loading = {function: name for function, name in functions.items() if old in _layers(lambda_, name)}
    with ThreadPoolExecutor() as pool:
        started = pool.map(partial(_started, aws, old, new), loading, loading.values())
        versions = dict(zip(loading.values(), started, strict=True))
    for name, version in versions.items():
        lambda_.update_alias(FunctionName=name, Name=_ALIAS, FunctionVersion=version)
    for name in versions:
        _forget_old(lambda_, name)


def _layer() -> bytes:
    """The bot's layer, made by the same makefile as in `sam build`. Raises StackError."""
    with tempfile.TemporaryDirectory() as directory:
        target = ROOT / "layers" / "targets" / build.target() / "Makefile"
        done = subprocess.run(
            ["make", "--no-print-directory", "-f", target, "build-BotLayer", f"ARTIFACTS_DIR={directory}"],
            cwd=ROOT / bot.folder(),
            env={**os.environ, **build.environment()},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StackError(done.stderr.strip() or done.stdout.strip())
        return _zipped(Path(directory))


def _zipped(directory: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(path for path in directory.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(directory))
    return packed.getvalue()


def _layers(lambda_: Any, name: str) -> list[str]:
    """The layers of a function, each with its version."""
    return [layer["Arn"] for layer in lambda_.get_function_configuration(FunctionName=name).get("Layers", [])]


def _name(layer: str) -> str:
    """The name in the ARN of a layer's version."""
    return layer.split(":")[-2]


def _started(aws: Aws, old: str, new: str, function: str, name: str) -> str:
    """Publish a version of a function with the layer `new` in place of `old`, and start it. Returns its number. Raises
    StackError if it does not start.
    """
    lambda_ = aws.client("lambda")
    layers = [new if layer == old else layer for layer in _layers(lambda_, name)]
    lambda_.update_function_configuration(FunctionName=name, Layers=layers)
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
    version: str = lambda_.publish_version(FunctionName=name)["Version"]
    first_calls.check(aws, function, name, version)
    return version


def _forget_old(lambda_: Any, name: str) -> None:
    """Delete the old versions: each keeps a process."""
    found = [each["Version"] for each in lambda_.list_versions_by_function(FunctionName=name)["Versions"]]
    for version in sorted((int(version) for version in found if version != "$LATEST"), reverse=True)[_KEPT:]:
        lambda_.delete_function(FunctionName=name, Qualifier=str(version))
