"""The cases of WeCom: those of its internal apps, and those of an app that companies install."""

import uuid
from dataclasses import replace

from playground.platforms.wecom import Wecom
from tools.demo.case import Case, Outcome
from tools.demo.client import PlatformClient, SentMessage
from tools.demo.tencent import TencentCases

_SUITE = "suite"
"""The app of the service provider."""


def three_companies(client: PlatformClient) -> Outcome:
    """Three companies install one app, and a person in each writes at once. Each has a count of its own."""
    companies = [_installed(client) for _ in range(3)]
    sent = [_write(company, "/count") for company in companies]
    replies = [company.replies(one.room)[0] for company, one in zip(companies, sent, strict=True)]
    return Outcome(", ".join(repr(reply["text"]) for reply in replies), replies[-1]["at"] - sent[-1].at)


def installed_three_times(client: PlatformClient) -> Outcome:
    """WeCom delivers the installation three times. Its code is good once."""
    company = _installed(client, deliveries=3)
    sent = _write(company, "/echo once")
    reply = company.replies(sent.room)[0]
    used = [call for call in company.calls() if call["at"] >= sent.at - 30 and "get_permanent_code" in call["path"]]
    refused = sum(call["response"].get("errcode", 0) != 0 for call in used)
    return Outcome(f"{reply['text']!r}, {refused} codes refused", reply["at"] - sent.at)


def removed(client: PlatformClient) -> Outcome:
    """A company removes the app, and one of its people writes. Another company goes on."""
    leaving, staying = _installed(client), _installed(client)
    for company in (leaving, staying):
        first = _write(company, "/count")
        company.replies(first.room)
    client.post("/api/events", app=_SUITE, kind="removed", company=_id(leaving), wait=True)
    late = _write(leaving, "/count")
    states = client.wait(
        lambda: [reply["state"] for reply in client.get(f"/api/journal/{late.id}")["replies"]],
        lambda found: found == ["FAILED"],
        lambda found: f"replies: {found}",
    )
    sent = _write(staying, "/count")
    reply = staying.replies(sent.room, 2)[-1]
    return Outcome(f"{states[0]}; the other one {reply['text']!r}", reply["at"] - sent.at)


def _installed(client: PlatformClient, deliveries: int = 1) -> PlatformClient:
    """The app in a company that has just installed it."""
    id_ = f"wp{uuid.uuid4().hex}"
    event = client.post("/api/events", app=_SUITE, kind="installed", company=id_, wait=True)
    if deliveries > 1:
        client.post("/api/deliver", message_id=event["event_id"], times=deliveries - 1)
    return replace(client, app=f"{_SUITE}@{id_}")


def _write(company: PlatformClient, text: str) -> SentMessage:
    return company.send("private", text)


def _id(company: PlatformClient) -> str:
    return company.app.partition("@")[2]


CASES = TencentCases(Wecom, keep_query=True).cases(
    "template_card",
    Case("three companies install one app", "'1', '1', '1'", three_companies),
    Case("one installation three times", "'once', 0 codes refused", installed_three_times),
    Case("a company removes the app", "FAILED; the other one '2'", removed),
)
