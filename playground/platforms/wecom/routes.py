"""The routes of WeCom's API."""

from playground.platforms.routing import Router, route
from playground.platforms.tencent.routes import COMMON_ROUTES
from playground.platforms.wecom import cards, install_page, members, messages, provider, robots

ROUTER = Router(
    route("GET", "/cgi-bin/gettoken", messages.get_token, authenticated=False),
    route("POST", "/cgi-bin/webhook/send", robots.push, authenticated=False),
    route("POST", "/cgi-bin/webhook/upload_media", robots.upload, authenticated=False),
    route("POST", "/cgi-bin/message/send", messages.send),
    route("POST", "/cgi-bin/message/update_template_card", cards.update),
    route("POST", "/cgi-bin/message/recall", messages.recall),
    route("POST", "/cgi-bin/appchat/create", messages.create_chat),
    route("POST", "/cgi-bin/appchat/send", messages.send_to_chat),
    route("GET", "/cgi-bin/user/get", members.get),
    route("POST", "/cgi-bin/service/get_suite_token", provider.get_suite_token, authenticated=False),
    route("POST", "/cgi-bin/service/v2/get_permanent_code", provider.get_permanent_code, authenticated=False),
    route("POST", "/cgi-bin/service/v2/get_auth_info", provider.get_auth_info, authenticated=False),
    route("POST", "/cgi-bin/service/get_corp_token", provider.get_corp_token, authenticated=False),
    route("GET", "/cgi-bin/service/get_pre_auth_code", install_page.get_pre_auth_code, authenticated=False),
    route("POST", "/cgi-bin/service/set_session_info", install_page.set_session_info, authenticated=False),
    route("GET", "/3rdapp/install", install_page.page, authenticated=False),
    *COMMON_ROUTES,
)
