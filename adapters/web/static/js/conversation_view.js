// Draws a conversation. An element is made once for each item and updated as that changes.

import { AskedView } from "./asked_view.js";
import { NoteView } from "./note_view.js";
import { ReplyView } from "./reply_view.js";

const VIEWS = { asked: AskedView, reply: ReplyView, note: NoteView };
const NEAR_END = 80; // pixels

export class ConversationView {
  #views = new Map();
  #frame = 0;
  #following = true;

  constructor({ log, column, latest, context }) {
    this.log = log;
    this.column = column;
    this.latest = latest;
    this.context = context;
    log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    latest.addEventListener("click", () => this.follow());
    new ResizeObserver(() => this.#keepEnd()).observe(column);
    new ResizeObserver(() => this.#keepEnd()).observe(log);
  }

  // Goes to the end, and stays there.
  follow() {
    this.#following = true;
    this.#keepEnd();
    this.#scrolled();
  }

  clear() {
    this.#views.clear();
    this.column.replaceChildren();
    this.#following = true;
  }

  // Draws with the next frame, however often it is asked for.
  show(items) {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#draw(items));
  }

  // An element in place of the conversation.
  showInstead(made) {
    cancelAnimationFrame(this.#frame);
    this.clear();
    this.column.append(made);
  }

  #draw(items) {
    const wanted = new Set(items.map((item) => item.key));
    for (const child of [...this.column.children]) if (!wanted.has(child.dataset.key)) child.remove();
    for (const key of [...this.#views.keys()]) if (!wanted.has(key)) this.#views.delete(key);
    const lastReply = items.findLast((item) => item.kind === "reply");
    const lastAsked = items.findLast((item) => item.kind === "asked");
    let before = null;
    for (const item of items) {
      let view = this.#views.get(item.key);
      if (!view) {
        view = new VIEWS[item.kind](this.context);
        view.element.dataset.key = item.key;
        this.#views.set(item.key, view);
      }
      view.update(item, item === lastReply || item === lastAsked);
      const place = before ? before.nextElementSibling : this.column.firstElementChild;
      if (place !== view.element) this.column.insertBefore(view.element, place);
      before = view.element;
    }
    this.#keepEnd();
  }

  #keepEnd() {
    if (this.#following) this.log.scrollTop = this.log.scrollHeight;
  }

  #scrolled() {
    this.#following = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END;
    this.latest.hidden = this.#following;
  }
}
