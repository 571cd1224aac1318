// The list of conversations.

import { api } from "./api.js";
import { askText, confirmed } from "./ask.js";
import { element, icon, iconButton } from "./element.js";
import { openMenu } from "./menu.js";

const DAY_MS = 86_400_000;
const TYPING_MS = 200;

export class Sidebar {
  #search = "";
  #timer = 0;

  constructor({ list, find, choose, removed, failed }) {
    this.list = list;
    this.choose = choose;
    this.removed = removed;
    this.failed = failed;
    this.current = null;
    find.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => {
        this.#search = find.value.trim();
        this.load();
      }, TYPING_MS);
    });
  }

  async load() {
    const search = this.#search;
    try {
      const { conversations } = await api.conversations(search);
      if (search === this.#search) this.#draw(conversations);
    } catch (error) {
      this.failed(error);
    }
  }

  mark(thread) {
    this.current = thread;
    for (const entry of this.list.querySelectorAll(".entry")) this.#mark(entry);
  }

  #mark(entry) {
    const current = entry.dataset.thread === this.current;
    entry.classList.toggle("current", current);
    entry.firstElementChild.setAttribute("aria-current", current ? "page" : "false");
  }

  #draw(conversations) {
    if (!conversations.length) {
      this.list.replaceChildren(element("p", { class: "none" }, this.#search ? "Nothing found." : "Your conversations will be listed here."));
      return;
    }
    const parts = [];
    let group = "";
    for (const each of conversations) {
      const name = groupOf(new Date(each.changed_at));
      if (name !== group) parts.push(element("h2", {}, name));
      group = name;
      parts.push(this.#entry(each));
    }
    this.list.replaceChildren(...parts);
  }

  #entry(heading) {
    const more = iconButton("ellipsis", `More for: ${heading.title}`, () =>
      openMenu(more, [
        { text: "Rename", sign: icon("pencil", "small"), run: () => this.#rename(heading) },
        { text: "Delete", sign: icon("trash-2", "small"), bad: true, run: () => this.#remove(heading) },
      ], heading.title), { "aria-haspopup": "menu" });
    const entry = element("div", { class: "entry", "data-thread": heading.thread },
      element("button", { class: "open", type: "button", title: heading.title, onclick: () => this.choose(heading.thread) }, heading.title),
      more);
    this.#mark(entry);
    return entry;
  }

  async #rename(heading) {
    const title = await askText("Rename conversation", "Name", heading.title);
    if (title === null) return;
    await this.#try(() => api.rename(heading.thread, title));
    this.removed(null);
  }

  async #remove(heading) {
    if (!(await confirmed("Delete conversation?", `“${heading.title}” will be deleted for good.`, "Delete"))) return;
    await this.#try(() => api.remove(heading.thread));
    this.removed(heading.thread);
  }

  async #try(work) {
    try {
      await work();
      await this.load();
    } catch (error) {
      this.failed(error);
    }
  }
}

function groupOf(date) {
  const today = new Date();
  today.setHours(0, 0, 0, 0);
  if (date >= today) return "Today";
  if (date >= today - DAY_MS) return "Yesterday";
  if (date >= today - 7 * DAY_MS) return "Last seven days";
  return date.toLocaleDateString(undefined, { month: "long", year: "numeric" });
}
