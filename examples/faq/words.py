"""The texts of the library's bot, in English and Chinese."""

import msgspec


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of one language. Words in braces are filled in."""

    open: str = "On {day} the library is open from {hours}."
    closed: str = "On {day} the library is closed."
    renew: str = (
        "Renew a book on the library's page under *My loans*, twice at most. Each time gives you {weeks} more weeks."
    )
    fine: str = "A late book costs 0.20 a day. {days} days late cost {amount:.2f}."
    fine_in_general: str = "A late book costs 0.20 a day, and 10.00 at most."
    card: str = "Bring your identity card to the desk. Your library card is free and ready at once."
    lost: str = "We block a lost card at once: call the desk. A new card costs 3.00."
    room: str = "Six rooms are for groups. Book one on the library's page, up to a week before."
    language: str = "I answer in English from now on."
    hint: str = (
        "I know opening hours, renewals, fines, library cards and group rooms. Ask me in your own words: /ask QUESTION"
    )


ENGLISH = Words()
CHINESE = Words(
    open="{day} 图书馆的开放时间是 {hours}。",
    closed="{day} 图书馆闭馆。",
    renew="请在图书馆网页的“我的借阅”中续借，最多两次，每次延长 {weeks} 周。",
    fine="逾期每天 0.20 元。逾期 {days} 天共 {amount:.2f} 元。",
    fine_in_general="逾期每天 0.20 元，最多 10.00 元。",
    card="请带身份证到服务台，借书证免费，当场办好。",
    lost="请致电服务台，我们会立即挂失。补办费用 3.00 元。",
    room="有六间小组研讨室，可在图书馆网页上提前一周预约。",
    language="之后我用中文回答。",
    hint="我可以回答开放时间、续借、逾期费用、借书证和研讨室的问题。请直接提问：/ask 问题",
)
LANGUAGES = {"en": ENGLISH, "zh": CHINESE, "": ENGLISH}
