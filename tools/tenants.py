"""Lists the companies that have installed an app, or deletes what is stored of one that has removed it.

python -m tools.tenants --platform wecom --app helper
python -m tools.tenants --platform wecom --app helper --delete wpQ7XbDAAA...
python -m tools.tenants ... --stack parley-prod     on AWS, with the credentials and the region of the environment
"""

import argparse
import sys
import time
from functools import partial

from parley.journal.table import get_text, tenant_pk
from parley.journal.tenant_eraser import StillInstalledError, TenantEraser
from parley.journal.tenants import TenantId, Tenants
from parley.platforms import NAMES, installations
from tools.dlq import Deployment, NotFoundError, deployed, local

_NOT_NAMED = "the rows of {} do not name the organisation: use `make forget` for each person, or wait RetentionDays"
_ROW = "{0.id.id}  {0.state}  agent {0.agent}  {0.scope}"


def main(arguments: list[str]) -> int:
    """Run the command line. Returns the exit status: 1 if there is no such stack, or the company has the app."""
    options = _parser().parse_args(arguments)
    try:
        deployment = deployed(options.stack) if options.stack else local()
        if options.delete and installations(options.platform):
            print(f"error: {_NOT_NAMED.format(options.platform)}", file=sys.stderr)
            return 1
        if options.delete:
            print(_deleted(deployment, TenantId(options.platform, options.app, options.delete)))
        else:
            print("\n".join(_listed(deployment, options.platform, options.app)) or "no company has installed the app")
    except (NotFoundError, StillInstalledError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _deleted(deployment: Deployment, id_: TenantId) -> str:
    eraser = TenantEraser(deployment.dynamodb, deployment.table, partial(time.sleep, 0.2))
    lines = [f"{kind} deleted: {count}" for kind, count in eraser(id_).items()]
    return "\n".join(lines) or "nothing found"


def _listed(deployment: Deployment, platform: str, app: str) -> list[str]:
    """One line for each company, from a reading of the whole table."""
    client, prefix = deployment.dynamodb, tenant_pk(platform, app, "")
    pages = client.get_paginator("scan").paginate(TableName=deployment.table, ConsistentRead=True)
    keys = [get_text(item, "pk") for page in pages for item in page["Items"]]
    tenants = Tenants(client, deployment.table)
    ids = (TenantId(platform, app, pk.removeprefix(prefix)) for pk in sorted(keys) if pk.startswith(prefix))
    return [_ROW.format(found) for id_ in ids if (found := tenants.get(id_)) is not None]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.tenants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--platform", required=True, choices=NAMES)
    parser.add_argument("--app", required=True, help="name of the app")
    parser.add_argument("--delete", default="", metavar="ID", help="delete what is stored of this company")
    parser.add_argument("--stack", default="", help="name of a CloudFormation stack; without it, the local stack")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
