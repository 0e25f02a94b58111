// The texts of the web chat. Both languages have the same keys.

const WORDS = {
  en: {
    open: "Open the chat",
    close: "Close the chat",
    heading: "Chat",
    log: "Messages",
    write: "Write a message",
    send: "Send",
    you: "You:",
    bot: "Bot:",
    sending: "Sending…",
    notSent: "Not sent: {why}",
    tooLong: "the message is too long",
    refused: "the server does not take it",
    edited: "edited",
    recalled: "This message has been removed.",
    large: "This message is too large to be shown here.",
    typing: "The bot is typing",
    connecting: "Connecting…",
    waiting: "No connection. It is tried again by itself.",
    signedOut: "You are not signed in.",
    unread: "New messages: {count}",
    lost: "Some messages are too old to be shown.",
    choose: "Choose…",
    confirm: "OK",
    optional: "optional",
    newTab: "opens a new tab",
    image: "Picture",
    file: "File",
    audio: "Sound",
    video: "Video",
    everybody: "all",
  },
  zh: {
    open: "打开聊天",
    close: "关闭聊天",
    heading: "聊天",
    log: "消息",
    write: "输入消息",
    send: "发送",
    you: "我：",
    bot: "机器人：",
    sending: "发送中…",
    notSent: "未发送：{why}",
    tooLong: "消息太长",
    refused: "服务器不接收",
    edited: "已编辑",
    recalled: "这条消息已撤回。",
    large: "这条消息太大，无法在这里显示。",
    typing: "机器人正在输入",
    connecting: "正在连接…",
    waiting: "连接已断开，正在自动重连。",
    signedOut: "您还没有登录。",
    unread: "{count} 条新消息",
    lost: "部分消息已过期，无法显示。",
    choose: "请选择…",
    confirm: "确定",
    optional: "选填",
    newTab: "在新标签页中打开",
    image: "图片",
    file: "文件",
    audio: "音频",
    video: "视频",
    everybody: "所有人",
  },
};

/** @typedef {keyof typeof WORDS.en} Word */
/** @typedef {(word: Word, values?: Record<string, string | number>) => string} Words */

/** The texts in the language of `tag`, such as `zh-CN`. @param {string} tag @returns {Words} */
export function wordsOf(tag) {
  const known = WORDS[/^zh\b/i.test(tag) ? "zh" : "en"];
  return (word, values = {}) =>
    Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, () => String(value)), known[word]);
}
