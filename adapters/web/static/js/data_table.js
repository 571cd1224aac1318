// Tables that can be scrolled sideways and taken along as CSV.

import { downloadCsv } from "./csv.js";
import { element, icon } from "./element.js";

// Rows of a JSON value that is one record or a list of them; null for anything else.
export function rowsOfJson(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const plain = (each) => each !== null && typeof each === "object" && !Array.isArray(each);
  if (plain(value)) {
    const lists = Object.values(value).filter((each) => Array.isArray(each) && each.length && each.every(plain));
    value = lists.length === 1 && Object.keys(value).length === 1 ? lists[0] : [value];
  }
  if (!Array.isArray(value) || !value.length || !value.every(plain)) return null;
  const columns = [...new Set(value.flatMap((each) => Object.keys(each)))];
  return columns.length ? [columns, ...value.map((each) => columns.map((column) => each[column] ?? ""))] : null;
}

const shown = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

export function tableOf(rows) {
  const [head, ...body] = rows;
  return element("table", {},
    element("thead", {}, element("tr", {}, ...head.map((each) => element("th", { scope: "col" }, shown(each))))),
    element("tbody", {}, ...body.map((row) => element("tr", {}, ...row.map((each) => element("td", {}, shown(each)))))));
}

const rowsOfTable = (table) => Array.from(table.rows, (row) => Array.from(row.cells, (each) => each.textContent));

// `rows` are what the CSV holds, where that is more than the table shows.
export function sheet(table, rows = null) {
  const count = rows ? rows.length - 1 : (table.tBodies[0]?.rows.length ?? 0);
  return element("div", { class: "sheet" },
    element("header", {},
      element("span", {}, count === 1 ? "1 row" : `${count} rows`),
      element("button", { type: "button", onclick: () => downloadCsv(rows ?? rowsOfTable(table), "table.csv") }, icon("download", "small"), "CSV")),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" }, table));
}
