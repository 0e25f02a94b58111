"""WeCom's rows."""

from playground.platforms.wecom import Wecom
from tools.demo.tencent import TencentRows

CASES = TencentRows(Wecom, keep_query=True).cases("template_card")
