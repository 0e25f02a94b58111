"""The pages of logins and of installations, in the language of the browser. Nothing of a request is shown."""

import base64
import hashlib
import html
import math
from typing import Literal

from parley.adapter import Response

Page = Literal[
    "done",
    "refused",
    "partly",
    "kept",
    "expired",
    "other",
    "impossible",
    "failed",
    "unknown",
    "install",
    "installing",
    "install_expired",
    "install_incomplete",
    "install_late",
    "install_failed",
    "busy",
]
"""`partly`: without all scopes. `kept`: the tokens are stored, and the dialogue does not know. `other`: somebody else's
link. `impossible`: this person cannot log in. `failed`: another try may succeed.

`install` has the link to the platform. `installing`: the installation is in the queue. `install_expired`: its state is
not that of this browser, or is over. `install_incomplete`: the platform has sent no code. `install_late`: not stored
yet, and the same request may succeed. `install_failed`: there is no link."""

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
    "install": 200,
    "installing": 200,
    "install_expired": 410,
    "install_incomplete": 400,
    "install_late": 503,
    "install_failed": 503,
    "busy": 429,
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
    "unknown": ("There is nothing here", "Check the address of the link that you have opened."),
    "install": (
        "Install the app in your company",
        "Go on as an administrator of the company, in this browser, within ten minutes.",
    ),
    "installing": (
        "The app is being set up",
        "You can close this page. Write to the app in a minute. If it never answers, open the install page again.",
    ),
    "install_expired": (
        "This page is no longer valid",
        "It has been used, its time is over, or it was begun elsewhere. Open the install page if the app is silent.",
    ),
    "install_incomplete": (
        "The app is not installed",
        "The installation was not completed. Open the install page again.",
    ),
    "install_late": ("The installation is not stored yet", "Nothing is lost. Reload this page within ten minutes."),
    "install_failed": (
        "The app cannot be installed now",
        "Nothing has changed. Open the install page again in a few minutes.",
    ),
    "busy": ("Too many requests", "Nothing has changed. Open the install page again in a minute."),
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
    "unknown": ("页面不存在", "请检查您打开的链接地址。"),
    "install": ("为您的企业安装应用", "请以企业管理员身份，在此浏览器中、十分钟内继续。"),
    "installing": (
        "正在安装应用",
        "您可以关闭此页面。请在一分钟后给应用发一条消息。如果一直没有回复，请重新打开安装页面。",
    ),
    "install_expired": (
        "页面已失效",
        "此页面已打开过、已超过十分钟，或是在另一个浏览器中开始的。如果应用在您的企业中没有回复，请重新打开安装页面。",
    ),
    "install_incomplete": ("应用未安装", "安装没有完成，请重新打开安装页面。"),
    "install_late": ("安装结果尚未保存", "没有丢失任何内容，请在十分钟内刷新此页面。"),
    "install_failed": ("暂时无法安装应用", "未做任何更改，请几分钟后重新打开安装页面。"),
    "busy": ("请求过多", "未做任何更改，请一分钟后重新打开安装页面。"),
}
_CONTINUE = ("Continue", "继续")
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


def page(which: Page, accept_language: str, *, link: str = "", retry_after: float = 0) -> Response:
    """The page in Chinese if the browser prefers that, else in English. `link`: the one address that it leads to. The
    platform learns which host the link is on, and no more. `retry_after`: seconds.
    """
    is_chinese = accept_language.strip().lower().startswith("zh")
    title, text = (_CHINESE if is_chinese else _ENGLISH)[which]
    to = f'<p><a href="{html.escape(link)}">{_CONTINUE[is_chinese]}</a></p>' if link else ""
    body = (
        f'<!doctype html><html lang="{"zh-CN" if is_chinese else "en"}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1><p>{text}</p>{to}</main></body></html>"
    )
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {**SAFE, "Content-Security-Policy": policy}
    if link:
        headers["Referrer-Policy"] = "origin"
    if retry_after:
        headers["Retry-After"] = str(math.ceil(retry_after))
    return Response(_STATUS[which], body.encode(), "text/html; charset=utf-8", headers)
