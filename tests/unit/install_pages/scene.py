"""A provider's app with an install page, browsers that open it, and simulated WeCom behind it."""

import html
import re
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from parley.engine.install_pages import InstallPages
from playground.platforms.exchange import Request
from tests.faults.test_tenants import EXCHANGE, HOST, SUITE, TARGET, Flow
from tools.faults.aws import isolated
from tools.faults.target import APP

SITE = "https://bot.example.com"
PAGE = f"{SITE}/install/wecom/{APP}"
BACK = f"{PAGE}/done"
COMPANY = "wpQ7XbDAAA0Zk3vN5yTgR2mJ8hL1cE4s"
_LINK = re.compile(r'<a href="([^"]+)">')


class Answered:
    """What a browser has got."""

    def __init__(self, status: int, body: str, headers: dict[str, str]) -> None:
        self.status, self.body, self.headers = status, body, headers

    @property
    def link(self) -> str:
        """The one link of the page."""
        (found,) = _LINK.findall(self.body)
        return html.unescape(found)


class Scene(Flow):
    """The flow with an install page. `install`: changes of its configuration."""

    def __init__(self, stack: ExitStack, ticket: bool = True, **install: Any) -> None:
        stack.enter_context(isolated())
        page = {"redirect_uri": BACK, "site": HOST, **install}
        super().__init__(target=replace(TARGET, apps={APP: {**SUITE, "install": page}}))
        if ticket:
            self.emit("ticket")
            self.wait()
        self.restart()

    def restart(self) -> None:
        """Another process answers."""
        self.sim.processes.restart()
        behind = self.sim.processes.current.deliverer
        self.installs = InstallPages(behind.calls, behind.apps, self.sim.clock)

    @property
    def rows(self) -> dict[str, Any]:
        return {key: row for key, row in self.sim.aws.dynamodb.items.items() if key.startswith("login#")}

    def state_of(self, company: str = COMPANY) -> Any:
        """The state of a company; None before its installation is handled."""
        found = self.tenant(company)
        return found.state if found else None

    def exchanges(self) -> int:
        """Exchanges that were tried since the plan was armed."""
        return self.plan.calls.count(EXCHANGE)


class Visitor:
    """A browser."""

    def __init__(self, scene: Scene, address: str = "203.0.113.7") -> None:
        self.scene, self.address = scene, address
        self.cookies: dict[str, str] = {}

    def open(self, address: str, *, accept: str = "en") -> Answered:
        """The page of the deployment at `address`."""
        parts = urlsplit(address)
        _, _, platform, app, *done = parts.path.split("/")
        several = parse_qs(parts.query)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        event = {
            "httpMethod": "GET",
            "resource": "/install/{platform}/{app}" + ("/done" if done else ""),
            "pathParameters": {"platform": platform, "app": app},
            "queryStringParameters": {name: values[-1] for name, values in several.items()},
            "multiValueQueryStringParameters": several,
            "headers": {"Accept-Language": accept, **({"Cookie": cookie} if cookie else {})},
            "requestContext": {"identity": {"sourceIp": self.address}},
        }
        answer = self.scene.installs(event, None)
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        name, _, value = headers.get("set-cookie", "").partition(";")[0].partition("=")
        self.cookies |= {name: value} if name else {}
        return Answered(answer["statusCode"], answer["body"], headers)

    def install(self, page: Answered, company: str = COMPANY) -> str:
        """The address to which WeCom sends the browser back from the link of `page`, not opened yet."""
        query = {**dict(parse_qsl(urlsplit(page.link).query)), "company": company}
        # What a browser sends for the policy of the page.
        referer = {"origin": f"{SITE}/", "no-referrer": ""}[page.headers["referrer-policy"]]
        answer = self.scene.wecom.api(Request("GET", urlsplit(page.link).path, query, {"referer": referer}))
        assert answer.status == 302, answer.body
        return answer.headers["location"]

    def back(self, company: str = COMPANY) -> str:
        """The same, from a new page."""
        return self.install(self.open(PAGE), company)
