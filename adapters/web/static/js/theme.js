// Dark, light, or as the system has it.

const KINDS = ["system", "light", "dark"];
const ICONS = { system: "monitor", light: "sun", dark: "moon" };

export class Theme extends EventTarget {
  #system = matchMedia("(prefers-color-scheme: dark)");

  constructor() {
    super();
    this.#system.addEventListener("change", () => this.#apply());
    this.#apply();
  }

  get kind() {
    return localStorage.getItem("theme") ?? "system";
  }

  set kind(kind) {
    if (kind === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", kind);
    this.#apply();
  }

  // Makes `button` go through the three kinds.
  attach(button) {
    const show = () => {
      button.firstElementChild.className = `icon icon-${ICONS[this.kind]}`;
      button.title = `Theme: ${this.kind}`;
      button.setAttribute("aria-label", `Theme: ${this.kind}. Change it`);
    };
    button.addEventListener("click", () => {
      this.kind = KINDS[(KINDS.indexOf(this.kind) + 1) % KINDS.length];
      show();
    });
    show();
  }

  #apply() {
    const dark = this.kind === "system" ? this.#system.matches : this.kind === "dark";
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", dark ? "#1a1816" : "#fbf9f6");
    this.dispatchEvent(new Event("change"));
  }
}
