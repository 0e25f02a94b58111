"""Each request to AWS of the two pages: which rights it needs, and that a process may die before or after it."""

import fnmatch
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from parley.journal.tenants import TenantState
from tests.unit.install_pages.scene import COMPANY, PAGE, Scene, Visitor
from tests.unit.test_roles import statements
from tools.faults.aws import Aws

Request = tuple[str, dict[str, Any]]
MOST = 30
"""More requests than the two pages make."""


class DiedError(BaseException):
    """The process has died."""


@contextmanager
def calls(watch: Callable[[int, Request, Callable[[], Any]], Any]) -> Iterator[None]:
    """`watch` carries out the requests inside the context. It gets their number, too."""
    own, number = Aws.call, iter(range(1_000_000))

    def call(self: Aws, client: Any, operation: str, request: dict[str, Any]) -> Any:
        return watch(next(number), (operation, request), lambda: own(self, client, operation, request))

    with patch.object(Aws, "call", call):
        yield


def test_the_role_of_the_function_allows_each_request() -> None:
    made = list[Request]()

    def note(_number: int, request: Request, carry_out: Callable[[], Any]) -> Any:
        made.append(request)
        return carry_out()

    with ExitStack() as stack:
        scene = Scene(stack, test=True)
        scene.wecom.tokens.expire_by("demo", "suite", 0)
        with calls(note):
            visitor = Visitor(scene)
            assert visitor.open(visitor.back()).status == 200
            scene.wecom.tokens.expire_by("demo", "suite", 0)
            assert visitor.open(PAGE).status == 200
    on_the_table = [request for request in made if "TableName" in request[1]]
    assert {operation for operation, _ in on_the_table} == {"GetItem", "PutItem", "UpdateItem", "DeleteItem"}
    assert [request for request in on_the_table if not is_allowed(*request)] == []
    assert {row_of(request)[:5] for _, request in on_the_table} == {"login", "token", "limit", "crede"}
    others = {operation for operation, request in made if "TableName" not in request}
    assert others == {"GetParameter", "SendMessage"}


def row_of(request: dict[str, Any]) -> str:
    """The key of the row that the request is about."""
    return (request.get("Key") or request["Item"])["pk"]["S"]


def is_allowed(operation: str, request: dict[str, Any]) -> bool:
    patterns = [
        pattern
        for statement in statements("OauthRole")
        if statement["Action"] == f"dynamodb:{operation}"
        for pattern in statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    ]
    return any(fnmatch.fnmatchcase(row_of(request), pattern) for pattern in patterns)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_process_may_die_at_each_request_of_the_return_and_the_company_is_installed_once(after: bool) -> None:
    """The administrator sees an error of API Gateway, and reloads the page."""
    for fatal in range(MOST):
        with ExitStack() as stack:
            scene = Scene(stack)
            visitor = Visitor(scene)
            back = visitor.back()
            with calls(dying(fatal, after=after)):
                is_done = survives(lambda back=back, visitor=visitor: visitor.open(back))
            if is_done:
                assert fatal > 2
                return
            scene.restart()
            assert visitor.open(back).status in (200, 410)
            scene.plan.armed = True
            scene.wait(60)
            assert (scene.exchanges(), scene.state_of(COMPANY), scene.lost()) == (1, TenantState.ACTIVE, False), fatal
    raise AssertionError("it makes more requests")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_process_may_die_at_each_request_of_the_page_and_the_next_page_works(after: bool) -> None:
    for fatal in range(MOST):
        with ExitStack() as stack:
            scene = Scene(stack)
            visitor = Visitor(scene)
            with calls(dying(fatal, after=after)):
                is_done = survives(lambda visitor=visitor: visitor.open(PAGE))
            if is_done:
                assert fatal > 2
                return
            scene.restart()
            scene.sim.clock.now += 20  # the lease of the token
            assert visitor.open(visitor.back()).status == 200
            scene.wait(60)
            assert scene.state_of(COMPANY) is TenantState.ACTIVE, fatal
    raise AssertionError("it makes more requests")


def dying(fatal: int, *, after: bool) -> Callable[[int, Request, Callable[[], Any]], Any]:
    def watch(number: int, _request: Request, carry_out: Callable[[], Any]) -> Any:
        if number != fatal:
            return carry_out()
        if after:
            carry_out()
        raise DiedError

    return watch


def survives(act: Callable[[], Any]) -> bool:
    try:
        act()
    except DiedError:
        return False
    return True
