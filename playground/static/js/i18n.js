// The page's words in both languages.

const WORDS = {
  en: {
    playground: "playground", skip: "Skip to the message box", language: "中文", languageLabel: "Switch to Chinese",
    theme: "Light or dark", menu: "Rooms and people", faults: "Faults", keys: "Keys", close: "Close",
    "stack.ready": "Stack running", "stack.starting": "Stack starting", "stack.missing": "Stack not running",
    "stack.unreachable": "Stack does not answer", "stack.lost": "Playground does not answer",
    "banner.missing": "The local stack is not running. Start it with", "banner.starting": "The local stack is still starting. What you write now is delivered again until it answers.",
    "banner.unreachable": "The local stack does not answer any more. Start it anew with", "banner.lost": "The playground itself does not answer. This page tries again by itself.",
    platforms: "Platform", app: "App", you: "You write as", rooms: "Rooms", direct: "Direct chat", directWith: "Direct chat with the bot {bot}",
    group: "Group", groupOf: "Group · {people}", callback: "Callback URL", verify: "Verify", verified: "The URL answered the challenge in {ms} ms.",
    notVerified: "The challenge failed: {why}",
    "welcome.title": "Talk to your bot", "welcome.line": "What you write as {person} is signed and encrypted as {platform} does it, runs through your own functions and queues on this machine, and is answered here. Click a message to see its trace.",
    "welcome.try": "Try one of these", stages: ["{platform}", "API Gateway", "callback", "SQS", "your bot", "SQS", "deliverer", "{platform}"],
    commands: "Commands", picture: "Send a picture", attach: "Attach a picture", write: "Write to {room}", send: "Send", hint: "Enter sends · Shift+Enter starts a new line",
    mention: "Mention @{bot}", mentionWhy: "In a group, {platform} sends the bot only the messages that mention it.",
    replying: "Answering {name}: {text}", threading: "In the thread of {name}: {text}", attached: "A picture, {size}", cancel: "Cancel",
    see: "Show trace", reply: "Answer", threadReply: "Answer in a thread", react: "React", recall: "Recall", edited: "edited", recalled: "recalled", inThread: "thread", menuOf: "Commands for this message",
    bot: "bot", webhook: "webhook", "delivery.waiting": "sending", "delivery.delivered": "received", "delivery.retrying": "not received yet, trying again ({n})",
    "delivery.failed": "never received", "delivery.none": "not sent to the bot", pressed: "{name} pressed “{label}”", newer: "New messages below",
    "trace.title": "Trace of this message", "trace.press": "Trace of this click", "trace.loading": "Looking…", "trace.of": "{name} in {room}:", "trace.to": "{name} to {bot}:", "trace.answer": "This is what the bot's message answers.",
    "trace.undelivered": "{platform} did not send this message to the bot, so there is no trace. In a group, mention the bot.", "trace.push": "The bot sent this by itself; it answers no message that can still be found here.",
    "step.sent": "Sent", "step.received": "Acknowledged", "step.decided": "Decided", "step.answered": "Answered", "step.silent": "No answer",
    times: "Times", "times.said": "{name} sends it", "times.delivered": "Delivered to the callback", "times.attempt": "Delivery failed", "times.decided": "Bot has decided, replies are in the journal",
    "times.again": "Delivered again", "times.forged": "Forged delivery: {how}", "times.sent": "Reply {n} is on the platform", "times.failed": "Reply {n}: {state}", took: "took {ms} ms", "times.repliesCount": "{n} replies", "times.reply1": "1 reply",
    wire: "On the wire", wireBytes: "{n} bytes", "wire.why": "What {platform} posted to the callback, byte for byte.", text: "Text", hex: "Hex", copy: "Copy", copied: "Copied.",
    plain: "Decrypted", "plain.why": "What was inside, after signature and decryption. Credentials are masked here.", notEncrypted: "The app has no encrypt key: this is what went over the wire.",
    unified: "Unified message", "unified.why": "The same shape for every platform: what your bot gets.", "unified.none": "The journal holds it once the bot has decided.",
    journal: "Journal", "journal.none": "Nothing yet.", replyN: "Reply {n}", attempts: "{n} attempts", attempts1: "1 attempt",
    calls: "API calls", "calls.why": "What Parley asked of {platform} for this message.", "calls.none": "None yet.", "calls.within": "None: the reply went back with the callback's response.", within: "with the callback", request: "Request", response: "Answer", noAnswer: "no answer", fault: "fault: {kind}",
    again: "Deliver again", "again.why": "A platform may deliver the same event several times, and anybody may try to forge one. The bot must answer once.",
    "again.1": "Once more", "again.3": "Three times", "forge.signature": "Wrong signature", "forge.stale": "A day old", "forge.plain": "Unencrypted", "forge.truncated": "Cut off",
    "faults.title": "Faults of {platform}", "faults.why": "Make the platform fail, and see that nothing is lost and no message is sent twice.", kind: "What", how: "How often", times_: "times", percent: "% of calls", value: "Number", add: "Add", clear: "Remove all", "faults.none": "No faults: the platform works.", hits: "struck {n}×",
    "fault.http_500": "answers 500, does nothing", "fault.timeout": "gives no answer, does nothing", "fault.limited": "says: too many calls", "fault.token_expired": "forgets the access token", "fault.drop_response": "does it, but the answer is lost",
    "keys.title": "Keys", "keys.send": "send", "keys.line": "new line", "keys.move": "move between messages, rooms and people", "keys.open": "open the trace of a message", "keys.close": "close what is open", "keys.write": "to the message box",
    ago: "{n}", unknownError: "That did not work: {why}", image: "Picture", file: "File",
  },
  zh: {
    playground: "试验场", skip: "跳到输入框", language: "English", languageLabel: "切换到英文",
    theme: "浅色或深色", menu: "会话与人员", faults: "故障", keys: "快捷键", close: "关闭",
    "stack.ready": "本地环境运行中", "stack.starting": "本地环境启动中", "stack.missing": "本地环境未启动",
    "stack.unreachable": "本地环境无响应", "stack.lost": "试验场无响应",
    "banner.missing": "本地环境还没有启动，请运行", "banner.starting": "本地环境正在启动。现在发出的消息会一直重投，直到它响应。",
    "banner.unreachable": "本地环境不再响应，请重新启动：", "banner.lost": "试验场自身没有响应，页面会自动重试。",
    platforms: "平台", app: "应用", you: "以谁的身份发言", rooms: "会话", direct: "单聊", directWith: "与机器人 {bot} 的单聊",
    group: "群聊", groupOf: "群聊 · {people}", callback: "回调地址", verify: "验证", verified: "回调地址在 {ms} 毫秒内应答了验证。",
    notVerified: "验证失败：{why}",
    "welcome.title": "和你的机器人聊一聊", "welcome.line": "你以{person}的身份写下的话，会按{platform}的方式签名、加密，经过你自己模板里的函数、队列和数据表，答复再回到这里。点开任意一条消息，就能查看它的链路追踪。",
    "welcome.try": "试试这些", stages: ["{platform}", "API Gateway", "回调函数", "SQS", "你的机器人", "SQS", "投递函数", "{platform}"],
    commands: "命令", picture: "发一张图片", attach: "附上图片", write: "发给{room}", send: "发送", hint: "Enter 发送 · Shift+Enter 换行",
    mention: "提及 @{bot}", mentionWhy: "在群里，{platform}只推送 @ 机器人的消息。",
    replying: "回复{name}：{text}", threading: "在{name}的话题中：{text}", attached: "一张图片，{size}", cancel: "取消",
    see: "查看链路", reply: "回复", threadReply: "在话题中回复", react: "表情", recall: "撤回", edited: "已编辑", recalled: "已撤回", inThread: "话题", menuOf: "对这条消息的命令",
    bot: "机器人", webhook: "群机器人", "delivery.waiting": "投递中", "delivery.delivered": "已收到", "delivery.retrying": "尚未收到，正在重试（{n}）",
    "delivery.failed": "始终未收到", "delivery.none": "未推送给机器人", pressed: "{name} 点了“{label}”", newer: "下面有新消息",
    "trace.title": "这条消息的链路", "trace.press": "这次点击的链路", "trace.loading": "正在查看…", "trace.of": "{name}，{room}：", "trace.to": "{name}对 {bot}：", "trace.answer": "机器人的消息是对它的答复。",
    "trace.undelivered": "{platform}没有把这条消息推送给机器人，因此没有链路。在群里需要 @ 机器人。", "trace.push": "这是机器人主动发出的，这里找不到它所答复的消息。",
    "step.sent": "已发出", "step.received": "已应答", "step.decided": "已决定", "step.answered": "已答复", "step.silent": "无需答复",
    times: "时间", "times.said": "{name}发出", "times.delivered": "投递到回调地址", "times.attempt": "投递失败", "times.decided": "机器人已决定，答复已记入日志",
    "times.again": "再次投递", "times.forged": "伪造的投递：{how}", "times.sent": "答复 {n} 已到平台", "times.failed": "答复 {n}：{state}", took: "用时 {ms} 毫秒", "times.repliesCount": "{n} 条答复", "times.reply1": "1 条答复",
    wire: "线上的字节", wireBytes: "{n} 字节", "wire.why": "{platform}发到回调地址的内容，一个字节也不差。", text: "文本", hex: "十六进制", copy: "复制", copied: "已复制。",
    plain: "解密之后", "plain.why": "验签、解密之后的内容。其中的凭据在这里已遮住。", notEncrypted: "这个应用没有设置 Encrypt Key，线上就是这些内容。",
    unified: "统一消息", "unified.why": "所有平台同一种形状，也就是机器人拿到的样子。", "unified.none": "机器人作出决定之后，日志里就有了。",
    journal: "日志", "journal.none": "还没有。", replyN: "答复 {n}", attempts: "{n} 次尝试", attempts1: "1 次尝试",
    calls: "接口调用", "calls.why": "Parley 为这条消息向{platform}发出的请求。", "calls.none": "还没有。", "calls.within": "没有：答复随回调的应答返回了。", within: "随回调返回", request: "请求", response: "应答", noAnswer: "没有应答", fault: "故障：{kind}",
    again: "再次投递", "again.why": "平台可能把同一个事件投递几次，也可能有人伪造。机器人只应答复一次。",
    "again.1": "再来一次", "again.3": "连来三次", "forge.signature": "签名不对", "forge.stale": "过期一天", "forge.plain": "没有加密", "forge.truncated": "内容残缺",
    "faults.title": "{platform}的故障", "faults.why": "让平台出错，看看是不是既不丢消息，也不重复答复。", kind: "什么故障", how: "频率", times_: "次", percent: "% 的调用", value: "数值", add: "添加", clear: "全部移除", "faults.none": "没有故障，平台正常。", hits: "已发生 {n} 次",
    "fault.http_500": "返回 500，什么也不做", "fault.timeout": "不应答，什么也不做", "fault.limited": "提示调用过于频繁", "fault.token_expired": "忘掉访问凭证", "fault.drop_response": "做了，但应答丢失",
    "keys.title": "快捷键", "keys.send": "发送", "keys.line": "换行", "keys.move": "在消息、会话、人员之间移动", "keys.open": "查看消息的链路", "keys.close": "关闭打开的部分", "keys.write": "回到输入框",
    ago: "{n}", unknownError: "没有成功：{why}", image: "图片", file: "文件",
  },
};

export const language = () => (document.documentElement.lang === "zh" ? "zh" : "en");

export function setLanguage(name) {
  document.documentElement.lang = name;
  try {
    localStorage.setItem("parley.language", name);
  } catch {
    // Private windows may keep nothing; the choice then lasts as long as the page.
  }
}

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

export function t(key, values = {}) {
  const word = WORDS[language()][key] ?? WORDS.en[key] ?? key;
  return Array.isArray(word) ? word.map((item) => fill(item, values)) : fill(word, values);
}

// Names that people and rooms have in both languages.
export const named = (thing) => (language() === "zh" ? thing.name_zh : thing.name) || thing.name;
export const label = (platform) => platform.label[language()] || platform.label.en;
