"""The routes of WeChat's API."""

from playground.platforms.routing import Router, route
from playground.platforms.tencent.routes import COMMON_ROUTES
from playground.platforms.wechat import messages, tokens

ROUTER = Router(
    route("POST", "/cgi-bin/stable_token", tokens.stable_token, authenticated=False),
    route("GET", "/cgi-bin/token", tokens.plain_token, authenticated=False),
    route("POST", "/cgi-bin/message/custom/send", messages.send),
    route("POST", "/cgi-bin/message/custom/typing", messages.typing),
    route("POST", "/cgi-bin/message/template/send", messages.template),
    route("POST", "/cgi-bin/message/subscribe/bizsend", messages.subscription),
    *COMMON_ROUTES,
)
