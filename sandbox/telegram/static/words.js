// The page's own words. What people and the bot write is never translated.

const WORDS = {
  en: {
    sandbox: "Sandbox Telegram", connecting: "Connecting…", speak_as: "Speak as", language: "切换到中文",
    language_short: "中文", chats: "Chats", conversation: "Conversation", pick_a_chat: "Select a chat to start messaging",
    back: "Back to chats", pinned: "Pinned message", messages: "Messages", to_end: "Go to the newest message",
    cancel: "Cancel", attach: "Attach a file", write: "Message", anonymous: "Write as the group (anonymous admin)",
    send: "Send", ok: "OK", photo: "Photo", video: "Video", document: "Document", close: "Close", reply: "Reply", edit: "Edit",
    replying_to: "Reply to", editing: "Edit message", edited: "edited", only_you: "Only you can see this",
    copied: "Copied", today: "Today", yesterday: "Yesterday", no_messages: "No messages yet", bot: "bot",
    forwarded: "Forwarded from", pages: "Other pages of the demo", page: { desk: "Payment desk", shop: "Shop", supplier: "Supplier", docs: "API documents" }, tries: "Words to try", members: (n) => `${n} member${n === 1 ? "" : "s"}`, bot_chat: "bot",
    files: (n) => `${n} file${n === 1 ? "" : "s"}`, too_big: "This file is larger than 20 MB", failed: "Could not send: ",
    unread: (n) => `${n} unread`, older: "Show earlier messages",
    roles: { owner: "owner", admin: "admin", finance: "finance", operator: "operator", support: "support",
      merchant_staff: "merchant", supplier_staff: "supplier" },
    kinds: { ops: "ops", merchant: "merchant", supplier: "supplier" },
    services: {
      joined: (s) => `${s.what} joined the group`, left: (s) => `${s.what} left the group`,
      renamed: (s) => `${s.who} renamed the group to “${s.what}”`, pinned: (s) => `${s.who} pinned a message`,
      created: (s) => `${s.who} created the group`, upgraded: () => "This group became a supergroup",
    },
  },
  zh: {
    sandbox: "Telegram 沙盒", connecting: "连接中…", speak_as: "身份", language: "Switch to English",
    language_short: "EN", chats: "聊天", conversation: "会话", pick_a_chat: "选择一个聊天开始",
    back: "返回聊天列表", pinned: "置顶消息", messages: "消息", to_end: "跳到最新消息",
    cancel: "取消", attach: "添加附件", write: "输入消息", anonymous: "以群组身份发言（匿名管理员）",
    send: "发送", ok: "好", photo: "图片", video: "视频", document: "文件", close: "关闭", reply: "回复", edit: "编辑",
    replying_to: "回复", editing: "编辑消息", edited: "已编辑", only_you: "仅你可见",
    copied: "已复制", today: "今天", yesterday: "昨天", no_messages: "还没有消息", bot: "机器人",
    forwarded: "转发自", pages: "演示的其他页面", page: { desk: "支付台", shop: "商店", supplier: "供应商", docs: "API 文档" }, tries: "试试这些话", members: (n) => `${n} 位成员`, bot_chat: "机器人",
    files: (n) => `${n} 个文件`, too_big: "文件超过 20 MB", failed: "发送失败：",
    unread: (n) => `${n} 条未读`, older: "显示更早的消息",
    roles: { owner: "负责人", admin: "管理员", finance: "财务", operator: "操作员", support: "客服",
      merchant_staff: "商户", supplier_staff: "供应商" },
    kinds: { ops: "管理", merchant: "商户", supplier: "供应商" },
    services: {
      joined: (s) => `${s.what} 加入了群组`, left: (s) => `${s.what} 离开了群组`,
      renamed: (s) => `${s.who} 将群名改为“${s.what}”`, pinned: (s) => `${s.who} 置顶了一条消息`,
      created: (s) => `${s.who} 创建了群组`, upgraded: () => "此群已升级为超级群",
    },
  },
};

const KEY = "sandbox.language";
let language = localStorage.getItem(KEY) ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

export const lang = () => language;
export const word = (name) => WORDS[language][name];

export function toggleLanguage() {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem(KEY, language);
}

/** Put the words into everything that names one with data-word, -label, -title or -placeholder. */
export function translatePage() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = word(node.dataset.word);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", word(node.dataset.label));
  for (const node of document.querySelectorAll("[data-title]")) node.title = word(node.dataset.title);
  for (const node of document.querySelectorAll("[data-placeholder]")) node.placeholder = word(node.dataset.placeholder);
}

export function clockTime(seconds) {
  return new Intl.DateTimeFormat(lang(), { hour: "2-digit", minute: "2-digit", hour12: false }).format(seconds * 1000);
}

export function dayName(seconds) {
  const day = new Date(seconds * 1000);
  const midnight = new Date().setHours(0, 0, 0, 0);
  if (day >= midnight) return word("today");
  if (day >= midnight - 86400000) return word("yesterday");
  const shape = { month: "long", day: "numeric" };
  if (day.getFullYear() !== new Date().getFullYear()) shape.year = "numeric";
  return new Intl.DateTimeFormat(lang(), shape).format(day);
}

export function listTime(seconds) {
  const day = new Date(seconds * 1000);
  if (day >= new Date().setHours(0, 0, 0, 0)) return clockTime(seconds);
  return new Intl.DateTimeFormat(lang(), { month: "numeric", day: "numeric" }).format(day);
}
