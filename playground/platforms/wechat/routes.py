"""Which function answers which path of WeChat's API."""

from playground.platforms.tencent.routes import COMMON, route
from playground.platforms.wechat import sending

ROUTES = (
    route("POST", "/cgi-bin/stable_token", sending.stable_token, token=False),
    route("GET", "/cgi-bin/token", sending.token, token=False),
    route("POST", "/cgi-bin/message/custom/send", sending.custom),
    route("POST", "/cgi-bin/message/custom/typing", sending.typing),
    route("POST", "/cgi-bin/message/template/send", sending.template),
    route("POST", "/cgi-bin/message/subscribe/bizsend", sending.subscription),
    *COMMON,
)
