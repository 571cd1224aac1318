// The field in which a message is written, with its files.

import { api } from "./api.js";
import { element, icon } from "./element.js";

const FINGER = matchMedia("(pointer: coarse)");

export class Composer {
  #editing = null;
  #files = []; // {id, name, size}
  #running = false;
  #uploading = 0;

  // `parts` are the elements by their ids; `send` is given {text, files, edited}.
  constructor(parts, { send, stop, lastAsked, failed, completions, longestFile }) {
    Object.assign(this, { parts, send, stop, lastAsked, failed, completions, longestFile });
    const { composer, write, attach, pick, box } = parts;
    composer.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#stops) this.stop();
      else this.#submit();
    });
    write.addEventListener("input", () => this.#changed());
    write.addEventListener("keydown", (event) => this.#key(event));
    write.addEventListener("paste", (event) => {
      if (!event.clipboardData.files.length) return;
      event.preventDefault();
      this.#add(event.clipboardData.files);
    });
    attach.addEventListener("click", () => pick.click());
    pick.addEventListener("change", () => {
      this.#add(pick.files);
      pick.value = "";
    });
    box.addEventListener("dragover", (event) => {
      event.preventDefault();
      box.classList.add("over");
    });
    box.addEventListener("dragleave", () => box.classList.remove("over"));
    box.addEventListener("drop", (event) => {
      event.preventDefault();
      box.classList.remove("over");
      this.#add(event.dataTransfer.files);
    });
    parts["stop-editing"].addEventListener("click", () => this.reset());
    this.#changed();
  }

  set running(running) {
    this.#running = running;
    this.#changed();
  }

  edit(item) {
    this.#editing = item.id;
    this.parts.write.value = item.text;
    this.parts.editing.hidden = false;
    this.#changed();
    this.focus();
  }

  reset() {
    this.#editing = null;
    this.#files = [];
    this.parts.write.value = "";
    this.parts.editing.hidden = true;
    this.completions.close();
    this.#changed();
    this.focus();
  }

  focus() {
    // On a phone the keyboard would cover what there is to read.
    if (!FINGER.matches || this.#editing) this.parts.write.focus();
  }

  get #stops() {
    return this.#running && !this.parts.write.value.trim();
  }

  async #submit() {
    const text = this.parts.write.value.trim();
    if ((!text && !this.#files.length) || this.#uploading) return;
    const message = { text, files: this.#files, edited: this.#editing };
    const field = this.parts.write.value;
    this.reset();
    try {
      await this.send(message);
    } catch (error) {
      this.parts.write.value = field; // nothing that was written is lost
      this.#files = message.files;
      this.#changed();
      this.failed(error);
    }
  }

  #key(event) {
    if (event.isComposing || this.completions.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && (!FINGER.matches || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!this.#stops) this.#submit();
    } else if (event.key === "ArrowUp" && !this.parts.write.value) {
      const last = this.lastAsked();
      if (last) {
        event.preventDefault();
        this.edit(last);
      }
    } else if (event.key === "Escape" && this.#editing) {
      event.stopPropagation();
      this.reset();
    }
  }

  async #add(files) {
    for (const file of files) {
      if (file.size > this.longestFile) {
        this.failed(new Error(`${file.name} is too large: at most ${Math.floor(this.longestFile / 1e6)} MB.`));
        continue;
      }
      this.#uploading += 1;
      this.#changed();
      try {
        const { id } = await api.upload(file);
        this.#files = [...this.#files, { id, name: file.name }];
      } catch (error) {
        this.failed(error);
      } finally {
        this.#uploading -= 1;
        this.#changed();
      }
    }
  }

  #changed() {
    const { write, send, files, hint } = this.parts;
    write.style.height = "auto";
    write.style.height = `${write.scrollHeight}px`;
    const stops = this.#stops;
    send.classList.toggle("stop", stops);
    send.setAttribute("aria-label", stops ? "Stop" : "Send");
    send.title = stops ? "Stop" : "Send";
    send.firstElementChild.className = `icon icon-${stops ? "square" : "arrow-up"}`;
    send.disabled = !stops && ((!write.value.trim() && !this.#files.length) || this.#uploading > 0);
    files.hidden = !this.#files.length;
    files.replaceChildren(...this.#files.map((file) => this.#chip(file)));
    hint.textContent = this.#uploading ? "Uploading …" : this.#files.length && !write.value.startsWith("/") ? "/extract makes a table of a file" : "";
  }

  #chip(file) {
    const remove = () => {
      this.#files = this.#files.filter((each) => each !== file);
      this.#changed();
    };
    return element("span", { class: "chip" }, icon("file-text", "small"), element("span", {}, file.name),
      element("button", { type: "button", "aria-label": `Remove ${file.name}`, onclick: remove }, icon("x", "small")));
  }
}
