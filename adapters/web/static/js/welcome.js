// An empty conversation: a greeting, and who can be talked to.

import { avatarOf } from "./avatar.js";
import { element } from "./element.js";

export function welcome(personas, current, choose) {
  const cards = personas.map((persona) =>
    element("button", { class: "card", type: "button", role: "radio", "aria-checked": String(persona === current), onclick: () => choose(persona) },
      avatarOf(persona), element("strong", {}, persona.name), element("small", {}, persona.description)));
  return element("div", { class: "welcome" },
    avatarOf(current),
    element("h2", {}, current.name),
    element("p", {}, current.welcome_message || "Hello! Write to me, or choose somebody else."),
    personas.length > 1 ? element("div", { class: "cards", role: "radiogroup", "aria-label": "Who to talk to" }, ...cards) : null);
}
