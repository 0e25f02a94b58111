"""WeChat: the console of an Official Account."""

from parley.platforms.wechat.config import ALLOW_LIST_AT, CONSOLE, ORIGINAL_ID_AT, SECRET_AT
from parley_cli.setups import Field, Setup

SETUP = Setup(
    label="WeChat",
    forms={
        "account": (
            Field("app_id", CONSOLE.receiver),
            Field("app_secret", SECRET_AT, secret=True),
            Field("token", CONSOLE.token, secret=True),
            Field("encoding_aes_key", CONSOLE.key, secret=True),
            Field("original_id", ORIGINAL_ID_AT, optional=True),
        )
    },
    after=(
        "Server Configuration: enter this URL, press Submit, then Enable: {url}",
        f"Add the address of the deployment to {ALLOW_LIST_AT}.",
    ),
    guide="docs/connect-wechat.md",
    address_list=ALLOW_LIST_AT,
)
