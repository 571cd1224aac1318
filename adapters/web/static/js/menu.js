// A menu that opens at a button, for mouse, finger and keyboard.

import { element } from "./element.js";

const GAP = 6; // pixels

export function openMenu(anchor, items, label) {
  const menu = element("div", { class: "menu", role: "menu", "aria-label": label });
  const close = (focus = true) => {
    menu.remove();
    document.removeEventListener("pointerdown", outside, true);
    anchor.setAttribute("aria-expanded", "false");
    if (focus) anchor.focus();
  };
  const outside = (event) => {
    if (!menu.contains(event.target)) close(false);
  };
  for (const item of items) {
    const button = element("button", {
      type: "button",
      role: item.checked === undefined ? "menuitem" : "menuitemradio",
      "aria-checked": item.checked === undefined ? null : String(item.checked),
      class: item.bad ? "bad" : "",
      onclick: () => {
        close();
        item.run();
      },
    }, item.sign, item.detail ? element("span", {}, item.text, element("small", {}, item.detail)) : item.text);
    menu.append(button);
  }
  menu.addEventListener("keydown", (event) => {
    const buttons = [...menu.children];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      buttons.at((buttons.indexOf(document.activeElement) + step) % buttons.length).focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });
  document.body.append(menu);
  const at = anchor.getBoundingClientRect();
  const fits = at.bottom + GAP + menu.offsetHeight <= innerHeight;
  menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - menu.offsetWidth - 8))}px`;
  menu.style.top = `${Math.max(8, fits ? at.bottom + GAP : at.top - GAP - menu.offsetHeight)}px`;
  anchor.setAttribute("aria-expanded", "true");
  document.addEventListener("pointerdown", outside, true);
  menu.firstElementChild?.focus();
}
