// What the person wrote.

import { copyText } from "./clipboard.js";
import { element, icon, iconButton } from "./element.js";

export class AskedView {
  #item = null;

  constructor(context) {
    this.files = element("div", { class: "files" });
    this.said = element("div", { class: "said" });
    this.edit = iconButton("pencil", "Edit and send again", () => context.edit(this.#item));
    this.actions = element("div", { class: "actions" }, iconButton("copy", "Copy", () => context.copied(copyText(this.#item.text))), this.edit);
    this.element = element("article", { class: "asked", "aria-label": "You" }, this.files, this.said, this.actions);
  }

  update(item) {
    this.#item = item;
    if (this.said.textContent !== item.text) this.said.textContent = item.text;
    this.files.replaceChildren(...item.files.map((name) => element("span", { class: "chip" }, icon("file-text", "small"), element("span", {}, name))));
    this.files.hidden = !item.files.length;
    this.edit.hidden = Boolean(item.command);
  }
}
