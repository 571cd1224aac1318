// Short news at the lower edge.

import { element } from "./element.js";

const SHOWN_MS = 5000;

export class Toasts {
  constructor(place) {
    this.place = place;
  }

  say(text, bad = false) {
    const toast = element("div", { class: bad ? "toast bad" : "toast" }, text);
    this.place.append(toast);
    setTimeout(() => toast.remove(), SHOWN_MS);
  }
}
