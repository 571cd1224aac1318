// Questions in a dialog. Each resolves to the answer, or null.

import { element } from "./element.js";

function ask(title, content, yes, kind) {
  return new Promise((resolve) => {
    const dialog = element("dialog", { "aria-label": title },
      element("form", { method: "dialog" }, element("h2", {}, title), content,
        element("div", { class: "choices" },
          kind === "only" ? null : element("button", { class: "button", type: "submit", value: "", formnovalidate: true }, "Cancel"),
          element("button", { class: `button ${kind === "only" ? "main" : kind}`, type: "submit", value: "yes" }, yes))));
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export const confirmed = (title, text, yes) => ask(title, element("p", {}, text), yes, "danger");

export async function askText(title, label, value) {
  const field = element("input", { class: "field", "aria-label": label, value, maxlength: "200", autofocus: true });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // the first button of the form would be pressed: Cancel
    field.closest("dialog").close("yes");
  });
  const yes = await ask(title, field, "Save", "main");
  return yes ? field.value.trim() : null;
}

export const tell = (title, content) => ask(title, content, "Done", "only");
