"""The tests of template.yaml expand its loops themselves. They see the same template as CloudFormation."""

import json
from typing import Any

from tests.stack import Stack
from tests.template import expanded, seconds, template


def deployed(stack: Stack) -> dict[str, Any]:
    """The template of the stack after all transforms."""
    answer = stack.client("cloudformation").get_template(StackName="parley-local", TemplateStage="Processed")
    body = answer["TemplateBody"]
    return json.loads(body) if isinstance(body, str) else json.loads(json.dumps(body))


def numbers(node: Any) -> Any:
    """`node` with the numbers that depend on a parameter. The emulator resolves them as well."""
    if isinstance(node, list):
        return [numbers(item) for item in node]
    if not isinstance(node, dict):
        return node
    return seconds(node) if "Fn::FindInMap" in node else {key: numbers(value) for key, value in node.items()}


def test_the_loops_are_expanded_as_the_stack_has_them(stack: Stack) -> None:
    theirs, ours = deployed(stack), template()
    # SAM makes other resources of its own types.
    plain = {name: body for name, body in ours["Resources"].items() if not body["Type"].startswith("AWS::Serverless")}
    assert len(plain) > 40

    found = expanded({name: theirs["Resources"].get(name) for name in plain})
    for name, body in plain.items():
        if body["Type"] == "AWS::CloudFormation::Stack":
            # `sam deploy` has stored the nested template, and names its place.
            assert found[name]["Properties"]["TemplateURL"].endswith(".template")
            found[name]["Properties"]["TemplateURL"] = body["Properties"]["TemplateURL"]
    assert found == numbers(plain)
    assert expanded(theirs["Outputs"]) == ours["Outputs"]
