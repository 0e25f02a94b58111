"""Lists the companies that have installed an app, or deletes what is stored of one that has removed it."""

import time
from functools import partial
from typing import Annotated

import typer

from parley.journal.table import get_text, tenant_pk
from parley.journal.tenant_eraser import StillInstalledError, TenantEraser
from parley.journal.tenants import Tenant, TenantId, Tenants
from parley.platforms import installations
from parley_cli import deployment
from parley_cli.command import Run, command
from parley_cli.deployment import Deployment
from parley_cli.names import App, app_name
from parley_cli.problems import Problem

_ROW = "{0.id.id}  {0.state}  agent {0.agent}  {0.scope}"


def _tenants(
    run: Run,
    app: App,
    delete: Annotated[str, typer.Option(metavar="ID", help="Delete what is stored of this company.")] = "",
) -> None:
    """List the companies that have installed an app, or delete what is stored of one that has removed it."""
    platform, name = app_name(app)
    found = deployment.of(run.place)
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
