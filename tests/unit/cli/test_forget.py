"""The operator's tool that forgets a person: what it prints, and its exit status."""

import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from parley.adapter import App
from parley.engine.aws import dynamodb
from parley.journal import forget as journal
from parley.journal.inbox import Decision, Inbox
from parley.journal.table import get, message_pk, shared_pk, text
from parley.model import Sender, message_key
from parley.platforms.http.bodies import MediaRequest
from parley.platforms.http.media import new_media
from parley.platforms.http.persons import Person, mark_of
from parley_cli import place
from parley_cli.deployment import Deployment
from tests.factories import NOW, make_message
from tests.unit.cli.tool import parley, use_deployment

pytestmark = pytest.mark.usefixtures("aws")
ARGUMENTS = ("forget", "feishu/demo", "ann", "--pages", "1e6")


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Inbox:
    """The journal of the deployment that the tool finds. Its clock stands in the year of the messages."""
    use_deployment(monkeypatch, Deployment(None, None, dynamodb(), "parley", ()))
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    return Inbox(dynamodb(), "parley", 86_400)


def decided(inbox: Inbox, id_: str, person: str) -> str:
    """Decide a message of a person. Returns the key of its row."""
    message = make_message(id_, sender=Sender(id=person))
    inbox.decide(message, inbox.open(message), Decision(), NOW)
    return message_pk(message_key(message))


def test_it_prints_what_it_did_page_by_page(
    inbox: Inbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "PAGE", 2)
    anns = [decided(inbox, f"a{number}", "ann") for number in range(5)]
    bobs = decided(inbox, "b", "bob")
    assert parley(*ARGUMENTS) == 0
    assert capsys.readouterr().out == "in masked: 5\n"
    assert ["message" in get(dynamodb(), "parley", pk) for pk in (*anns, bobs)] == [*[False] * 5, True]
    assert parley(*ARGUMENTS) == 0
    assert capsys.readouterr().out.startswith("nothing found")


def test_a_message_under_way_is_an_exit_status(inbox: Inbox, capsys: pytest.CaptureFixture[str]) -> None:
    inbox.attempted(make_message(sender=Sender(id="ann")), 1, NOW)
    assert parley(*ARGUMENTS) == 1
    assert capsys.readouterr().out.startswith("under way, run this again later:\n  in#")


def test_a_message_that_has_failed_is_listed_with_the_command(
    inbox: Inbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)
    inbox.failed(make_message("om_1", sender=Sender(id="ann")), "RuntimeError", 5, NOW)
    assert parley(*ARGUMENTS) == 1
    assert capsys.readouterr().out.endswith("  parley dlq delete om_1\n")


def test_a_row_that_is_not_readable_is_an_exit_status(inbox: Inbox, capsys: pytest.CaptureFixture[str]) -> None:
    pk = decided(inbox, "m1", "ann")
    dynamodb().put_item(TableName="parley", Item=get(dynamodb(), "parley", pk) | {"message": text('["ann"]')})
    assert parley(*ARGUMENTS) == 1
    assert capsys.readouterr().out == f"not readable, use the version that is deployed:\n  {pk}\n"


@pytest.mark.usefixtures("inbox")
def test_states_in_which_the_bot_names_the_person_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    pk = shared_pk("feishu", "demo")
    dynamodb().put_item(TableName="parley", Item={"pk": text(pk), "memory": text('{"admins":["ann"]}')})
    assert parley(*ARGUMENTS) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [f"  {pk}"]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        (("feishu/demo", ""), 1),
        (("feishu/", "ann"), 1),
        (("slack/demo", "ann"), 1),
        (("feishu/demo",), 2),
        (("feishu/demo", "ann", "--pages", "0"), 2),
    ],
)
@pytest.mark.usefixtures("inbox")
def test_wrong_arguments_are_refused(wrong: tuple[str, ...], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert parley("forget", *wrong) == status
    assert capsys.readouterr().err


def test_without_a_local_stack_the_error_says_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found: Any = None
    monkeypatch.setattr(place, "running", lambda: found)
    monkeypatch.chdir(tmp_path)
    assert parley(*ARGUMENTS) == 1
    assert "make up" in capsys.readouterr().err


# --- uploads in the bucket --------------------------------------------------------------------------------------------

PNG = MediaRequest(type="image/png", size=4)
HTTP = ("forget", "http/web", "lin", "--pages", "1e6")


@pytest.fixture
def bucket(aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The objects of two persons in two apps."""
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="media")
    for app, person in (("web", "lin"), ("web", "sam"), ("other", "lin")):
        for key in ("k1", "k2", "k3"):
            new = new_media(Person(person, "", frozenset()), App("http", app, None), key, PNG)
            s3.put_object(Bucket="media", Key=new.key, Body=b"png.")
    found = Deployment(None, None, dynamodb(), "parley", (), s3, "media")
    use_deployment(monkeypatch, found)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    return s3


def left(s3: Any) -> list[str]:
    """The beginnings of the keys that are left."""
    return sorted(each["Key"][:-32] for each in s3.list_objects_v2(Bucket="media").get("Contents", []))


def test_the_uploads_of_the_person_are_deleted_and_no_others(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert parley(*HTTP) == 0
    assert capsys.readouterr().out == "upload deleted: 3\n"
    assert left(bucket) == sorted([f"other/{mark_of('lin')}", f"web/{mark_of('sam')}"] * 3)
    assert parley(*HTTP) == 0
    assert capsys.readouterr().out.startswith("nothing found")


def test_uploads_that_are_not_deleted_are_an_exit_status(
    bucket: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = {"Errors": [{"Key": "x", "Code": "InternalError"}]}
    monkeypatch.setattr(bucket, "delete_objects", lambda **_: errors)
    assert parley(*HTTP) == 1
    assert capsys.readouterr().out == "upload deleted: 2\nupload not deleted, run this again: 1\n"


@pytest.mark.usefixtures("bucket")
def test_a_person_of_another_platform_has_no_uploads(capsys: pytest.CaptureFixture[str]) -> None:
    assert parley(*ARGUMENTS) == 0
    assert capsys.readouterr().out.startswith("nothing found")
