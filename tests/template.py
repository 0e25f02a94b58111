"""template.yaml as Python values, for the tests of it."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref X` becomes {"Ref": "X"}, `!GetAtt A.B` {"Fn::GetAtt": "A.B"}."""


def _short_form(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    key = name if name in ("Ref", "Condition") else f"Fn::{name}"
    if isinstance(node, yaml.ScalarNode):
        return {key: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {key: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {key: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


@cache
def template() -> dict[str, Any]:
    # The loader only adds values to those of SafeLoader.
    return yaml.load((ROOT / "template.yaml").read_text(), _Loader)


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    found = {name: body for name, body in template()["Resources"].items() if body["Type"] == kind}
    assert found, f"no {kind} in the template"
    return found


def functions() -> dict[str, dict[str, Any]]:
    return {name: body["Properties"] for name, body in of_type("AWS::Serverless::Function").items()}
