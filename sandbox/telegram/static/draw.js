// Turns what the server tells into elements. Text always enters as text nodes, never as HTML.

import { clockTime, word } from "./words.js";

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

const ICONS = {
  reply: "M10 7 5 12l5 5M5 12h9a5 5 0 0 1 5 5v1",
  edit: "M4 20l1-4L16 5l3 3L8 19l-4 1zM14 7l3 3",
  link: "M8 16 17 7M9 7h8v8",
  copy: "M9 9h10v11H9zM5 15V4h10",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  pin: "M9 4h6l-1 6 3 3v2H7v-2l3-3-1-6zM12 15v5",
  eye: "M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6zM12 9.500a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
};

const BOT_HUE = 5;
let botId = null;

/** The bot wears one colour everywhere; people and groups take theirs from their id. */
export function knowBot(id) {
  botId = id;
}

const hue = (id) => (id === botId ? BOT_HUE : Math.abs(id) % 7);

export function initials(name) {
  const words = name.replace(/[^\p{L}\p{N}\s]/gu, " ").trim().split(/\s+/);
  if (/\p{Script=Han}/u.test(words[0] ?? "")) return [...words[0]][0];
  return words.slice(0, 2).map((part) => [...part][0] ?? "").join("").toUpperCase() || "?";
}

export function paintAvatar(node, id, name) {
  node.textContent = initials(name);
  node.classList.remove(...[...node.classList].filter((one) => one.startsWith("hue-")));
  node.classList.add(`hue-${hue(id)}`);
}

export function avatar(id, name, extra = "") {
  const node = h("span", { class: `avatar ${extra}`, "aria-hidden": "true" });
  paintAvatar(node, id, name);
  return node;
}

export function previewText(preview) {
  if (preview.service) return word("services")[preview.service.kind](preview.service);
  const kind = preview.files[0];
  const label = kind ? word(kind) : "";
  return [label, preview.text].filter(Boolean).join(" · ");
}

const safeUrl = (url) => (/^(https?|tg):\/\//i.test(url) ? url : null);

function link(url, children) {
  const href = safeUrl(url);
  return href ? h("a", { href, target: "_blank", rel: "noopener noreferrer" }, children) : h("span", {}, children);
}

function dateTime(unix, children) {
  const moment = new Date(unix * 1000);
  return h("time", { datetime: moment.toISOString(), title: moment.toLocaleString() }, children);
}

function marked(entity, text, children, acts) {
  switch (entity.type) {
    case "bold": return h("b", {}, children);
    case "italic": return h("i", {}, children);
    case "underline": return h("u", {}, children);
    case "strikethrough": return h("s", {}, children);
    case "spoiler": return spoiler(children);
    case "code": return h("code", {}, children);
    case "pre": return h("pre", { "data-language": entity.language }, h("code", {}, children));
    case "blockquote": return h("blockquote", {}, children);
    case "expandable_blockquote": return expandable(children);
    case "text_link": return link(entity.url, children);
    case "url": return link(text, children);
    case "date_time": return dateTime(entity.unix_time, children);
    case "bot_command":
      return h("button", { type: "button", class: "command", onclick: () => acts.say(text) }, children);
    case "mention": case "text_mention": case "hashtag": return h("span", { class: "mention" }, children);
    default: return h("span", {}, children);
  }
}

function spoiler(children) {
  return h("button", { type: "button", class: "spoiler", onclick: (event) => event.currentTarget.classList.add("shown") }, children);
}

function expandable(children) {
  return h("blockquote", { class: "expandable", tabindex: "0", onclick: (event) => event.currentTarget.classList.toggle("open") }, children);
}

/** Text with entities; offsets are UTF-16, as JavaScript counts. */
export function formatted(text, entities, acts) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  const build = (start, end, list) => {
    const nodes = [];
    let at = start;
    while (list.length) {
      const entity = list[0];
      const close = Math.min(entity.offset + entity.length, end);
      const inside = list.filter((one) => one !== entity && one.offset >= entity.offset && one.offset < close);
      if (entity.offset > at) nodes.push(text.slice(at, entity.offset));
      const piece = text.slice(entity.offset, close);
      nodes.push(marked(entity, piece, build(entity.offset, close, inside), acts));
      list = list.filter((one) => one !== entity && !inside.includes(one) && one.offset >= close);
      at = close;
    }
    if (at < end) nodes.push(text.slice(at, end));
    return nodes;
  };
  return build(0, text.length, sorted);
}

// Rich messages

const RICH_TAGS = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", marked: "mark", subscript: "sub", superscript: "sup" };

function richText(text, acts) {
  if (text === undefined || text === null) return [];
  if (typeof text === "string") return [text];
  if (Array.isArray(text)) return text.flatMap((part) => richText(part, acts));
  const inner = () => richText(text.text, acts);
  if (RICH_TAGS[text.type]) return [h(RICH_TAGS[text.type], {}, inner())];
  switch (text.type) {
    case "spoiler": return [spoiler(inner())];
    case "url": return [link(text.url, inner())];
    case "date_time": return [dateTime(text.unix_time, inner())];
    case "bot_command": return [h("button", { type: "button", class: "command", onclick: () => acts.say(text.bot_command) }, inner())];
    case "custom_emoji": return [text.alternative_text];
    case "button": return [button(text.button, acts)];
    case "mathematical_expression": return [h("code", {}, text.expression)];
    default: return inner();
  }
}

function richTable(block, acts) {
  const rows = block.cells.map((row) => h("tr", {}, row.map((cell) => h(cell.is_header ? "th" : "td", {
    class: `a-${cell.align} v-${cell.valign}`, colspan: cell.colspan, rowspan: cell.rowspan,
  }, richText(cell.text, acts)))));
  const shape = ["is_bordered", "is_striped", "is_compact"].filter((one) => block[one]).join(" ");
  return h("div", { class: "table-wrap", tabindex: "0" },
    h("table", { class: shape }, block.caption ? h("caption", {}, richText(block.caption, acts)) : null, h("tbody", {}, rows)));
}

function richBlock(block, acts) {
  const blocks = () => block.blocks.map((one) => richBlock(one, acts));
  switch (block.type) {
    case "paragraph": return h("p", {}, richText(block.text, acts));
    case "heading": return h(`h${Math.min(6, block.size + 1)}`, { class: `size-${block.size}` }, richText(block.text, acts));
    case "pre": return h("pre", { "data-language": block.language }, h("code", {}, richText(block.text, acts)));
    case "footer": return h("footer", {}, richText(block.text, acts));
    case "divider": return h("hr");
    case "list": return h("ul", { class: "rich-list" }, block.items.map((item) =>
      h("li", {}, h("span", { class: "label" }, item.label), h("div", {}, item.blocks.map((one) => richBlock(one, acts))))));
    case "blockquote": return h("blockquote", {}, blocks(), block.credit ? h("cite", {}, richText(block.credit, acts)) : null);
    case "pullquote": case "expandable_blockquote":
      return block.type === "pullquote" ? h("blockquote", { class: "pull" }, richText(block.text, acts)) : expandable(richText(block.text, acts));
    case "table": return richTable(block, acts);
    case "details": return h("details", { open: block.is_open }, h("summary", {}, richText(block.summary, acts)), blocks());
    case "buttons": return h("div", { class: "keyboard-row inside" }, block.buttons.map((one) => button(one, acts)));
    default: return h("p", { class: "muted" }, `[${block.type}]`);
  }
}

// Buttons and files

function button(given, acts) {
  const label = richText(given.text, acts);
  const shape = { class: `key ${given.style ?? ""}`, "data-testid": "button" };
  if (given.url ?? given.web_app?.url) {
    const href = safeUrl(given.url ?? given.web_app.url) ?? undefined;
    return h("a", { ...shape, href, target: "_blank", rel: "noopener noreferrer" }, h("span", {}, label), icon(ICONS.link));
  }
  if (given.copy_text) {
    const copy = given.copy_text.text ?? given.copy_text;
    return h("button", { ...shape, type: "button", onclick: () => acts.copy(copy) }, h("span", {}, label), icon(ICONS.copy));
  }
  const off = Boolean(given.disabled);
  const data = given.callback_data ?? given.data;
  return h("button", { ...shape, type: "button", disabled: off, onclick: (event) => acts.press(data, event.currentTarget) }, h("span", {}, label));
}

function fileSize(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1048576 ? `${(bytes / 1024).toFixed(0)} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
}

function fileNode(file, acts) {
  const src = `api/file/${encodeURIComponent(file.file_id)}`;
  if (file.kind === "photo") {
    const img = h("img", { src, alt: file.name, width: file.width, height: file.height, loading: "lazy" });
    return h("button", { type: "button", class: "photo", "aria-label": word("photo"), onclick: () => acts.view(src) }, img);
  }
  if (file.kind === "video") return h("video", { class: "video", src, controls: true, preload: "metadata", "aria-label": word("video") });
  const suffix = file.name.includes(".") ? file.name.split(".").pop().slice(0, 4) : "";
  return h("a", { class: "document", href: src, download: file.name },
    h("span", { class: `document-icon kind-${suffix.toLowerCase()}` }, icon(ICONS.file), h("b", {}, suffix.toUpperCase())),
    h("span", { class: "document-names" }, h("span", { class: "document-name" }, file.name), h("small", {}, fileSize(file.size))));
}

/** One message as an article. `acts`: press, say, copy, view, reply, edit, jump. */
export function messageNode(message, viewerId, acts) {
  const own = message.from.id === viewerId;
  if (message.service) {
    return h("article", { class: "message service", "data-testid": "message", "data-message-id": message.id },
      h("p", {}, word("services")[message.service.kind](message.service)));
  }
  const acting = { ...acts, press: (data, node) => acts.press(message, data, node) };
  const photo = message.files.some((file) => file.kind !== "document");
  const classes = ["message", own && "own", message.ephemeral_for && "ephemeral", photo && "with-photo", message.rich && "rich"];
  const meta = h("span", { class: "meta" },
    message.pinned ? icon(ICONS.pin) : null,
    message.edited ? h("span", { class: "edited" }, word("edited")) : null,
    h("time", { datetime: new Date(message.date * 1000).toISOString(), title: new Date(message.date * 1000).toLocaleString() }, clockTime(message.date)));
  const quote = message.quote && h("button", { type: "button", class: `quote tone-${hue(message.quote.from_id)}`, onclick: () => acts.jump(message.quote.id) },
    h("b", {}, message.quote.name), h("span", {}, previewText(message.quote)));
  const space = h("span", { class: "meta-space", "aria-hidden": "true" }, message.edited ? word("edited") : "", message.pinned ? "\u2003" : "", clockTime(message.date));
  const text = message.rich ? h("div", { class: "text rich-body" }, message.rich.blocks.map((block) => richBlock(block, acting)))
    : message.text ? h("div", { class: "text" }, formatted(message.text, message.entities, acts), space) : null;
  const bubble = h("div", { class: "bubble" },
    message.ephemeral_for ? h("p", { class: "only-you" }, icon(ICONS.eye), word("only_you")) : null,
    own ? null : h("p", { class: `name tone-${hue(message.from.id)}` }, message.from.name,
      message.from.is_bot ? h("span", { class: "tag" }, word("bot")) : null),
    message.forwarded ? h("p", { class: "forwarded" }, `${word("forwarded")} ${message.forwarded}`) : null,
    quote, message.files.map((file) => fileNode(file, acts)), text, meta);
  const under = message.rich ? message.buttons.slice(message.rich.blocks.filter((block) => block.type === "buttons").length) : message.buttons;
  const keyboard = under.length ? h("div", { class: "keyboard" }, under.map((row) =>
    h("div", { class: "keyboard-row" }, row.map((one) => button(one, acting))))) : null;
  const reactions = message.reactions.length ? h("div", { class: "reactions" }, message.reactions.map((one) => h("span", {}, one))) : null;
  return h("article", { class: classes.filter(Boolean).join(" "), "data-testid": "message", "data-message-id": message.id, "data-from": message.from.id },
    own ? null : avatar(message.from.id, message.from.name, "beside"),
    h("div", { class: "stack" }, bubble, keyboard, reactions),
    h("div", { class: "deeds" },
      h("button", { type: "button", class: "icon-button", "aria-label": word("reply"), title: word("reply"), onclick: () => acts.reply(message) }, icon(ICONS.reply)),
      own && message.text ? h("button", { type: "button", class: "icon-button", "aria-label": word("edit"), title: word("edit"), onclick: () => acts.edit(message) }, icon(ICONS.edit)) : null));
}

/** One line of the chat list. */
export function chatNode(chat, { current, unread, time, open }) {
  const kind = word("kinds")[chat.kind];
  const last = chat.last;
  return h("li", {}, h("button", {
    type: "button", class: "chat-item", "data-testid": "chat-item", "data-chat-id": chat.id, "aria-current": current ? "true" : null, onclick: open,
  },
    avatar(chat.type === "private" ? botId : chat.id, chat.title),
    h("span", { class: "chat-line" },
      h("span", { class: "chat-top" }, h("span", { class: "chat-name" }, chat.title), kind ? h("span", { class: `tag kind-${chat.kind}` }, kind) : null,
        h("time", { class: "chat-time" }, time)),
      h("span", { class: "chat-bottom" },
        h("span", { class: "chat-last" }, last ? [last.service || chat.type === "private" ? null : h("b", {}, `${last.name}: `), previewText(last)] : word("no_messages")),
        unread ? h("span", { class: "badge", "aria-label": word("unread")(unread) }, unread > 99 ? "99+" : unread) : null))));
}
