"""Which function answers which path of WeCom's API."""

from playground.platforms.tencent.routes import COMMON, route
from playground.platforms.wecom import cards, robots, sending

ROUTES = (
    route("GET", "/cgi-bin/gettoken", sending.get_token, token=False),
    route("POST", "/cgi-bin/webhook/send", robots.push, token=False),
    route("POST", "/cgi-bin/webhook/upload_media", robots.upload, token=False),
    route("POST", "/cgi-bin/message/send", sending.send),
    route("POST", "/cgi-bin/message/update_template_card", cards.update),
    route("POST", "/cgi-bin/message/recall", sending.recall),
    route("POST", "/cgi-bin/appchat/create", sending.create_chat),
    route("POST", "/cgi-bin/appchat/send", sending.send_to_chat),
    *COMMON,
)
