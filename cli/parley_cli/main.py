"""The commands, and how they end."""

import typer
from typer.main import get_command

from parley_cli import app, cost, dlq, doctor, forget, tail, tenants, trace
from parley_cli import discord as discord_group

root = typer.Typer(
    name="parley",
    help="Set up, watch and repair a deployment of Parley: the local stack, or a stage on AWS.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
# Each group or command is one line here. They are in the order of the help.
root.add_typer(app.group, name="app")
doctor.register(root)
root.add_typer(dlq.group, name="dlq")
forget.register(root)
tail.register(root)
trace.register(root)
tenants.register(root)
root.add_typer(discord_group.group, name="discord")
cost.register(root)


def run(arguments: list[str]) -> int:
    """Run the command line. Returns the exit status: 0, 1 for a problem, 2 for wrong arguments, 130 for Ctrl-C."""
    try:
        get_command(root).main(arguments, prog_name="parley")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0
