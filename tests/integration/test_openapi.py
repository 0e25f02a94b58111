"""The deployed HTTP channel does what docs/openapi.yaml says, with data that the document allows and forbids."""

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from playground.platforms.http import wire
from tests.stack import ROOT, Stack

BIN = ROOT / ".local" / "envs" / "contract" / "bin"
CONFIGURATION = """
[parameters]
"path.app" = "demo"

# A key can be generated twice, with another body.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 403, 404, 422]
"""
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
    "ignored_auth",
)
"""All that concern one request, without `unsupported_method`: API Gateway answers other methods itself."""


@pytest.fixture
def token(stack: Stack) -> str:
    """That of a person whom the page does not know."""
    issuer: dict[str, Any] = stack.facts["apps"]["http"]["demo"]["issuers"][0]
    claims = {"iss": issuer["issuer"], "aud": issuer["audience"], "sub": "contract", "rooms": ["me", "team"]}
    return wire.token(issuer["secrets"][0], claims, time.time(), seconds=3600)


def test_the_deployed_api_is_the_documented_one(stack: Stack, token: str, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    url = stack.facts["callbacks"]["http"]["demo"].removesuffix("/v1/demo/messages")
    # One worker: caches of Hypothesis fail at times when two threads use them.
    command = [
        str(BIN / "schemathesis"),
        *("--config-file", str(tmp_path / "schemathesis.toml")),
        "run",
        str(ROOT / "docs" / "openapi.yaml"),
        *("--url", url, "--header", f"Authorization: Bearer {token}"),
        *("--phases", "examples,coverage,fuzzing", "--mode", "all", "--checks", ",".join(CHECKS)),
        *("--max-examples", "60", "--request-timeout", "20", "--seed", "1", "--workers", "1", "--no-color"),
    ]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parent),
        "SCHEMATHESIS_HOOKS": "contract_hooks",
    }
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=420, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
