"""Lists the companies that have installed an app, compares them with the platform, or deletes what is stored of one."""

import time
from functools import partial
from typing import Annotated

import typer

from parley.adapter import SupportsTenants
from parley.journal.table import get_text, tenant_pk
from parley.journal.tenant_eraser import StillInstalledError, TenantEraser
from parley.journal.tenants import Tenant, TenantId, Tenants, TenantState
from parley.model import Content, Context, Conversation, Message, Sender, message_key
from parley.model.codec import encode
from parley.platforms import installations, outbound
from parley_cli import deployment
from parley_cli.command import Run, command
from parley_cli.deployment import Deployment
from parley_cli.names import App, app_name
from parley_cli.problems import Problem

_ROW = "{0.id.id}  {0.state}  agent {0.agent}  {0.scope}"
_PACE = 0.2
"""Seconds between two companies: the workers make one call of the platform for each."""


def _tenants(
    run: Run,
    app: App,
    delete: Annotated[str, typer.Option(metavar="ID", help="Delete what is stored of this company.")] = "",
    compare: Annotated[
        bool, typer.Option("--compare", help="Have the bot's workers ask the platform about each company.")
    ] = False,
) -> None:
    """List the companies that have installed an app, compare them with the platform, or delete what is stored of one
    that has removed it.
    """
    platform, name = app_name(app)
    if compare and delete:
        raise Problem("A company is compared or deleted.", "Use one of --compare and --delete.")
    if compare and not isinstance(outbound(platform), SupportsTenants):
        raise Problem(f"{platform} has no call that says what a company allows.")
    found = deployment.of(run.place)
    if compare:
        count = _compare(found, platform, name)
        run.show({"queued": count}, [f"queued: {count}"])
        return
    if not delete:
        tenants = _listed(found, platform, name)
        values = [{"id": one.id.id, "state": one.state, "agent": one.agent, "scope": one.scope} for one in tenants]
        run.show(values, [_ROW.format(one) for one in tenants] or ["no company has installed the app"])
        return
    if installations(platform):
        raise Problem(
            f"The rows of {platform} do not name the organisation.",
            "Use `parley forget` for each person, or wait RetentionDays.",
        )
    eraser = TenantEraser(found.dynamodb, found.table, partial(time.sleep, 0.2))
    try:
        counts = eraser(TenantId(platform, name, delete))
    except StillInstalledError as error:
        raise Problem(str(error)) from error
    run.show(dict(counts), [f"{kind} deleted: {count}" for kind, count in counts.items()] or ["nothing found"])


def comparison(id_: TenantId, now: float) -> Message:
    """The message after which the engine compares the row of a company with the platform. It has a group of its own in
    the queue: while the platform does not answer, no event of the company waits behind it.
    """
    name = f"compared-{id_.id}-{int(now)}"
    return Message(
        id=name,
        platform=id_.platform,
        app=id_.app,
        kind="event",
        event="tenant_compared",
        sender=Sender(id=name),
        content=Content(),
        timestamp=int(now),
        context=Context(tenant=id_.id, authorisation="compared"),
    )


def _compare(found: Deployment, platform: str, app: str) -> int:
    """Queue a comparison of each company that has the app, slowly. Returns their number."""
    present = [one for one in _listed(found, platform, app) if one.state is not TenantState.CANCELLED]
    url = next(pair.queue for pair in found.queues if pair.name == "inbound")
    for tenant in present:
        message = comparison(tenant.id, time.time())
        found.sqs.send_message(
            QueueUrl=url,
            MessageBody=encode(message).decode(),
            MessageGroupId=Conversation.of(message).key,
            MessageDeduplicationId=message_key(message),
        )
        time.sleep(_PACE)
    return len(present)


def _listed(found: Deployment, platform: str, app: str) -> list[Tenant]:
    """The companies, from a reading of the whole table."""
    client, prefix = found.dynamodb, tenant_pk(platform, app, "")
    pages = client.get_paginator("scan").paginate(TableName=found.table, ConsistentRead=True)
    keys = [get_text(item, "pk") for page in pages for item in page["Items"]]
    tenants = Tenants(client, found.table)
    ids = (TenantId(platform, app, pk.removeprefix(prefix)) for pk in sorted(keys) if pk.startswith(prefix))
    return [tenant for id_ in ids if (tenant := tenants.get(id_)) is not None]


def register(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "tenants")(_tenants)
