"""Looks at a whole deployment and says what is wrong, each with the way out."""

import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Annotated

import typer

from parley_cli import alarms, bot_settings, check, deployment, place, setups, store
from parley_cli.command import Run, command
from parley_cli.findings import Finding, note, of_problem, ok, problem, show
from parley_cli.place import Place
from parley_cli.problems import Problem, clock_is_wrong, explained

_WRONG_CLOCK = 60.0
"""Seconds that the clock may differ. AWS refuses requests of a clock that is 300 seconds wrong."""
_FEW_CONCURRENT = 100
"""Concurrent executions below which people wait for each other. A new account has ten."""
_COUNT = "ApproximateNumberOfMessages"


def register(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "doctor")(_doctor)


def _doctor(
    run: Run,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the platforms about the apps.")] = False,
) -> int:
    """Look at the whole deployment, and say what is wrong and what to do.

    It changes nothing. It asks AWS, and each platform about its apps. The exit status is 1 if there is a problem.
    """
    return show(run, examine(run.stage, run.stack, offline=offline))


def examine(stage: str, stack: str, *, offline: bool = False) -> Iterator[Finding]:
    """What is right and wrong with a deployment. It ends early if nothing else can be seen."""
    try:
        found = place.find(stage, stack)
        if not found.is_local:
            yield from _account(found)
            yield from _stack(found)
        else:
            yield ok(f"The local stack runs: {found.facts['api']}")
    except Exception as error:
        known = explained(error)
        if known is None:
            raise
        yield of_problem(known)
        return
    checks: list[Callable[[Place], Iterator[Finding]]] = [_apps if not offline else _configurations, _dead_letters]
    if not found.is_local:
        checks += [bot_settings.findings, alarms.findings, _concurrency, _addresses]
    for each in checks:
        yield from _guarded(each, found)


def _guarded(each: Callable[[Place], Iterator[Finding]], found: Place) -> Iterator[Finding]:
    """The findings of one check. If AWS refuses it, that is a finding, and the other checks go on."""
    try:
        yield from each(found)
    except Exception as error:
        known = explained(error)
        if known is None:
            raise
        yield of_problem(known)


def _account(found: Place) -> Iterator[Finding]:
    answer = found.client("sts").get_caller_identity()
    headers: dict[str, str] = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    yield ok(f"AWS account {answer['Account']}, region {found.region}.")
    if "date" in headers:
        ahead = time.time() - parsedate_to_datetime(headers["date"]).timestamp()
        if abs(ahead) > _WRONG_CLOCK:
            yield of_problem(clock_is_wrong(ahead))


def _stack(found: Place) -> Iterator[Finding]:
    try:
        status: str = found.description["StackStatus"]
    except Exception as error:
        if "does not exist" not in str(error):
            raise
        raise Problem(
            f"There is no stack {found.stack} in the region {found.region}.{_others(found)}",
            f"Deploy it (`sam build && sam deploy --config-env {found.stage}`), or choose the region with AWS_REGION, "
            "the account with AWS_PROFILE, the name with --stack.",
        ) from error
    if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        yield ok(f"{found.stack} is deployed.")
    elif status.endswith("IN_PROGRESS"):
        yield note(f"{found.stack} is being changed: {status}.", "Look again when that is over.")
    else:
        yield problem(
            f"The last deployment of {found.stack} has failed: {status}. What runs is the version before, if any.",
            "The events of the stack in the CloudFormation console name the first failure. Mend it and deploy again.",
        )


def _others(found: Place) -> str:
    pages = found.client("cloudformation").get_paginator("describe_stacks").paginate()
    names = [one["StackName"] for page in pages for one in page["Stacks"] if one["StackName"].startswith("parley")]
    return f" The region has {', '.join(names)}." if names else ""


def _apps(found: Place) -> Iterator[Finding]:
    apps = store.names(found)
    if not apps:
        yield _no_app(found)
    for platform, name in apps:
        yield from check.check(found, platform, name)


def _configurations(found: Place) -> Iterator[Finding]:
    apps = store.names(found)
    if not apps:
        yield _no_app(found)
    for platform, name in apps:
        try:
            check.decoded(platform, name, store.read(found, platform, name).raw)
        except Problem as error:
            yield of_problem(error)
        else:
            yield ok(f"{platform}/{name}: the configuration is valid.")


def _no_app(found: Place) -> Finding:
    return problem(
        f"The stage {found.stage} has no app: no platform is connected, so nobody can write to the bot.",
        f"Connect one: `parley app add PLATFORM/APP{store.options(found)}`.",
    )


def _dead_letters(found: Place) -> Iterator[Finding]:
    there = deployment.of(found)
    for queue in there.queues:
        attributes = there.sqs.get_queue_attributes(QueueUrl=queue.dead, AttributeNames=[_COUNT])["Attributes"]
        if int(attributes[_COUNT]):
            yield problem(
                f"{attributes[_COUNT]} messages of the queue {queue.name} failed too often: their senders wait.",
                f"`parley dlq list{store.options(found)}` shows why. Mend it, then `parley dlq send-all`.",
            )


def _concurrency(found: Place) -> Iterator[Finding]:
    limit = found.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    if limit < _FEW_CONCURRENT:
        yield problem(
            f"The account may run {limit} Lambda functions at a time: with more people writing, callbacks are refused.",
            "Ask for more in the console: Service Quotas › AWS Lambda › Concurrent executions. 1,000 is usual.",
        )


def _addresses(found: Place) -> Iterator[Finding]:
    """Whether apps that call only from listed addresses have an address to list."""
    for platform in sorted({platform for platform, name in store.names(found) if _calls(found, platform, name)}):
        listed_at = setups.of(platform).address_list
        if address := found.outputs.get("FixedAddress", ""):
            yield note(f"The deployment calls {platform} from {address}.", f"It has to be listed at {listed_at}.")
        elif found.parameters.get("FixedAddress", "off") == "off":
            yield problem(
                f"The deployment has no fixed address, and {platform} takes calls from listed addresses only.",
                "Deploy with FixedAddress (docs/fixed-address.md), or set `reply_mode` to `passive`.",
            )


def _calls(found: Place, platform: str, name: str) -> bool:
    """Whether the app calls an API that takes calls from listed addresses only. Passive replies call none."""
    if not setups.of(platform).address_list:
        return False
    try:
        config = check.decoded(platform, name, store.read(found, platform, name).raw)
    except Problem:
        return True
    return not config.replies_passively
