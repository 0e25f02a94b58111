"""The cases of WeChat Official Accounts."""

from playground.platforms.wechat import Wechat
from tools.demo.case import Case
from tools.demo.tencent import TencentCases

_WECHAT = TencentCases(Wechat, keep_query=False)
CASES = _WECHAT.cases(
    "msgmenu", Case("passive reply after six seconds", "504 200, 'That took 6 seconds.'", _WECHAT.passive)
)
