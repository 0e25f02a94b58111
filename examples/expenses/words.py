"""The texts of the bot, in English and Chinese."""

from collections.abc import Mapping

import msgspec

from parley.bot import Approval


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of one language. Words in braces are filled in."""

    amount: str = "How much, in {currency}?"
    purpose: str = "What for?"
    category: str = "Which category?"
    categories: tuple[str, ...] = ("Travel", "Meals", "Equipment", "Other")
    approve: str = "{name}: {amount} {currency} for {purpose} ({category})"
    outcomes: Mapping[str, str]
    booked: str = "✅ Approved and booked, receipt {receipt}."
    none: str = "You have no expenses. Send /expense."

    def refused(self, outcome: Approval) -> str:
        """Why an expense is not paid."""
        name = (outcome.by.name or outcome.by.id) if outcome.by else ""
        return self.outcomes[outcome.outcome].format(name=name)


ENGLISH = Words(
    outcomes={
        "rejected": "⛔ {name} has rejected it.",
        "withdrawn": "You have withdrawn it.",
        "timed out": "Nobody has decided within three days. Please ask, and send it again.",
    }
)
CHINESE = Words(
    amount="金额是多少（{currency}）？",
    purpose="用途是什么？",
    category="属于哪一类？",
    categories=("差旅", "餐饮", "设备", "其他"),
    approve="{name}：{amount} {currency}，{purpose}（{category}）",
    outcomes={
        "rejected": "⛔ {name} 已拒绝。",
        "withdrawn": "您已撤回。",
        "timed out": "三天内无人审批，请联系审批人后重新提交。",
    },
    booked="✅ 已批准并入账，凭证号 {receipt}。",
    none="您没有报销记录。请发送 /expense。",
)
LANGUAGES = {"en": ENGLISH, "zh": CHINESE, "": ENGLISH}
