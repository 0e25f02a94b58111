"""WeCom's contacts. Facts: WeCom docs, Contacts › Get a member; Global error codes."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from playground.platforms.exchange import Request, Response
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import TencentError, ok

if TYPE_CHECKING:
    from playground.platforms.wecom import Wecom

_MENTION = re.compile(r"<@([^<>]{1,64})>")
_NOT_FOUND = (60111, "userid not found")


def get(wecom: "Wecom", account: Account, request: Request) -> Response:
    """`GET /cgi-bin/user/get`. An app of the company gets the name and the departments, but no addresses."""
    wanted = request.query.get("userid", "")
    person = wecom.person_by_user_id(account, wanted)
    if person is None:
        raise TencentError(*_NOT_FOUND)
    userid = wecom.user_id(account, person.id)
    place = {"department": [1], "order": [0], "is_leader_in_dept": [0], "main_department": 1}
    return ok(userid=userid, name=person.name, position="", status=1, enable=1, **place)


def with_names(wecom: "Wecom", content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a group robot's message as its client shows it: with the names of the mentioned members."""
    names = {person.id.lower(): person.name for person in wecom.persons.values()} | {"@all": "@all"}

    def name(userid: str) -> str:
        return names.get(userid.lower(), "…")

    shown = dict(content)
    if "mentioned_list" in content:
        shown["mentioned_list"] = [name(str(userid)) for userid in content["mentioned_list"]]
    if isinstance(content.get("content"), str):
        shown["content"] = _MENTION.sub(lambda found: f"@{name(found[1])}", content["content"])
    return shown
