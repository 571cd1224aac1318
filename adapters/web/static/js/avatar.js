// A persona's letter on its colour.

import { element } from "./element.js";

const TONES = 6;

export function avatarOf(persona) {
  const letter = [...persona.name][0]?.toUpperCase() ?? "?";
  return element("span", { class: `avatar tone${persona.index % TONES}`, "aria-hidden": "true" }, letter);
}
