// What is said besides the conversation: notices, errors, files.

import { element, icon } from "./element.js";
import { rowsOfJson, sheet, tableOf } from "./data_table.js";
import { MarkdownView } from "./markdown_view.js";

export class NoteView {
  constructor(context) {
    this.sign = icon("message-circle", "small");
    this.markdown = new MarkdownView();
    this.file = element("a", { class: "chip", hidden: true });
    this.retry = element("button", { class: "button", type: "button", hidden: true, onclick: () => context.act("/retry") }, icon("refresh-cw", "small"), "Try again");
    this.table = element("div");
    this.element = element("aside", { class: "note" }, this.sign, element("div", {}, this.markdown.element, this.file, this.table, this.retry));
  }

  update(item) {
    this.element.classList.toggle("bad", item.bad);
    this.sign.className = `icon icon-${item.bad ? "circle-alert" : item.file ? "file-text" : "message-circle"} small`;
    this.markdown.update(item.text, true);
    this.retry.hidden = !item.bad;
    this.file.hidden = !item.file;
    if (item.file) {
      if (this.file.getAttribute("href") !== item.file.url) this.#tabulate(item.file);
      this.file.href = item.file.url;
      this.file.download = item.file.name;
      this.file.replaceChildren(icon("download", "small"), element("span", {}, item.file.name));
    }
  }

  // Records in a JSON file are shown as a table, too.
  async #tabulate(file) {
    if (!file.name.endsWith(".json")) return;
    const answer = await fetch(file.url);
    const rows = answer.ok ? rowsOfJson(await answer.text()) : null;
    if (rows) this.table.replaceChildren(sheet(tableOf(rows)));
  }
}
