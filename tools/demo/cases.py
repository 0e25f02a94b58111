"""The cases of every platform. One that the stack has an app of and this table does not is told, not passed over."""

from tools.demo import discord, feishu, tencent
from tools.demo.case import Case

PLATFORMS: dict[str, tuple[Case, ...]] = {
    "feishu": feishu.CASES,
    "discord": discord.CASES,
    "wecom": tencent.WECOM,
    "wechat": tencent.WECHAT,
}
