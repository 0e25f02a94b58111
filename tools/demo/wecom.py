"""The cases of WeCom."""

from playground.platforms.wecom import Wecom
from tools.demo.tencent import TencentCases

CASES = TencentCases(Wecom, keep_query=True).cases("template_card")
