// Shows a text that grows. A block that is complete is made once, so it can be selected and scrolled meanwhile.

import { blocksOf, recordsIn, render } from "./markdown.js";

export class MarkdownView {
  #shown = []; // {raw, finished, nodes} of each block

  constructor() {
    this.element = document.createElement("div");
    this.element.className = "text";
  }

  update(text, finished) {
    const blocks = blocksOf(text).filter((block) => block.type !== "space" && block.type !== "def");
    const records = finished ? recordsIn(blocks) : null;
    const tabled = blocks.some((block) => block.type === "table");
    blocks.forEach((block, index) => {
      const complete = finished || index < blocks.length - 1;
      const known = this.#shown[index];
      const all = complete && (finished || block.type !== "table"); // a table waits for records that may follow
      if (known?.raw === block.raw && known.finished === all) return;
      const nodes = [...render(block, all, records, tabled).childNodes];
      const next = this.#shown.slice(index + 1).find((each) => each.nodes.length)?.nodes[0] ?? null;
      known?.nodes.forEach((node) => node.remove());
      nodes.forEach((node) => this.element.insertBefore(node, next));
      this.#shown[index] = { raw: block.raw, finished: all, nodes };
    });
    this.#shown.splice(blocks.length).forEach((each) => each.nodes.forEach((node) => node.remove()));
  }
}
