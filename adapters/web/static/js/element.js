// Makes elements. Text is always text, never markup.

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

export const icon = (name, size = "") => element("span", { class: `icon icon-${name} ${size}`.trim(), "aria-hidden": "true" });

export const iconButton = (name, label, onclick, properties = {}) =>
  element("button", { class: "round", type: "button", "aria-label": label, title: label, onclick, ...properties }, icon(name));
