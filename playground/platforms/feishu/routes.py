"""The routes of Feishu's API."""

from playground.platforms.feishu import auth, cardkit, messages, oauth, reactions, resources, webhooks
from playground.platforms.routing import Router, route

_MESSAGE = "/open-apis/im/v1/messages/{message_id}"
_AUTH = "/open-apis/auth/v3"
_CARD = "/open-apis/cardkit/v1/cards"

ROUTER = Router(
    route("POST", f"{_AUTH}/tenant_access_token/internal/?", auth.tenant_internal, authenticated=False),
    route("POST", f"{_AUTH}/app_access_token/internal/?", auth.app_internal, authenticated=False),
    route("POST", f"{_AUTH}/app_access_token/?", auth.app_store, authenticated=False),
    route("POST", f"{_AUTH}/tenant_access_token/?", auth.tenant_store, authenticated=False),
    route("POST", f"{_AUTH}/app_ticket/resend/?", auth.resend_ticket, authenticated=False),
    route("GET", "/open-apis/authen/v1/authorize/?", oauth.authorise, authenticated=False),
    route("POST", "/oauth/v3/token", oauth.token, authenticated=False),
    route("POST", "/open-apis/authen/v2/oauth/token", oauth.token, authenticated=False),
    route("GET", "/open-apis/authen/v1/user_info", oauth.user_info, authenticated=False),
    route("GET", "/open-apis/calendar/v4/calendars/{calendar_id}/events", oauth.calendar_events, authenticated=False),
    route("POST", "/open-apis/bot/v2/hook/{hook_id}", webhooks.push, authenticated=False),
    route("POST", "/open-apis/im/v1/messages", messages.send),
    route("POST", f"{_MESSAGE}/reply", messages.reply),
    route("PUT", _MESSAGE, messages.edit),
    route("PATCH", _MESSAGE, messages.update_card),
    route("DELETE", _MESSAGE, messages.recall),
    route("GET", _MESSAGE, messages.get),
    route("POST", f"{_MESSAGE}/reactions", reactions.add),
    route("DELETE", f"{_MESSAGE}/reactions/{{reaction_id}}", reactions.delete),
    route("GET", f"{_MESSAGE}/resources/{{file_key}}", resources.download),
    route("POST", _CARD, cardkit.create),
    route("PUT", f"{_CARD}/{{card_id}}", cardkit.update),
    route("PUT", f"{_CARD}/{{card_id}}/elements/{{element_id}}/content", cardkit.content),
    route("PATCH", f"{_CARD}/{{card_id}}/settings", cardkit.settings),
    route("POST", "/open-apis/im/v1/images", resources.upload_image),
    route("POST", "/open-apis/im/v1/files", resources.upload_file),
    route("GET", "/open-apis/im/v1/images/{key}", resources.download_own),
    route("GET", "/open-apis/im/v1/files/{key}", resources.download_own),
    route("GET", "/open-apis/im/v1/chats/{chat_id}", resources.chat),
    route("GET", "/open-apis/contact/v3/users/{user_id}", resources.user),
    route("GET", "/open-apis/bot/v3/info/?", resources.bot),
    route("GET", "/open-apis/event/v1/outbound_ip", resources.callback_ips),
    route("POST", "/open-apis/interactive/v1/card/update", webhooks.update_card_later),
)
