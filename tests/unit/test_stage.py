"""A tool that reads an app's configuration uses the local stack or a stage on AWS, and says what is missing."""

import os

import pytest

from tools import stage
from tools.local import StackError

FACTS = {"stage": "local", "aws_endpoint": "http://127.0.0.1:4566", "region": "us-east-1", "account": "000000000000"}


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tools change the environment of their process."""
    monkeypatch.setattr(os, "environ", os.environ.copy())


def test_the_local_stack_is_used_with_its_own_address_and_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "running", lambda: FACTS)
    stage.use_stage("")
    assert os.environ["PARLEY_STAGE"] == "local"
    assert os.environ["AWS_ENDPOINT_URL"] == FACTS["aws_endpoint"]
    assert os.environ["AWS_DEFAULT_REGION"] == FACTS["region"]
    assert os.environ["AWS_ACCESS_KEY_ID"] == os.environ["AWS_SECRET_ACCESS_KEY"] == FACTS["account"]


def test_a_stage_on_aws_is_read_with_the_credentials_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "running", lambda: pytest.fail("no local stack is needed"))
    before = dict(os.environ)
    stage.use_stage("prod")
    assert dict(os.environ) == {**before, "PARLEY_STAGE": "prod"}


def test_without_a_local_stack_the_tools_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "running", lambda: None)
    with pytest.raises(StackError, match="start one with `make run`, or name a --stage"):
        stage.use_stage("")
