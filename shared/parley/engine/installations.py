"""Organisations install an app that needs no code of theirs: a store app of Feishu, or an app on a server of Discord.

The bot gets the event as any other. Before that, the table of the tenants is brought up to date.
"""

from typing import TYPE_CHECKING

from parley.model import Message
from parley.platforms import installations

if TYPE_CHECKING:
    from parley.engine.tenants import Tenancy


def note(message: Message, tenancy: "Tenancy | None") -> None:
    """Note that an organisation has the app from now on, or has it no more, if `message` says so. Twice does no harm.

    Raises AwsError.
    """
    installed = installations(message.platform).get(message.event)
    if installed is None or not message.context.tenant:
        return
    if tenancy is None:
        from parley.engine.tenants import tenancy as of_process  # noqa: PLC0415  # few events are about installations

        tenancy = of_process()
    tenancy.note(message, installed=installed)
