"""A callback function imports its own platform only, and no module that slows down a cold start."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("name", "other"), [("wecom", "wechat"), ("wechat", "wecom")])
def test_inbound_imports_no_client_and_no_other_platform(name: str, other: str) -> None:
    code = f"import sys; import parley.platforms.{name}.inbound; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    unwanted = {
        "httpx",
        "pydantic",
        "boto3",
        "botocore",
        f"parley.platforms.{other}",
        f"parley.platforms.{name}.outbound",
    }
    assert not unwanted & set(loaded)
    assert f"parley.platforms.{name}.inbound" in loaded
