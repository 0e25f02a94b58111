"""The imitated platforms, by name. A new one is one module or package here and one row in `TYPES`."""

from playground.platforms.base import Platform
from playground.platforms.discord import Discord
from playground.platforms.feishu import Feishu
from playground.platforms.wechat import Wechat
from playground.platforms.wecom import Wecom

TYPES: dict[str, type[Platform]] = {"feishu": Feishu, "discord": Discord, "wecom": Wecom, "wechat": Wechat}
