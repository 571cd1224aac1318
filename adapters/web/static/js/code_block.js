// A block of code with its language, colours and a button that copies it.

import hljs from "../vendor/highlight/highlight.min.js";
import { copyText } from "./clipboard.js";
import { element, icon } from "./element.js";

const LONGEST_COLOURED = 20_000; // characters; colouring more holds a phone up

export function codeBlock(code) {
  const language = /language-([\w+#.-]+)/.exec(code.className)?.[1] ?? "";
  const text = code.textContent;
  if (hljs.getLanguage(language) && text.length <= LONGEST_COLOURED) {
    code.innerHTML = hljs.highlight(text, { language, ignoreIllegals: true }).value; // it escapes what it colours
  }
  const copy = element("button", { type: "button" }, icon("copy", "small"), "Copy");
  copy.addEventListener("click", async () => {
    await copyText(text);
    copy.replaceChildren(icon("check", "small"), "Copied");
    setTimeout(() => copy.replaceChildren(icon("copy", "small"), "Copy"), 2000);
  });
  return element("div", { class: "code" },
    element("header", {}, element("span", {}, language || "text"), copy),
    element("pre", { tabindex: "0" }, code));
}
