"""Feishu's logins: the authorise page, the token endpoint, the person, and a calendar to read in their name.

Shares no code with Parley. Facts: Feishu docs, Get authorization code; Get and Refresh user_access_token; Get user
info.
"""

import base64
import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from playground.platforms.exchange import Request, Response
from playground.platforms.feishu import events
from playground.platforms.feishu.accounts import Account, ids_of
from playground.platforms.feishu.errors import FeishuError

if TYPE_CHECKING:
    from playground.platforms.feishu import Feishu

CODE_SECONDS, ACCESS_SECONDS, REFRESH_SECONDS, GRACE = 300, 7200, 604_800, 60
_CALENDAR = "calendar:calendar:readonly"


@dataclass(slots=True)
class Code:
    """An authorisation code."""

    app_id: str
    person: str
    redirect_uri: str
    challenge: str
    scopes: tuple[str, ...]
    expires: float
    used: bool = False


@dataclass(slots=True)
class Session:
    """A pair of tokens. `used`: the refresh token was used."""

    app_id: str
    person: str
    scopes: tuple[str, ...]
    access: str
    refresh: str
    expires: float
    refresh_expires: float
    used: bool = False


@dataclass(slots=True)
class Logins:
    """All codes and tokens, and what each person has given to each app."""

    codes: dict[str, Code] = field(default_factory=dict[str, Code])
    sessions: list[Session] = field(default_factory=list[Session])
    given: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict[tuple[str, str], tuple[str, ...]])
    refreshes: int = 0
    """Refreshes that were carried out."""


class OAuthError(FeishuError):
    """A refusal of the token endpoint."""

    def __init__(self, code: int, error: str, status: int = 400) -> None:
        super().__init__(code, error, status, bare=True)
        self.body = {"code": code, "error": error, "error_description": "refused by the imitation"}


def authorise(feishu: "Feishu", request: Request) -> Response:
    """`GET /open-apis/authen/v1/authorize`: the page on which a person agrees or refuses."""
    query, account = request.query, feishu.find_account(request.query.get("client_id", ""))
    if account is None:
        return _page("20048", "There is no such app.")
    if query.get("redirect_uri", "") not in account.redirect_uris or query.get("response_type") != "code":
        return _page("20029", "The redirect URL is not in the list of the app.")  # no redirection to an unknown address
    wanted = query.get("scope", "").split()
    if len(wanted) > 50 or not set(wanted) <= set(account.scopes):
        return _page("20027", "The app does not have these permissions.")
    if query.get("person"):
        return _decided(feishu, account, query, query["person"], agreed=query.get("agreed") == "1")
    persons = feishu.persons.values()
    rows = "".join(
        f"<p>{html.escape(person.name)}: {_link(query, person.id, 'agree')} · {_link(query, person.id, 'refuse')}</p>"
        for person in persons
    )
    listed = "".join(f"<li>{html.escape(scope)}</li>" for scope in wanted)
    return _page(f"{account.name} asks for", f"<ul>{listed}</ul>{rows}")


def token(feishu: "Feishu", request: Request) -> Response:
    """`POST /oauth/v3/token`, and the older `POST /open-apis/authen/v2/oauth/token`."""
    body: Any = request.json()
    body = body if isinstance(body, dict) else {}
    if request.headers.get("authorization"):
        raise OAuthError(20070, "invalid_request")
    account = feishu.find_account(str(body.get("client_id")))
    if account is None:
        raise OAuthError(20048, "invalid_client")
    feishu.note_call(app=account.name)
    if body.get("client_secret") != account.app_secret:
        raise OAuthError(20002, "invalid_client")
    match body.get("grant_type"):
        case "authorization_code":
            return _exchange(feishu, account, body, is_older=request.path.startswith("/open-apis/"))
        case "refresh_token":
            return _refresh(feishu, account, str(body.get("refresh_token")))
        case _:
            raise OAuthError(20036, "unsupported_grant_type")


def user_info(feishu: "Feishu", request: Request) -> Response:
    """`GET /open-apis/authen/v1/user_info`."""
    session = _session(feishu, request)
    account, person = feishu.account_by_app_id(session.app_id), feishu.person(session.person)
    ids = ids_of(account, person.id)
    data = {"name": person.name, "open_id": ids["open_id"], "union_id": ids["union_id"], "tenant_key": events.TENANT}
    return Response.of({"code": 0, "msg": "success", "data": data})


def calendar_events(feishu: "Feishu", request: Request, calendar: str) -> Response:
    """`GET /open-apis/calendar/v4/calendars/{calendar_id}/events`: two events of today."""
    session = _session(feishu, request)
    if _CALENDAR not in session.scopes:
        violations = [{"type": "action_privilege_required", "subject": _CALENDAR}]
        value = {"code": 99991679, "msg": "Unauthorized", "error": {"permission_violations": violations}}
        return Response.of(value, 400)
    if calendar != "primary":
        return Response.of({"code": 191001, "msg": "invalid calendar_id"}, 400)
    name, day = feishu.person(session.person).name, int(feishu.clock()) // 86_400 * 86_400
    items = [
        {
            "event_id": f"{session.person}_{number}",
            "summary": f"{title} ({name})",
            "start_time": {"timestamp": str(day + hour * 3600), "timezone": "UTC"},
            "end_time": {"timestamp": str(day + (hour + 1) * 3600), "timezone": "UTC"},
        }
        for number, (title, hour) in enumerate((("Planning", 9), ("Review", 14)))
    ]
    return Response.of({"code": 0, "msg": "success", "data": {"items": items, "has_more": False}})


def _link(query: Mapping[str, str], person: str, what: str) -> str:
    """What a person can choose on the page."""
    chosen = {**query, "person": person, "agreed": "1" if what == "agree" else ""}
    address = html.escape(urlencode(chosen))
    return f"<a id='{what}-{person}' href='?{address}'>{what.capitalize()}</a>"


def _decided(feishu: "Feishu", account: Account, query: Any, person: str, *, agreed: bool) -> Response:
    answer = {"error": "access_denied"}
    if agreed:
        owner = (account.app_id, feishu.person(person).id)
        scopes = tuple(dict.fromkeys((*feishu.logins.given.get(owner, ()), *query.get("scope", "").split())))
        feishu.logins.given[owner] = scopes
        method, challenge = query.get("code_challenge_method", "plain"), query.get("code_challenge", "")
        stored = f"{method} {challenge}" if challenge else ""
        code = feishu.hex(64)
        expires = feishu.clock() + CODE_SECONDS
        feishu.logins.codes[code] = Code(*owner, query["redirect_uri"], stored, scopes, expires)
        answer = {"code": code}
    if "state" in query:
        answer["state"] = query["state"]
    address = urlsplit(query["redirect_uri"])
    together = urlencode([*parse_qsl(address.query), *answer.items()])
    return Response(302, b"", {"location": address._replace(query=together).geturl(), "referrer-policy": "no-referrer"})


def _exchange(feishu: "Feishu", account: Account, body: dict[str, Any], *, is_older: bool) -> Response:
    code = feishu.logins.codes.get(str(body.get("code")))
    if code is None:
        raise OAuthError(20003, "invalid_grant")
    if code.app_id != account.app_id:
        raise OAuthError(20024, "invalid_grant")
    if code.used:
        raise OAuthError(20065, "invalid_grant")
    if code.expires <= feishu.clock():
        raise OAuthError(20004, "invalid_grant")
    if body.get("redirect_uri") != code.redirect_uri:
        raise OAuthError(20071, "invalid_grant")
    verifier = str(body.get("code_verifier") or "")
    if not _fits(verifier, code.challenge) and not (is_older and not code.challenge):
        raise OAuthError(20049, "invalid_grant")
    code.used = True
    return _issue(feishu, code.app_id, code.person, code.scopes)


def _refresh(feishu: "Feishu", account: Account, refresh: str) -> Response:
    session = next((each for each in feishu.logins.sessions if refresh and each.refresh == refresh), None)
    if session is None:
        raise OAuthError(20026, "invalid_grant")
    if session.app_id != account.app_id:
        raise OAuthError(20024, "invalid_grant")
    if session.used:
        raise OAuthError(20073, "invalid_grant")
    if session.refresh_expires <= feishu.clock():
        raise OAuthError(20037, "invalid_grant")
    session.used = True
    session.expires = min(session.expires, feishu.clock() + GRACE)
    feishu.logins.refreshes += 1
    return _issue(feishu, session.app_id, session.person, session.scopes)


def _issue(feishu: "Feishu", app_id: str, person: str, scopes: tuple[str, ...]) -> Response:
    now, offline = feishu.clock(), "offline_access" in scopes
    made = Session(
        app_id,
        person,
        scopes,
        f"u-{feishu.hex(900)}",
        f"ur-{feishu.hex(900)}" if offline else "",
        now + ACCESS_SECONDS,
        now + REFRESH_SECONDS,
    )
    feishu.logins.sessions.append(made)
    value: dict[str, Any] = {"code": 0, "access_token": made.access, "expires_in": ACCESS_SECONDS}
    value |= {"token_type": "Bearer", "scope": " ".join(scopes)}
    if offline:
        value |= {"refresh_token": made.refresh, "refresh_token_expires_in": REFRESH_SECONDS}
    return Response.of(value)


def _session(feishu: "Feishu", request: Request) -> Session:
    """The session of the person's token in the request. Raises FeishuError."""
    value = request.headers.get("authorization", "").removeprefix("Bearer ")
    found = next((each for each in feishu.logins.sessions if each.access == value), None)
    if found is None:
        raise FeishuError(99991668, "Invalid access token for authorization.")
    feishu.note_call(app=feishu.account_by_app_id(found.app_id).name)
    if found.expires <= feishu.clock():
        raise FeishuError(99991677, "Authentication token expired.")
    return found


def _fits(verifier: str, challenge: str) -> bool:
    """Whether the verifier of PKCE belongs to the challenge. A verifier without a challenge does not."""
    method, _, value = challenge.partition(" ")
    if method == "S256":
        hashed = hashlib.sha256(verifier.encode()).digest()
        return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode() == value
    return verifier == value


def _page(title: str, body: str) -> Response:
    text = f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><h1>{html.escape(title)}</h1>{body}"
    return Response(200, text.encode(), {"content-type": "text/html; charset=utf-8", "referrer-policy": "no-referrer"})
