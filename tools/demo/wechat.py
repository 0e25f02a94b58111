"""WeChat's rows."""

from playground.platforms.wechat import Wechat
from tools.demo.case import Case
from tools.demo.tencent import TencentRows

_ROWS = TencentRows(Wechat, keep_query=False)
CASES = _ROWS.cases(
    "msgmenu", Case("six seconds, within the callback", "504 200, 'That took 6 seconds.'", _ROWS.within_the_callback)
)
