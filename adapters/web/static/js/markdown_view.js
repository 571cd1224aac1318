// Shows a text that grows. A block that is complete is made once, so it can be selected and scrolled meanwhile.

import { blocksOf, render } from "./markdown.js";

export class MarkdownView {
  #shown = []; // {raw, finished, nodes} of each block

  constructor() {
    this.element = document.createElement("div");
    this.element.className = "text";
  }

  update(text, finished) {
    const blocks = blocksOf(text).filter((block) => block.type !== "space" && block.type !== "def");
    blocks.forEach((block, index) => {
      const complete = finished || index < blocks.length - 1;
      const known = this.#shown[index];
      if (known?.raw === block.raw && known.finished === complete) return;
      const nodes = [...render(block, complete).childNodes];
      const next = this.#shown.slice(index + 1).find((each) => each.nodes.length)?.nodes[0] ?? null;
      known?.nodes.forEach((node) => node.remove());
      nodes.forEach((node) => this.element.insertBefore(node, next));
      this.#shown[index] = { raw: block.raw, finished: complete, nodes };
    });
    this.#shown.splice(blocks.length).forEach((each) => each.nodes.forEach((node) => node.remove()));
  }
}
