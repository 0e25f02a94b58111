"""Service providers: apps that companies install, their commands, and the API about companies.

Facts: WeCom docs, Third-party apps: Pushing of the authorisation; Get suite_access_token, permanent code, authorisation
and access_token of a company. Every company has the persons of the playground, with the same user ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from parley.platforms.tencent.messages import identity
from playground.platforms.base import NotFoundError
from playground.platforms.exchange import Request, Response
from playground.platforms.model import Delivery
from playground.platforms.tencent import wire
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import TencentError
from playground.platforms.tencent.requests import json_body

if TYPE_CHECKING:
    from playground.platforms.wecom import Wecom
    from playground.platforms.wecom.install_page import PreAuthCode

TICKET_SECONDS, TICKET_EVERY, CODE_SECONDS = 1800, 600, 600
DEADLINE = 1.0
"""Seconds for the response to a command about an installation."""
SUCCESS = b"success"
_SHORTEST_CODE = 64
TICKET_INVALID = (40085, "invalid suite ticket")
CODE_INVALID = (40078, "invalid temporary auth code")
NOT_INSTALLED = (40084, "invalid permanent code")


@dataclass(slots=True)
class Company:
    """A company that has installed the app. `code`: its permanent code; empty after it has removed the app."""

    id: str
    agent: int
    code: str = ""
    persons: list[str] = field(default_factory=list[str])
    """The user ids of those who see the app."""


@dataclass(slots=True)
class Suite:
    """An app of a provider as the provider's console knows it."""

    account: Account
    provider: str
    tickets: dict[str, float] = field(default_factory=dict[str, float])
    """Each with the unix second of its end."""
    codes: dict[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])
    """The company and the end of each AuthCode that is not used."""
    companies: dict[str, Company] = field(default_factory=dict[str, Company])
    site: str = ""
    """Where the provider's own install page is: the domain to which WeCom sends an administrator back."""
    pre_auth_codes: "dict[str, PreAuthCode]" = field(default_factory=dict[str, "PreAuthCode"])
    is_released: bool = True
    tests: set[str] = field(default_factory=set[str])
    """The companies that test the app."""


def suite_from(name: str, config: Mapping[str, Any]) -> Suite:
    """The app for its Parley configuration."""
    id_ = str(config["suite_id"])
    account = Account(
        name=name,
        id=id_,
        secret=str(config["suite_secret"]),
        token=str(config["token"]),
        key=str(config["encoding_aes_key"]),
        owner=id_,
        host=str(config.get("host") or "https://qyapi.weixin.qq.com"),
    )
    own_page = urlsplit(str((config.get("install") or {}).get("redirect_uri") or ""))
    site = f"{own_page.scheme}://{own_page.netloc}" if own_page.netloc else ""
    return Suite(account, str(config["provider_corp_id"]), site=site)


def emit(wecom: "Wecom", suite: Suite, kind: str, details: Mapping[str, Any]) -> Delivery | None:
    """What happens at a company (`installed`, `scope_changed`, `removed`, `code_reset`), or in the console (`ticket`,
    `code_expired`). Raises NotFoundError.
    """
    company = str(details.get("company") or "")
    match kind:
        case "ticket":
            return _new_ticket(wecom, suite)
        case "installed":
            return install(wecom, suite, company or f"wp{wecom.hex(32)}", str(details.get("state") or ""))
        case "code_reset":
            _change_code(wecom, suite, _company(suite, company), wecom.hex(128))
            return command(wecom, suite, "reset_permanent_code", AuthCode=new_code(wecom, suite, company))
        case "scope_changed":
            found = _company(suite, company)
            found.persons = [str(person) for person in details.get("persons") or ()]
            return command(wecom, suite, "change_auth", AuthCorpId=company)
        case "removed":
            found = _company(suite, company)
            _change_code(wecom, suite, found, "")
            wecom.tokens.expire_by(wecom.name_in(suite.account.name, company), "app", wecom.clock())
            return command(wecom, suite, "cancel_auth", AuthCorpId=company)
        case "code_expired":
            for code, (whose, _) in suite.codes.items():
                suite.codes[code] = whose, wecom.clock()
            return None
        case _:
            raise NotFoundError(f"a WeCom app of a provider has no event {kind!r}")


def push_ticket(wecom: "Wecom", suite: Suite) -> None:
    """Push a ticket if the last one is ten minutes old."""
    if max(suite.tickets.values(), default=0) - TICKET_SECONDS + TICKET_EVERY <= wecom.clock():
        _new_ticket(wecom, suite)


def _new_ticket(wecom: "Wecom", suite: Suite) -> Delivery:
    ticket = wecom.hex(64)
    suite.tickets[ticket] = wecom.clock() + TICKET_SECONDS
    return command(wecom, suite, "suite_ticket", SuiteTicket=ticket)


def install(wecom: "Wecom", suite: Suite, company: str, state: str) -> Delivery:
    """A company installs the app from the market."""
    add_company(wecom, suite, company)
    fields = {"State": state} if state else {}
    return command(wecom, suite, "create_auth", AuthCode=new_code(wecom, suite, company), **fields)


def add_company(wecom: "Wecom", suite: Suite, company: str) -> None:
    """A company has installed the app."""
    known = suite.companies.get(company)
    agent = 1_000_040 + len(suite.companies)
    made = Company(company, known.agent if known else agent, persons=list(wecom.persons))
    suite.companies[company] = made
    _change_code(wecom, suite, made, wecom.hex(128))
    wecom.join(wecom.name_in(suite.account.name, company))


def _change_code(wecom: "Wecom", suite: Suite, company: Company, code: str) -> None:
    """Give `company` another permanent code; none if it has removed the app."""
    company.code = code
    account = _account(wecom, suite, company)
    wecom.accounts[account.name] = account


def new_code(wecom: "Wecom", suite: Suite, company: str) -> str:
    """A new AuthCode for `company`. Raises NotFoundError."""
    _company(suite, company)
    code = wecom.hex(128)
    suite.codes[code] = company, wecom.clock() + CODE_SECONDS
    return code


def command(wecom: "Wecom", suite: Suite, name: str, **fields: Any) -> Delivery:
    """Deliver a command. The ciphertext ends in the id of the app."""
    now = wecom.clock()
    value = {"SuiteId": suite.account.id, "InfoType": name, "TimeStamp": int(now), **fields}
    id_ = identity(wire.read_xml(wire.xml(value)))
    return wecom.enqueue(
        Delivery(
            id=id_,
            platform=wecom.name,
            app=suite.account.name,
            kind="event",
            wire=wecom.callback(suite.account, value, now),
            plain=wire.xml(value),
            at=now,
            journal_id=id_,
            deadline=DEADLINE,
            retry_delays=wecom.retry_delays,
        )
    )


def is_command(delivery: Delivery) -> bool:
    """Whether `delivery` is a command, and not a message."""
    return b"<InfoType>" in delivery.plain


def _company(suite: Suite, id_: str) -> Company:
    found = suite.companies.get(id_)
    if found is None or not found.code:
        raise NotFoundError(f"the company {id_!r} has not installed the app")
    return found


def _account(wecom: "Wecom", suite: Suite, company: Company) -> Account:
    """The app in one company. Its callbacks go to the address of the provider's app."""
    own = suite.account
    name = wecom.name_in(own.name, company.id)
    # Only the code of a customised app is a secret for `gettoken`.
    secret = company.code if own.id.startswith("dk") and company.code else wecom.hex(64)
    return Account(name, company.id, secret, own.token, own.key, company.id, own.host, agent=company.agent)


# --- the API ----------------------------------------------------------------------------------------------------------


def get_suite_token(wecom: "Wecom", request: Request) -> Response:
    """`POST /cgi-bin/service/get_suite_token`."""
    body = json_body(request)
    suite = next((one for one in wecom.suites.values() if one.account.id == body.get("suite_id")), None)
    if suite is None:
        raise TencentError(40083, "invalid suiteid")
    if suite.account.secret != body.get("suite_secret"):
        raise TencentError(40080, "invalid suitesecret")
    now, name = wecom.clock(), suite.account.name
    if suite.tickets.get(str(body.get("suite_ticket")), 0) <= now:
        raise TencentError(*TICKET_INVALID)
    wecom.note_call(app=name)
    token = wecom.tokens.newest(name, "suite")
    if token is None or token.expires <= now:
        token = wecom.tokens.issue(name, "suite", now)
    return Response.of({"suite_access_token": token.value, "expires_in": int(token.expires - now)})


def authenticated(wecom: "Wecom", request: Request) -> Suite:
    """The app whose token the call has."""
    value = request.query.get("suite_access_token", "")
    if not value:
        raise TencentError(41023, "suite_access_token missing")
    token = wecom.tokens.get(value)
    if token is None or token.kind != "suite":
        raise TencentError(40082, "invalid suite_token")
    if token.expires <= wecom.clock():
        raise TencentError(42009, "suite_token expired")
    wecom.note_call(app=token.app)
    return wecom.suites[token.app]


def get_permanent_code(wecom: "Wecom", request: Request) -> Response:
    """`POST /cgi-bin/service/v2/get_permanent_code`: once for each AuthCode."""
    suite, code = authenticated(wecom, request), str(json_body(request).get("auth_code") or "")
    if len(code) < _SHORTEST_CODE:
        raise TencentError(40058, "invalid Request Parameter: auth_code")
    id_, until = suite.codes.get(code, ("", 0.0))
    company = suite.companies.get(id_)
    if until <= wecom.clock() or company is None or not company.code:
        raise TencentError(*CODE_INVALID)
    del suite.codes[code]
    names = {"corpid": company.id, "corp_name": company.id}
    return Response.of({"permanent_code": company.code, "auth_corp_info": names})


def _installed(suite: Suite, body: Mapping[str, Any]) -> Company:
    company = suite.companies.get(str(body.get("auth_corpid")))
    if company is None or not company.code or company.code != body.get("permanent_code"):
        raise TencentError(*NOT_INSTALLED)
    return company


def get_auth_info(wecom: "Wecom", request: Request) -> Response:
    """`POST /cgi-bin/service/v2/get_auth_info`."""
    company = _installed(authenticated(wecom, request), json_body(request))
    privilege = {"level": 1, "allow_user": company.persons, "allow_party": [1], "allow_tag": []}
    agent = {"agentid": company.agent, "auth_mode": 0, "privilege": privilege}
    return Response.of({"auth_corp_info": {"corpid": company.id}, "auth_info": {"agent": [agent]}})


def get_corp_token(wecom: "Wecom", request: Request) -> Response:
    """`POST /cgi-bin/service/get_corp_token`."""
    suite = authenticated(wecom, request)
    account = _account(wecom, suite, _installed(suite, json_body(request)))
    wecom.count_call(account, "get_corp_token")
    now = wecom.clock()
    token = wecom.tokens.newest(account.name, "app")
    if token is None or token.expires <= now:
        token = wecom.tokens.issue(account.name, "app", now)
    return Response.of({"access_token": token.value, "expires_in": int(token.expires - now)})
