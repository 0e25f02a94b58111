"""The benchmarks: their tables in docs/benchmarks.md, the simulated cloud, and the whole way of a first message."""

import ssl
import time
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from tools.bench import cloud, growing, report, stack, views, ways
from tools.bench.cloud import Cloud
from tools.bench.report import Table

TABLE = Table("t", "make it", "title", ("", "ms", "ratio"), (("ours", "9", "1.00"), ("theirs", "27", "")), "3 runs")


def test_a_table_is_aligned_for_a_terminal() -> None:
    assert TABLE.text().splitlines() == [
        "title (3 runs)",
        "          ms  ratio",
        "  ours     9   1.00",
        "  theirs  27",
    ]


def test_a_table_in_the_document_says_how_to_repeat_it() -> None:
    *table, empty, facts = TABLE.markdown().splitlines()

    assert table == ["| | ms | ratio |", "| --- | --: | --: |", "| ours | 9 | 1.00 |", "| theirs | 27 | |"]
    assert not empty
    assert facts.startswith("`make it` on 20")
    assert facts.endswith("cores.")


def test_writing_replaces_only_what_is_between_the_comments(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("before\n<!-- t -->\nold\n<!-- end of t -->\nafter\n")
    report.write([TABLE], file)

    text = file.read_text()
    assert text.startswith("before\n<!-- t -->\n| | ms |")
    assert text.endswith("cores.\n<!-- end of t -->\nafter\n")
    assert "old" not in text


def test_a_document_without_the_comments_is_refused() -> None:
    with pytest.raises(ValueError, match="one pair of the comments"):
        report.replaced("nothing", "t", "x")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with cloud.running(tmp_path_factory.mktemp("cloud")) as served:
        yield served


def test_the_cloud_serves_aws_with_tls(running: Cloud) -> None:
    make: Any = boto3.client
    client = make(
        "sqs",
        endpoint_url=running.url,
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
        verify=str(running.bundle),
        config=Config(retries={"total_max_attempts": 1}),
    )
    url = f"{running.url}/queue/inbound"
    client.send_message(QueueUrl=url, MessageBody="hello", MessageGroupId="g", MessageDeduplicationId="d")

    (event,) = cloud.records(running.sent.pop("inbound"))
    assert event["Records"][0]["body"] == "hello"


def test_the_cloud_serves_the_platforms(running: Cloud) -> None:
    trusted = ssl.create_default_context(cafile=str(running.bundle))
    with httpx.Client(verify=trusted, trust_env=False) as client:
        answer = client.post(f"{running.url}/feishu/open-apis/im/v1/messages", json={})

    assert answer.json()["code"]  # Feishu's error: there is no token
    assert running.calls("feishu")[-1] == "POST /open-apis/im/v1/messages"


def test_a_first_message_passes_all_functions_in_both_ways(running: Cloud, tmp_path: Path) -> None:
    at_once, queued = ways.ours("feishu", views.layer(tmp_path))

    assert list(ways.walk(at_once, running)) == ["callback", "processor"]
    assert list(ways.walk(queued, running)) == ["callback", "processor", "deliverer"]


# --- the local stack --------------------------------------------------------------------------------------------------


def test_a_percentile_is_a_measured_value() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert [stack.percentile(values, share) for share in (0.5, 0.99, 1)] == [50, 99, 100]
    assert stack.percentile([7.0], 0.5) == 7


def test_the_table_compares_both_ways() -> None:
    direct = stack.Timings(acknowledged=[0.03], called=[0.06], rates=[12, 14, 13])
    queued = stack.Timings(acknowledged=[0.03], called=[0.08], rates=[10, 10, 10])
    made = stack.table({"at once": direct, "queue": queued}, "1 turn")

    assert made.rows == (
        ("at once", "30", "30", "60", "60", "13.0"),
        ("queue", "30", "30", "80", "80", "10.0"),
        ("at once / queue", "1.00", "1.00", "0.75", "0.75", "1.30"),
        ("aim: at most", "", "", "0.67: NOT met", "0.67: NOT met", ""),
    )


def test_every_table_has_a_place_in_the_document() -> None:
    text = report.FILE.read_text()
    for name in ("imports", "first response", *(f"first call of {name}" for name in ("feishu", "wechat", "discord"))):
        report.replaced(text, name, "")
    for name in ("callback of Feishu", "callback of Discord", "callback of WeChat", "stack"):
        report.replaced(text, name, "")


def test_the_time_to_the_first_text_is_that_from_the_first_piece_of_the_model() -> None:
    with growing.serving() as server:
        server.thinks = 0.2
        asked = time.monotonic()
        body = {"model": "local", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
        answer = httpx.post(f"{server.base_url}/chat/completions", json=body, trust_env=False)
    assert growing.BEGINNING in answer.text
    assert server.began - asked >= server.thinks
    assert server.ended.is_set()


def test_the_table_of_first_texts_says_how_many_are_in_time() -> None:
    shown = growing.table({"feishu": [0.5, 0.6, 0.7], "wecom_bot": [0.1, 0.2, 1.01]}, "3 answers each")
    assert shown.rows == (("feishu", "600", "700", "met"), ("wecom_bot", "200", "1010", "NOT met: 2 of 3"))
    report.replaced(report.FILE.read_text(), shown.name, shown.markdown())
