"""WeCom: the admin console, and the console of a service provider."""

from parley.platforms.wecom.config import (
    AGENT_AT,
    CONSOLE,
    PROVIDER_AT,
    SECRET_AT,
    SUITE_CONSOLE,
    SUITE_SECRET_AT,
    TRUSTED_IP_AT,
)
from parley_cli.setups import Field, Setup

SETUP = Setup(
    label="WeCom",
    forms={
        "company": (
            Field("corp_id", CONSOLE.receiver),
            Field("agent_id", AGENT_AT, number=True),
            Field("secret", SECRET_AT, secret=True),
            Field("token", CONSOLE.token, secret=True),
            Field("encoding_aes_key", CONSOLE.key, secret=True),
        ),
        "provider": (
            Field("suite_id", SUITE_CONSOLE.receiver),
            Field("suite_secret", SUITE_SECRET_AT, secret=True),
            Field("provider_corp_id", PROVIDER_AT),
            Field("token", SUITE_CONSOLE.token, secret=True),
            Field("encoding_aes_key", SUITE_CONSOLE.key, secret=True),
        ),
    },
    after=(
        "Enter this as the URL of Receive Messages › API Receive, and press Save: {url}",
        "An app of a service provider has it as the command URL and as the data URL.",
        f"Add the address of the deployment to {TRUSTED_IP_AT}.",
    ),
    guide="docs/connect-wecom.md",
    address_list=TRUSTED_IP_AT,
)
