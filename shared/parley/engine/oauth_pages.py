"""The pages at the end of a login, in the language of the browser. Nothing of a request is shown."""

import base64
import hashlib
from typing import Literal

from parley.adapter import Response

Page = Literal["done", "refused", "partly", "kept", "expired", "other", "impossible", "failed", "unknown"]
"""`partly`: without all scopes. `kept`: the tokens are stored, and the dialogue does not know. `other`: somebody else's
link. `impossible`: this person cannot log in. `failed`: another try may succeed.
"""

_STATUS: dict[Page, int] = {
    "done": 200,
    "refused": 200,
    "partly": 200,
    "kept": 503,
    "expired": 410,
    "other": 403,
    "impossible": 403,
    "failed": 503,
    "unknown": 404,
}
_ENGLISH: dict[Page, tuple[str, str]] = {
    "done": ("You are logged in", "You can close this page. The bot goes on in the chat."),
    "refused": (
        "You are not logged in",
        "You have refused, and nothing was stored. You can close this page. The question in the chat is still open.",
    ),
    "partly": ("A permission is missing", "You are logged in, but you have not given all that the bot asked for."),
    "kept": ("You are logged in", "The bot could not be told. Press the button in the chat again."),
    "expired": (
        "This link is no longer valid",
        "It has been used, its time is over, or it was opened in another browser. Press the button in the chat again.",
    ),
    "other": (
        "This link is for somebody else",
        "Your account is not that of the person whom the bot has asked. Nothing was stored. Ask the bot yourself.",
    ),
    "impossible": ("You cannot log in", "The platform does not let this account use the app. Ask your administrator."),
    "failed": ("The login did not succeed", "Press the button in the chat again."),
    "unknown": ("There is nothing here", "Open the link from the chat with the bot."),
}
_CHINESE: dict[Page, tuple[str, str]] = {
    "done": ("登录成功", "您可以关闭此页面，机器人会在聊天中继续。"),
    "refused": ("未登录", "您已拒绝授权，未保存任何内容，可以关闭此页面。聊天中的问题仍可回答。"),
    "partly": ("缺少权限", "您已登录，但没有授予机器人请求的全部权限。"),
    "kept": ("登录成功", "暂时无法通知机器人。请回到聊天中重新点击按钮。"),
    "expired": ("链接已失效", "链接已被使用、已过期，或是在另一个浏览器中打开的。请回到聊天中重新点击按钮。"),
    "other": ("这不是您的链接", "您登录的账号与机器人询问的人不一致，未保存任何内容。请自己向机器人发起。"),
    "impossible": ("无法登录", "平台不允许此账号使用该应用，请联系管理员。"),
    "failed": ("登录未成功", "请回到聊天中重新点击按钮。"),
    "unknown": ("页面不存在", "请从与机器人的聊天中打开链接。"),
}
_STYLE = (
    "body{font:1rem/1.6 system-ui,sans-serif;margin:0;display:grid;place-items:center;min-height:100vh;"
    "background:#f6f7f9;color:#1c1f23}main{max-width:26rem;padding:2rem;text-align:center}h1{font-size:1.4rem}"
    "@media(prefers-color-scheme:dark){body{background:#17191c;color:#e9eaec}}"
)
SAFE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of each response: the addresses hold a code."""


def page(which: Page, accept_language: str) -> Response:
    """The page in Chinese if the browser prefers that, else in English."""
    is_chinese = accept_language.strip().lower().startswith("zh")
    title, text = (_CHINESE if is_chinese else _ENGLISH)[which]
    body = (
        f'<!doctype html><html lang="{"zh-CN" if is_chinese else "en"}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1><p>{text}</p></main></body></html>"
    )
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {**SAFE, "Content-Security-Policy": policy}
    return Response(_STATUS[which], body.encode(), "text/html; charset=utf-8", headers)
