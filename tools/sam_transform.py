"""Transforms a packaged template as CloudFormation does: AWS::LanguageExtensions, then SAM. Stdin YAML, stdout JSON.

    python tools/sam_transform.py Name=Value ...      the parameters that differ from their defaults

Runs in the emulator's environment, which has AWS's own library for SAM and the emulator's for the language extensions.
AWS_DEFAULT_REGION names the region.
"""

import json
import sys
from typing import Any

from ministack.services.cloudformation import language_extensions  # pyright: ignore[reportMissingImports]
from samtranslator.translator.transform import transform  # pyright: ignore[reportMissingImports]
from samtranslator.yaml_helper import yaml_parse  # pyright: ignore[reportMissingImports]


class _NoManagedPolicies:
    """The template names no policies of SAM's."""

    def load(self) -> dict[str, str]:
        return {}


def main(overrides: list[str]) -> int:
    """Print the CloudFormation template."""
    template: dict[str, Any] = yaml_parse(sys.stdin.read())
    values = {name: spec["Default"] for name, spec in template["Parameters"].items() if "Default" in spec}
    values |= dict(override.split("=", 1) for override in overrides)
    template = {**language_extensions.apply(template, values), "Transform": "AWS::Serverless-2016-10-31"}
    json.dump(transform(template, values, _NoManagedPolicies()), sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
