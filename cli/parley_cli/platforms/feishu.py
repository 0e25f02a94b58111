"""Feishu and Lark: the developer console."""

from parley_cli.setups import Field, Setup

_CONSOLE = "open.feishu.cn/app › (the app)"
_CREDENTIALS = f"{_CONSOLE} › Credentials & Basic Info"
_ENCRYPTION = f"{_CONSOLE} › Events & Callbacks › Encryption Strategy"

SETUP = Setup(
    label="Feishu",
    forms={
        "app": (
            Field("app_id", f"{_CREDENTIALS} › App ID"),
            Field("app_secret", f"{_CREDENTIALS} › App Secret", secret=True),
            Field("verification_token", f"{_ENCRYPTION} › Verification Token", secret=True),
            Field(
                "encrypt_key",
                f"{_ENCRYPTION} › Encrypt Key; any text, strongly recommended",
                secret=True,
                optional=True,
            ),
            Field("host", "`lark` for Lark; empty for Feishu", optional=True),
        )
    },
    after=(
        "Events & Callbacks › Event Configuration › Send notifications to developer's server: enter {url}",
        "There, add the event `im.message.receive_v1` (Message received).",
        "Events & Callbacks › Callback Configuration: enter {url}, and add `card.action.trigger`.",
        "Version Management & Release: create a version and publish it. Nothing takes effect before.",
    ),
    guide="docs/connect-feishu.md",
)
