// A table of the admin page.

import { element } from "./element.js";

export function rows(heads, lines, none) {
  if (!lines.length) return element("p", { class: "none" }, none);
  return element("div", { class: "rows" }, element("table", {},
    element("thead", {}, element("tr", {}, ...heads.map((each) => (each ? element("th", { scope: "col" }, each) : element("td"))))),
    element("tbody", {}, ...lines.map((cells) => element("tr", {}, ...cells.map((each) => (each instanceof HTMLTableCellElement ? each : element("td", {}, ...[each].flat()))))))));
}

export const badge = (text, kind = "") => element("span", { class: `badge ${kind}`.trim() }, text);

export function ago(time) {
  const seconds = Math.max(0, Math.round((Date.now() - new Date(time)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
