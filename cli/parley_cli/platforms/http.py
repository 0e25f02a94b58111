"""The HTTP channel: it has no console. Its configuration names those whose tokens are accepted."""

from parley_cli.setups import Setup

SETUP = Setup(
    label="The HTTP channel",
    forms={"app": ()},
    after=("Clients post messages to {url}",),
    guide="docs/connect-http.md",
    has_token=False,
    unasked=frozenset({"issuers"}),
)
