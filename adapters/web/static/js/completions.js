// The commands that a line beginning with a slash may become.

import { element } from "./element.js";

export class Completions {
  #found = [];
  #active = 0;

  constructor(place, field, commands) {
    this.place = place;
    this.field = field;
    this.commands = commands;
    field.addEventListener("input", () => this.#look());
    field.addEventListener("blur", () => setTimeout(() => this.close(), 150));
  }

  get open() {
    return !this.place.hidden;
  }

  close() {
    this.place.hidden = true;
    this.field.removeAttribute("aria-activedescendant");
  }

  // Takes a key where it is meant for the list; says whether it was.
  key(event) {
    if (!this.open) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#mark((this.#active + step + this.#found.length) % this.#found.length);
    else if (event.key === "Tab" || (event.key === "Enter" && !this.#exact())) this.#take(this.#found[this.#active]);
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    return true;
  }

  #exact() {
    return this.field.value.trim() === this.#found[this.#active].value;
  }

  #look() {
    const typed = /^\/(\w*)(?: (.*))?$/u.exec(this.field.value);
    this.#found = typed ? this.#matches(typed[1].toLowerCase(), typed[2]) : [];
    if (!this.#found.length) {
      this.close();
      return;
    }
    this.place.replaceChildren(...this.#found.map((each, index) =>
      element("button", { type: "button", role: "option", id: `completion-${index}`, tabindex: "-1", onpointerdown: (event) => event.preventDefault(), onclick: () => this.#take(each) },
        element("code", {}, each.value), element("small", {}, each.summary))));
    this.place.hidden = false;
    this.#mark(0);
  }

  #matches(name, argument) {
    if (argument === undefined) {
      return this.commands.filter((each) => each.name.startsWith(name)).map((each) => ({ value: `/${each.name}`, summary: each.summary, more: Boolean(each.argument) }));
    }
    const command = this.commands.find((each) => each.name === name);
    return (command?.choices ?? []).filter((each) => each.startsWith(argument)).map((each) => ({ value: `/${name} ${each}`, summary: "", more: false }));
  }

  #mark(index) {
    this.#active = index;
    [...this.place.children].forEach((each, at) => {
      each.classList.toggle("active", at === index);
      each.setAttribute("aria-selected", String(at === index));
    });
    this.place.children[index].scrollIntoView({ block: "nearest" });
    this.field.setAttribute("aria-activedescendant", `completion-${index}`);
  }

  #take(found) {
    this.field.value = found.value + (found.more ? " " : "");
    this.field.focus();
    this.field.dispatchEvent(new Event("input"));
    if (!found.more) this.close();
  }
}
