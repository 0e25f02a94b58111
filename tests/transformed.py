"""template.yaml as CloudFormation deploys it: both transforms applied, conditions and parameters resolved.

The transform runs in the emulator's environment, which has AWS's own library for SAM.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.template import ROOT, nested, written

EMULATOR_PYTHON = ROOT / ".local" / "envs" / "emulator" / "bin" / "python"
_LOCAL_PATHS = ("CodeUri", "ContentUri")
_ABSENT = object()
"""The value of AWS::NoValue."""


def deployed(region: str, **parameters: str) -> dict[str, dict[str, Any]]:
    """The resources of a deployment in `region`, by logical id. `parameters` are those that differ from their defaults.

    Values that are known before the deployment are resolved. References to resources stay as they are.
    """
    body = _transformed(region, tuple(sorted(parameters.items())))
    defaults = {name: spec["Default"] for name, spec in body["Parameters"].items() if "Default" in spec}
    return _present(body, {**defaults, **parameters, **_pseudo(region)})


def inside(region: str, stack: str, **parameters: str) -> dict[str, dict[str, Any]]:
    """The resources of the nested stack with the logical id `stack` in such a deployment."""
    properties = deployed(region, **parameters)[stack]["Properties"]
    body = nested(Path(properties["TemplateURL"]).stem)
    defaults = {name: spec["Default"] for name, spec in body["Parameters"].items() if "Default" in spec}
    return _present(body, {**defaults, **properties["Parameters"], **_pseudo(region)})


def _present(body: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The resources whose conditions hold."""
    resolver = _Resolver(values, body.get("Conditions", {}), body["Resources"])
    return {
        name: resolver.resolve({key: value for key, value in resource.items() if key != "Condition"})
        for name, resource in body["Resources"].items()
        if "Condition" not in resource or resolver.holds(resource["Condition"])
    }


def _pseudo(region: str) -> dict[str, str]:
    china = region.startswith("cn-")
    return {
        "AWS::Region": region,
        "AWS::Partition": "aws-cn" if china else "aws",
        "AWS::URLSuffix": "amazonaws.com.cn" if china else "amazonaws.com",
        "AWS::AccountId": "123456789012",
    }


@cache
def _transformed(region: str, parameters: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    packaged = json.loads(json.dumps(written()))
    for resource in packaged["Resources"].values():
        if isinstance(resource, dict):
            _package(resource)
    done = subprocess.run(
        [EMULATOR_PYTHON, ROOT / "tools" / "sam_transform.py", *(f"{name}={value}" for name, value in parameters)],
        input=yaml.safe_dump(packaged),
        env={"PATH": os.environ.get("PATH", ""), "AWS_DEFAULT_REGION": region},
        cwd=Path(ROOT),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def _package(resource: dict[str, Any]) -> None:
    """Replace local folders by addresses in S3, as `sam package` does."""
    for key in _LOCAL_PATHS:
        if key in resource["Properties"]:
            resource["Properties"][key] = "s3://packages/key"


class _Resolver:
    """Resolves intrinsic functions, as far as the template uses them."""

    def __init__(self, values: Mapping[str, str], conditions: Mapping[str, Any], resources: Mapping[str, Any]) -> None:
        self.values = values
        self.conditions = conditions
        self.resources = resources

    def holds(self, condition: str) -> bool:
        """Whether the condition of that name is true."""
        return self._test(self.conditions[condition])

    def _test(self, node: Mapping[str, Any]) -> bool:
        ((function, argument),) = node.items()
        if function == "Condition":
            return self.holds(argument)
        if function == "Fn::Equals":
            one, other = (self.resolve(item) for item in argument)
            return one == other
        results = [self._test(item) for item in argument]
        return {"Fn::And": all(results), "Fn::Or": any(results), "Fn::Not": not results[0]}[function]

    def resolve(self, node: Any) -> Any:
        """`node` with everything resolved that is known before the deployment."""
        if isinstance(node, list):
            return [value for item in node if (value := self.resolve(item)) is not _ABSENT]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, argument),) = node.items()
            if function == "Ref":
                return _ABSENT if argument == "AWS::NoValue" else self.values.get(argument, node)
            if function == "Fn::If":
                name, then, otherwise = argument
                return self.resolve(then if self.holds(name) else otherwise)
            if function == "Fn::Sub":
                return self._sub(argument)
        return {key: value for key, item in node.items() if (value := self.resolve(item)) is not _ABSENT}

    def _sub(self, argument: Any) -> Any:
        text, own = argument if isinstance(argument, list) else (argument, {})
        known = {**self.values, **{name: self.resolve(value) for name, value in own.items()}}
        for name, value in known.items():
            if isinstance(value, str | int):
                text = text.replace(f"${{{name}}}", str(value))
        return {"Fn::Sub": text} if "${" in text else text
