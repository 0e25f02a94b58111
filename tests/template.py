"""template.yaml as Python values, with its loops expanded and SAM's Globals merged, for the tests of it."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
_LOOP = "Fn::ForEach::"


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
def written() -> dict[str, Any]:
    """The template as it is written."""
    # The loader only adds values to those of SafeLoader.
    return yaml.load((ROOT / "template.yaml").read_text(), _Loader)


@cache
def nested(name: str) -> dict[str, Any]:
    """The nested stack stacks/NAME.yaml, with function calls in the form of `expanded`."""
    return expanded(yaml.load((ROOT / "stacks" / f"{name}.yaml").read_text(), _Loader))


NESTED = sorted(path.stem for path in (ROOT / "stacks").glob("*.yaml"))


@cache
def template() -> dict[str, Any]:
    """The template as CloudFormation sees it after the transform AWS::LanguageExtensions."""
    return expanded(written())


def seconds(value: Any, bot_seconds: str | None = None) -> int:
    """A number of the template, which may depend on the parameter BotSeconds."""
    if isinstance(value, dict):
        name, row, column = value["Fn::FindInMap"]
        assert column == {"Ref": "BotSeconds"}
        return int(template()["Mappings"][name][row][bot_seconds or template()["Parameters"]["BotSeconds"]["Default"]])
    return int(value)


def of_type(kind: str, stack: str = "") -> dict[str, dict[str, Any]]:
    """The resources of one type, by logical id; those of a nested stack if it is named."""
    body = nested(stack) if stack else template()
    found = {name: body for name, body in body["Resources"].items() if body["Type"] == kind}
    assert found, f"no {kind} in the template"
    return found


def functions() -> dict[str, dict[str, Any]]:
    """The properties of every function, those of Globals included."""
    common = template()["Globals"]["Function"]
    return {name: _merged(common, body["Properties"]) for name, body in of_type("AWS::Serverless::Function").items()}


def _merged(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """As SAM merges Globals: objects key by key, lists one after the other; of other values the function's own."""
    merged = {**common, **own}
    for key in common.keys() & own.keys():
        if isinstance(common[key], list):
            merged[key] = common[key] + own[key]
        elif isinstance(common[key], dict) and not _call(common[key]):
            merged[key] = _merged(common[key], own[key])
    return merged


# --- the transform AWS::LanguageExtensions, as far as the template uses it --------------------------------------------


def expanded(body: Mapping[str, Any]) -> dict[str, Any]:
    """`body` with every Fn::ForEach expanded, and with the functions that then have a literal value resolved.

    Function calls have one form afterwards: {"Fn::GetAtt": "A.B"}, {"Fn::Sub": "text"}. So the result also serves to
    compare templates that other tools have expanded.
    """
    return _expanded(body, {}, body.get("Mappings", {}))


def _expanded(node: Any, names: Mapping[str, str], mappings: Mapping[str, Any]) -> Any:
    """`node` inside loops whose identifiers have the values `names`."""
    if isinstance(node, list):
        return [_expanded(item, names, mappings) for item in node]
    if not isinstance(node, dict):
        return node
    if _call(node):
        ((function, argument),) = node.items()
        return _resolved(function, _expanded(argument, names, mappings), names, mappings)
    result: dict[str, Any] = {}
    for key, value in node.items():
        found = (
            _iterations(value, names, mappings) if key.startswith(_LOOP) else [(key, _expanded(value, names, mappings))]
        )
        for made, content in found:
            assert made not in result, f"{made} is made twice"
            result[made] = content
    return result


def _iterations(loop: list[Any], names: Mapping[str, str], mappings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    identifier, items, fragment = loop
    for item in items:
        inner = {**names, identifier: item}
        for key, value in fragment.items():
            if key.startswith(_LOOP):
                yield from _iterations(value, inner, mappings)
                continue
            assert f"${{{identifier}}}" in key, key
            yield _substituted(key, inner), _expanded(value, inner, mappings)


def _call(node: Mapping[str, Any]) -> bool:
    """Whether `node` is a function call. In a policy "Condition" is a key like others."""
    return (
        len(node) == 1 and ((key := next(iter(node))) == "Ref" or key.startswith("Fn::")) and not key.startswith(_LOOP)
    )


def _resolved(function: str, argument: Any, names: Mapping[str, str], mappings: Mapping[str, Any]) -> Any:
    if function == "Ref" and argument in names:
        return names[argument]
    if function == "Fn::FindInMap" and all(isinstance(key, str) for key in argument):
        name, row, column = argument
        return mappings[name][row][column]
    if function == "Fn::GetAtt" and isinstance(argument, list):
        return {function: ".".join(argument)}
    if function == "Fn::Sub":
        return _sub(argument, names)
    return {function: argument}


def _sub(argument: Any, names: Mapping[str, str]) -> Any:
    text, variables = argument if isinstance(argument, list) else (argument, {})
    assert all(isinstance(value, str) for value in variables.values()), argument
    text = _substituted(text, {**names, **variables})
    return {"Fn::Sub": text} if "${" in text else text


def _substituted(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$\{(\w+)}", lambda found: values.get(found[1], found[0]), text)
