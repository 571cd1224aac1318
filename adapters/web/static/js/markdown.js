// Markdown of the model, made into harmless elements.

import DOMPurify from "../vendor/dompurify/purify.es.mjs";
import { Marked } from "../vendor/marked/marked.esm.js";
import { codeBlock } from "./code_block.js";
import { rowsOfJson, sheet, tableOf } from "./data_table.js";

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    // Markup that the model writes outside of code is text to be read.
    html: ({ text }) => escaped(text),
    // A picture would be fetched from another host, which then knows who reads here. A link says where it is.
    image: ({ href, text }) => `<a href="${escaped(href)}">${escaped(text || href)}</a>`,
  },
});

const CLEAN = {
  ALLOWED_TAGS: ["a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "input",
    "li", "ol", "p", "pre", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"],
  ALLOWED_ATTR: ["href", "class", "start", "type", "checked", "disabled", "align"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

export const blocksOf = (text) => marked.lexer(text);

// The records of a text that has them as JSON, with the column names first; null for any other text.
export function recordsIn(blocks) {
  const found = blocks.filter((block) => block.type === "code" && block.lang === "json").map((block) => rowsOfJson(block.text));
  return found.length === 1 ? found[0] : null;
}

// The elements of one block. `finished` ones get colours and buttons; a table's CSV has all of the `records`.
export function render(block, finished, records, tabled) {
  const fragment = DOMPurify.sanitize(marked.parser([block]), CLEAN);
  for (const link of fragment.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
  }
  for (const box of fragment.querySelectorAll("input")) {
    if (box.type === "checkbox") box.disabled = true;
    else box.remove();
  }
  if (finished) {
    for (const table of fragment.querySelectorAll("table")) {
      const place = document.createComment("");
      table.replaceWith(place);
      place.replaceWith(sheet(table, records));
    }
    for (const code of fragment.querySelectorAll("pre > code")) code.parentElement.replaceWith(codeBlock(code));
    if (records && !tabled && block.type === "code" && block.lang === "json") fragment.prepend(sheet(tableOf(records)));
  }
  return fragment;
}
