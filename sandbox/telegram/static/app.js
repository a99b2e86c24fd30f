// The chat page: what is open, what arrives, what is sent.

import { chatNode, h, knowBot, messageNode, paintAvatar, previewText } from "./draw.js";
import { dayName, listTime, toggleLanguage, translatePage, word } from "./words.js";

const $ = (selector) => document.querySelector(selector);
const app = $(".app"), scroller = $(".scroller"), log = $(".messages"), textBox = $(".text");
const MAX_FILE_BYTES = 20 * 1024 * 1024;
const NEAR_END_PX = 120;
const GROUP_GAP_S = 300;
const PRESS_WAIT_MS = 10000;

const state = {
  users: [], chats: new Map(), bot: null, me: null, open: null, messages: new Map(), more: false,
  reply: null, edit: null, files: [], anonymous: false, seen: {}, below: 0, source: null, pages: {}, tries: {},
};

// Talking to the server

async function ask(path, body) {
  const response = await fetch(`api/${path}`, body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {});
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? response.statusText);
  return answer;
}

async function loadWorld() {
  const world = await ask(state.me ? `world?as=${state.me}` : "world");
  Object.assign(state, { users: world.users, bot: world.bot, me: world.as, pages: world.pages, tries: world.tries });
  knowBot(world.bot.id);
  state.chats = new Map(world.chats.map((chat) => [chat.id, chat]));
  for (const chat of world.chats) state.seen[chat.id] ??= chat.last?.id ?? 0;
  drawSpeakers();
  drawChats();
}

function connect() {
  state.source?.close();
  const source = new EventSource(`api/events?as=${state.me}`);
  state.source = source;
  let helloes = 0;
  source.addEventListener("hello", async () => {
    $(".bar-status").hidden = true;
    // What happened while the connection was away is read again.
    if (helloes++ > 0) await refresh();
  });
  source.onmessage = (event) => hear(JSON.parse(event.data));
  source.onerror = () => { $(".bar-status").hidden = false; };
}

async function refresh() {
  await loadWorld();
  if (state.open !== null) await loadMessages(false);
}

function hear(event) {
  if (event.event === "message") return heard(event);
  if (event.event === "deleted") return gone(event);
  if (event.event === "toast") return answered(event);
  if (event.event === "chat") return void loadWorld().then(drawHead);
}

function heard({ chat_id: chatId, message, chat }) {
  state.chats.set(chatId, chat);
  if (chatId === state.open) {
    const fresh = !state.messages.has(message.id);
    const atEnd = nearEnd();
    put(message);
    drawHead();
    if (fresh && (atEnd || message.from.id === state.me)) toEnd();
    else if (atEnd) toEnd(false);
    else if (fresh) { state.below += 1; drawDown(); }
    if (!document.hidden) markSeen(chatId);
  }
  drawChats();
}

function gone({ chat_id: chatId, message_id: id }) {
  if (chatId === state.open) {
    state.messages.delete(id);
    find(id)?.remove();
    regroup();
  }
  void loadWorld().then(drawHead);
}

function answered(event) {
  for (const key of document.querySelectorAll(".key.waiting")) {
    if (Number(key.closest("article")?.dataset.messageId) === event.message_id) key.classList.remove("waiting");
  }
  if (!event.text) return;
  if (event.show_alert) {
    $(".alert p").textContent = event.text;
    $(".alert").showModal();
  } else toast(event.text);
}

// Speaking as somebody

function drawSpeakers() {
  const select = $(".speaker-select");
  select.replaceChildren(...state.users.map((user) => {
    const role = word("roles")[user.role] ?? user.role;
    return h("option", { value: user.id }, role ? `${user.name} · ${role}` : user.name);
  }));
  select.value = state.me;
  const me = state.users.find((user) => user.id === state.me);
  if (me) paintAvatar($(".speaker .avatar"), me.id, me.name);
}

async function speakAs(userId) {
  state.me = userId;
  localStorage.setItem("sandbox.as", userId);
  cancelContext();
  readSeen();
  await loadWorld();
  connect();
  if (state.open !== null && state.chats.has(state.open)) await openChat(state.open);
  else if (state.open !== null) location.hash = "";
}

function readSeen() {
  state.seen = JSON.parse(localStorage.getItem(`sandbox.seen.${state.bot?.id}.${state.me}`) ?? "{}");
}

function markSeen(chatId) {
  state.seen[chatId] = state.chats.get(chatId)?.last?.id ?? 0;
  localStorage.setItem(`sandbox.seen.${state.bot.id}.${state.me}`, JSON.stringify(state.seen));
}

// The list

function drawChats() {
  const chats = [...state.chats.values()].sort((a, b) => (b.last?.date ?? 0) - (a.last?.date ?? 0) || a.title.localeCompare(b.title));
  const focused = document.activeElement?.dataset?.chatId;
  $(".chat-list").replaceChildren(...chats.map((chat) => chatNode(chat, {
    current: chat.id === state.open,
    unread: Math.max(0, (chat.last?.id ?? 0) - (state.seen[chat.id] ?? 0)),
    time: chat.last ? listTime(chat.last.date) : "",
    open: () => { location.hash = `chat=${chat.id}`; },
  })));
  if (focused) document.querySelector(`.chat-item[data-chat-id="${focused}"]`)?.focus();
}

// One chat

async function openChat(chatId) {
  state.open = chatId;
  app.dataset.pane = "chat";
  for (const node of document.querySelectorAll(".chat-head, .scroller, .composer")) node.hidden = false;
  $(".welcome").hidden = true;
  cancelContext();
  await loadMessages(true);
  drawHead();
  markSeen(chatId);
  drawChats();
  if (matchMedia("(hover: hover)").matches) textBox.focus({ preventScroll: true });
}

function closeChat() {
  state.open = null;
  app.dataset.pane = "list";
  for (const node of document.querySelectorAll(".chat-head, .scroller, .composer, .pinned, .down")) node.hidden = true;
  $(".welcome").hidden = false;
  drawChats();
}

async function loadMessages(jump) {
  const chatId = state.open;
  const page = await ask(`messages?chat_id=${chatId}&as=${state.me}`);
  if (chatId !== state.open) return;
  state.messages = new Map(page.messages.map((message) => [message.id, message]));
  state.more = page.more;
  const atEnd = jump || nearEnd();
  drawMessages();
  if (atEnd) toEnd(false);
}

async function loadOlder() {
  const first = Math.min(...state.messages.keys());
  const page = await ask(`messages?chat_id=${state.open}&as=${state.me}&before=${first}`);
  const height = scroller.scrollHeight;
  state.messages = new Map([...page.messages.map((message) => [message.id, message]), ...state.messages]);
  state.more = page.more;
  drawMessages();
  scroller.scrollTop += scroller.scrollHeight - height;
}

function drawHead() {
  const chat = state.chats.get(state.open);
  if (!chat) return;
  $(".chat-title").textContent = chat.title;
  const kind = word("kinds")[chat.kind];
  $(".chat-sub").textContent = chat.type === "private" ? word("bot_chat") : [word("members")(chat.members), kind].filter(Boolean).join(" · ");
  paintAvatar($(".chat-avatar"), chat.type === "private" ? state.bot.id : chat.id, chat.title);
  $(".pinned").hidden = !chat.pinned;
  if (chat.pinned) $(".pinned-text").textContent = previewText(chat.pinned);
  $(".mask").hidden = !chat.can_be_anonymous;
  $(".compose-row").classList.toggle("closed", !chat.can_write);
  drawTries();
  document.title = `${chat.title} · Paydesk`;
}

/** What this person may say here: one tap writes it, a second one sends it. */
function drawTries() {
  const tries = state.tries[state.open] ?? [];
  const strip = $(".tries");
  const shown = `${state.me} ${state.open}`;
  strip.hidden = tries.length === 0;
  if (strip.dataset.shown === shown) return;
  strip.dataset.shown = shown;
  strip.replaceChildren(...tries.map(({ text, what }) => h("button", {
    type: "button", class: "try", "data-testid": "try", title: what, onclick: () => tryWords(text),
  }, text)));
  strip.scrollLeft = 0;
}

function tryWords(text) {
  if (textBox.value === text) return void submit();
  textBox.value = text;
  grow();
  // On a phone the keyboard would cover what is to be read.
  if (matchMedia("(hover: hover)").matches) textBox.focus({ preventScroll: true });
}

const find = (id) => log.querySelector(`article[data-message-id="${id}"]`);
const draw = (message) => messageNode(message, state.me, acts);

function drawMessages() {
  const older = state.more ? [h("button", { type: "button", class: "older", onclick: loadOlder }, word("older"))] : [];
  log.replaceChildren(...older, ...[...state.messages.values()].map(draw));
  regroup();
}

function put(message) {
  state.messages.set(message.id, message);
  const old = find(message.id);
  const node = draw(message);
  if (old) {
    const open = [...old.querySelectorAll("details")].map((one) => one.open);
    node.querySelectorAll("details").forEach((one, index) => { one.open = open[index] ?? one.open; });
    old.replaceWith(node);
  } else {
    log.append(node);
    node.classList.add("arriving");
  }
  regroup();
}

/** Day lines, and which messages stand together as one person's. */
function regroup() {
  log.querySelectorAll(".day").forEach((node) => node.remove());
  let before = null, beforeNode = null;
  for (const node of log.querySelectorAll("article")) {
    const message = state.messages.get(Number(node.dataset.messageId));
    if (!message) continue;
    const newDay = !before || new Date(before.date * 1000).toDateString() !== new Date(message.date * 1000).toDateString();
    if (newDay) node.before(h("p", { class: "day" }, h("span", {}, dayName(message.date))));
    const joined = !newDay && before && !before.service && !message.service && before.from.id === message.from.id
      && message.date - before.date < GROUP_GAP_S;
    node.classList.toggle("first", !joined);
    beforeNode?.classList.toggle("last", !joined);
    [before, beforeNode] = [message, node];
  }
  beforeNode?.classList.add("last");
}

// Scrolling

const nearEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PX;

function toEnd(smooth = true) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  scroller.scrollTo({ top: scroller.scrollHeight, behavior: smooth && !calm ? "smooth" : "instant" });
  state.below = 0;
  state.atEnd = true;
  drawDown();
}

function drawDown() {
  $(".down").hidden = state.open === null || nearEnd();
  $(".down .badge").hidden = state.below === 0;
  $(".down .badge").textContent = state.below;
}

function jump(id) {
  const node = find(id);
  if (!node) return;
  node.scrollIntoView({ block: "center", behavior: "smooth" });
  node.classList.remove("flash");
  requestAnimationFrame(() => node.classList.add("flash"));
}

// What a person does

const acts = {
  jump,
  reply(message) { setContext({ reply: message }); },
  edit(message) { setContext({ edit: message }); textBox.value = message.text; grow(); },
  say(text) { return send({ text }); },
  async copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      return toast(text);
    }
    toast(word("copied"));
  },
  view(src) {
    $(".viewer img").src = src;
    $(".viewer").showModal();
  },
  async press(message, data, key) {
    key.classList.add("waiting");
    setTimeout(() => key.classList.remove("waiting"), PRESS_WAIT_MS);
    try {
      await ask("act", { as: state.me, chat_id: state.open, press: { message_id: message.id, data } });
    } catch (error) {
      key.classList.remove("waiting");
      toast(error.message);
    }
  },
};

async function send(what) {
  const more = {};
  if (state.reply) more.reply_to = state.reply.id;
  if (state.anonymous) more.anonymous = true;
  try {
    await ask("act", { as: state.me, chat_id: state.open, ...what, ...more });
    return true;
  } catch (error) {
    toast(word("failed") + error.message);
    return false;
  }
}

async function submit() {
  const text = textBox.value.trim();
  let sent = false;
  if (state.edit) sent = text !== "" && await send({ edit: { message_id: state.edit.id, text } });
  else if (state.files.length) sent = await sendFiles(text);
  else if (text) sent = await send({ text });
  if (!sent) return;
  textBox.value = "";
  grow();
  cancelContext();
}

async function sendFiles(caption) {
  const items = await Promise.all(state.files.map(async (file) => ({
    [kindOf(file)]: await base64(file), file_name: file.name,
  })));
  const papers = items.filter((item) => "document" in item).length;
  const alike = papers === 0 || papers === items.length;
  if (items.length > 1 && items.length <= 10 && alike) return send({ album: items, caption: caption || undefined });
  let sent = true;
  for (const [index, item] of items.entries()) sent = await send({ ...item, caption: index === 0 && caption ? caption : undefined }) && sent;
  return sent;
}

const isPhoto = (file) => /^image\/(png|jpeg|gif|webp)$/.test(file.type);
const kindOf = (file) => isPhoto(file) ? "photo" : /^video\/(mp4|webm|quicktime)$/.test(file.type) ? "video" : "document";

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

function attach(files) {
  const small = [...files].filter((file) => file.size <= MAX_FILE_BYTES);
  if (small.length < files.length) toast(word("too_big"));
  if (small.length) setContext({ files: small, reply: state.reply });
}

function setContext({ reply = null, edit = null, files = [] }) {
  Object.assign(state, { reply, edit, files });
  const shown = edit ?? reply;
  $(".context").hidden = !shown && !files.length;
  $(".context-title").textContent = files.length ? word("files")(files.length) : edit ? word("editing") : reply ? `${word("replying_to")} ${reply.from.name}` : "";
  $(".context-text").textContent = files.length ? files.map((file) => file.name).join(", ") : shown?.text || (shown?.files.length ? word(shown.files[0].kind) : "");
  textBox.focus();
}

function cancelContext() {
  if (state.edit) { textBox.value = ""; grow(); }
  Object.assign(state, { reply: null, edit: null, files: [] });
  $(".context").hidden = true;
  $(".file").value = "";
}

function grow() {
  textBox.style.height = "auto";
  textBox.style.height = `${Math.min(textBox.scrollHeight, 160)}px`;
  $(".composer").classList.toggle("ready", textBox.value.trim() !== "" || state.files.length > 0);
  for (const node of document.querySelectorAll(".try")) node.classList.toggle("written", node.textContent === textBox.value);
}

function toast(text) {
  const node = h("p", { class: "toast" }, text);
  $(".toasts").append(node);
  setTimeout(() => node.classList.add("leaving"), 3200);
  setTimeout(() => node.remove(), 3600);
}

// Wiring

function route() {
  const match = /^#chat=(-?\d+)$/.exec(location.hash);
  const chatId = match ? Number(match[1]) : null;
  if (chatId !== null && state.chats.has(chatId)) return openChat(chatId);
  return closeChat();
}

function drawPages() {
  $(".pages").replaceChildren(...Object.entries(state.pages).map(([name, url]) => {
    const link = document.createElement("a");
    Object.assign(link, { href: url, textContent: word("page")[name] });
    link.dataset.testid = `page-${name}`;
    return link;
  }));
}

function speakLanguage() {
  translatePage();
  $(".language").textContent = word("language_short");
  drawSpeakers();
  drawChats();
  drawPages();
  if (state.open !== null) { drawHead(); drawMessages(); }
}

$(".composer").addEventListener("submit", (event) => { event.preventDefault(); void submit(); });
textBox.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); void submit(); }
});
textBox.addEventListener("input", grow);
textBox.addEventListener("paste", (event) => { if (event.clipboardData.files.length) { event.preventDefault(); attach(event.clipboardData.files); } });
$(".file").addEventListener("change", (event) => { attach(event.target.files); grow(); });
$(".cancel").addEventListener("click", () => { cancelContext(); grow(); textBox.focus(); });
$(".mask").addEventListener("click", (event) => {
  state.anonymous = !state.anonymous;
  event.currentTarget.setAttribute("aria-pressed", String(state.anonymous));
});
$(".back").addEventListener("click", () => { location.hash = ""; });
$(".pinned").addEventListener("click", () => jump(state.chats.get(state.open).pinned.id));
$(".down").addEventListener("click", () => toEnd());
scroller.addEventListener("scroll", () => { state.atEnd = nearEnd(); if (state.atEnd) state.below = 0; drawDown(); }, { passive: true });
// The pinned bar, the keyboard of a phone and a growing text box take room from the messages.
new ResizeObserver(() => { if (state.atEnd) toEnd(false); }).observe(scroller);
log.addEventListener("dblclick", (event) => {
  const node = event.target.closest("article:not(.service)");
  if (node && !event.target.closest("button, a")) acts.reply(state.messages.get(Number(node.dataset.messageId)));
});
log.addEventListener("load", () => { if (state.below === 0 && nearEnd()) toEnd(false); }, true);
$(".viewer").addEventListener("click", () => $(".viewer").close());
$(".speaker-select").addEventListener("change", (event) => void speakAs(Number(event.target.value)));
$(".language").addEventListener("click", () => { toggleLanguage(); speakLanguage(); });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (!$(".context").hidden) { cancelContext(); grow(); }
  else if (state.open !== null) location.hash = "";
});
document.addEventListener("visibilitychange", () => { if (!document.hidden && state.open !== null) { markSeen(state.open); drawChats(); } });
addEventListener("hashchange", () => void route());

async function begin() {
  const kept = Number(localStorage.getItem("sandbox.as"));
  if (kept) state.me = kept;
  await loadWorld().catch(() => {});
  if (!state.users.some((user) => user.id === state.me)) {
    state.me = null;
    await loadWorld();
  }
  readSeen();
  for (const chat of state.chats.values()) state.seen[chat.id] ??= chat.last?.id ?? 0;
  speakLanguage();
  connect();
  if (!location.hash && matchMedia("(min-width: 641px)").matches) {
    const first = document.querySelector(".chat-item");
    if (first) location.replace(`#chat=${first.dataset.chatId}`);
  }
  await route();
}

void begin();
