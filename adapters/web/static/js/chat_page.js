// The chat page: puts the parts together.

import { api } from "./api.js";
import { Completions } from "./completions.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { ConversationView } from "./conversation_view.js";
import { avatarOf } from "./avatar.js";
import { newId } from "./identifier.js";
import { openMenu } from "./menu.js";
import { Sidebar } from "./sidebar.js";
import { Theme } from "./theme.js";
import { Toasts } from "./toasts.js";
import { welcome } from "./welcome.js";

const parts = Object.fromEntries(Array.from(document.querySelectorAll("[id]"), (each) => [each.id, each]));
const toasts = new Toasts(parts.toasts);
const failed = (error) => toasts.say(error.message, true);
const NARROW = matchMedia("(max-width: 52rem)");

const me = await api.me();
const personas = me.personas.map((each, index) => ({ ...each, index }));
const personaOf = (key) => personas.find((each) => each.key === key) ?? personas[0];
let conversation = null;

const view = new ConversationView({
  log: parts.log,
  column: parts.column,
  latest: parts.latest,
  context: {
    persona: personaOf,
    act: (text) => say({ text, files: [], edited: null }).catch(failed),
    edit: (item) => composer.edit(item),
    copied: (copying) => copying.then(() => toasts.say("Copied"), failed),
  },
});
const sidebar = new Sidebar({
  list: parts.list,
  find: parts.find,
  choose: (thread) => {
    history.pushState(null, "", `#${thread}`);
    open(thread);
  },
  removed: (thread) => (thread === conversation.thread ? begin() : conversation.reload().catch(failed)),
  failed,
});
const composer = new Composer(parts, {
  send: say,
  stop: () => say({ text: "/stop", files: [], edited: null }).catch(failed),
  lastAsked: () => conversation.items().findLast((item) => item.kind === "asked" && !item.command),
  failed,
  completions: new Completions(parts.completions, parts.write, me.commands),
  longestFile: me.longest_file,
});

async function say({ text, files, edited }) {
  if (/^\/(new|reset)$/i.test(text)) {
    begin();
    return;
  }
  const thread = conversation.thread;
  const about = /^\/(retry|resend|continue)$/i.test(text) ? conversation.lastTurn?.message_id : null;
  view.follow();
  await api.say(thread, { message_id: edited ?? newId(), about: about ?? null, text, edited: edited !== null, files: files.map((file) => file.id) });
  if (location.hash !== `#${thread}` && conversation.thread === thread) history.pushState(null, "", `#${thread}`);
}

function draw() {
  const persona = personaOf(conversation.persona);
  parts.persona.firstElementChild.textContent = persona.name;
  parts.persona.setAttribute("aria-label", `Persona: ${persona.name}. Choose another`);
  parts.title.textContent = conversation.title || "New conversation";
  document.title = conversation.title ? `${conversation.title} · hearthbot` : "hearthbot";
  composer.running = conversation.running;
  parts.write.placeholder = `Message ${persona.name}`;
  if (!conversation.empty) view.show(conversation.items());
  else if (conversation.loaded) view.showInstead(welcome(personas, persona, choosePersona));
}

function choosePersona(persona) {
  if (persona.key !== conversation.persona) say({ text: `/persona ${persona.key}`, files: [], edited: null }).catch(failed);
  parts.write.focus();
}

function open(thread) {
  conversation?.close();
  conversation = new Conversation(thread, me.default_persona);
  conversation.addEventListener("change", draw);
  conversation.addEventListener("ended", (event) => ended(event.detail));
  view.clear();
  sidebar.mark(thread);
  composer.reset();
  conversation.open();
  parts.app.classList.remove("drawn");
}

function ended(exchange) {
  sidebar.load();
  const said = [...exchange.messages.values()].map((each) => each.text).join("\n");
  parts.announcer.textContent = exchange.command === "stop" ? "" : `${personaOf(conversation.persona).name}: ${said}`;
  if (exchange.command === "stop" && said) toasts.say(said);
}

function begin() {
  history.pushState(null, "", location.pathname);
  open(newId());
}

function toggleSidebar() {
  parts.app.classList.toggle(NARROW.matches ? "drawn" : "narrowed");
  if (parts.app.classList.contains("drawn")) parts["close-sidebar"].focus({ preventScroll: true }); // not the search: a phone would show its keyboard
}

parts.persona.addEventListener("click", () =>
  openMenu(parts.persona, personas.map((persona) => ({
    text: persona.name,
    detail: persona.description,
    sign: avatarOf(persona),
    checked: persona.key === conversation.persona,
    run: () => choosePersona(persona),
  })), "Persona"));
for (const id of ["open-sidebar", "close-sidebar", "veil"]) parts[id].addEventListener("click", toggleSidebar);
for (const id of ["begin", "begin-here"]) parts[id].addEventListener("click", begin);
parts.keys.addEventListener("click", () => parts.shortcuts.showModal());
parts.leave.addEventListener("click", async () => {
  await api.logout().catch(failed);
  location.replace("/login");
});
document.addEventListener("keydown", (event) => {
  const control = event.ctrlKey || event.metaKey;
  if (event.key === "Escape" && parts.app.classList.contains("drawn")) toggleSidebar();
  else if (event.key === "Escape" && conversation.running && !document.querySelector("dialog[open]")) composer.stop();
  else if (control && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (!parts.find.offsetParent || getComputedStyle(parts.sidebar).visibility === "hidden") toggleSidebar();
    parts.find.focus();
  } else if (control && event.shiftKey && event.key.toLowerCase() === "o") {
    event.preventDefault();
    begin();
  }
});
addEventListener("popstate", () => open(location.hash.slice(1) || newId()));

parts.who.textContent = me.name;
parts["to-admin"].hidden = !me.admin;
new Theme().attach(parts.theme);
open(location.hash.slice(1) || newId());
sidebar.load();
