// What the model wrote, or is writing.

import { avatarOf } from "./avatar.js";
import { copyText } from "./clipboard.js";
import { element, iconButton } from "./element.js";
import { MarkdownView } from "./markdown_view.js";

export class ReplyView {
  #item = null;
  #persona = null;
  #drawn = "";

  constructor(context) {
    this.context = context;
    this.name = element("div", { class: "name" });
    this.thoughts = element("details", { hidden: true }, element("summary", {}, "Thoughts"), element("p", {}));
    this.markdown = new MarkdownView();
    this.waiting = element("div", { class: "waiting", role: "img", "aria-label": "is thinking" }, element("i"), element("i"), element("i"));
    this.figures = element("span", { class: "figures" });
    this.retry = iconButton("refresh-cw", "Try again", () => context.act("/retry"));
    this.more = iconButton("step-forward", "Continue", () => context.act("/continue"));
    this.actions = element("div", { class: "actions" }, iconButton("copy", "Copy", () => context.copied(copyText(this.#item.text))), this.retry, this.more, this.figures);
    this.body = element("div", { class: "text" }, this.thoughts, this.markdown.element, this.waiting);
    this.element = element("article", { class: "reply" }, this.name, this.body, this.actions);
  }

  update(item, last) {
    this.#item = item;
    const persona = this.context.persona(item.persona);
    if (persona !== this.#persona) {
      this.#persona = persona;
      this.name.replaceChildren(avatarOf(persona), persona.name);
      this.element.setAttribute("aria-label", persona.name);
    }
    const drawn = `${item.running} ${item.text}`;
    if (drawn !== this.#drawn) this.markdown.update(item.text, !item.running);
    this.#drawn = drawn;
    this.waiting.hidden = !item.running || Boolean(item.text);
    this.thoughts.hidden = !item.thoughts;
    this.thoughts.lastElementChild.textContent = item.thoughts;
    this.element.classList.toggle("last", last);
    this.element.setAttribute("aria-busy", String(item.running));
    this.actions.hidden = item.running;
    this.retry.hidden = this.more.hidden = !last || !item.stored;
    this.figures.textContent = item.facts ? figuresOf(item.facts) : "";
    this.figures.title = item.facts ? explained(item.facts) : "";
  }
}

function figuresOf(facts) {
  const cut = facts.finish_reason === "length" ? " · cut by its length" : facts.finish_reason === "cancelled" ? " · stopped" : "";
  return `${facts.tokens_per_s.toFixed(1)} tokens/s${cut}`;
}

const explained = (facts) =>
  `${facts.completion_tokens} tokens written, ${facts.prompt_tokens} read (${facts.cached_tokens} of them known already), first word after ${(facts.ttft_ms / 1000).toFixed(1)} s`;
