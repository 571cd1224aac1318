// One conversation: the turns that are stored, and the exchanges that go on now or have just ended.

import { api } from "./api.js";

const WRITING = new Set(["send", "edit", "retry", "continue"]);

export class Conversation extends EventTarget {
  #feed = null;
  #exchanges = new Map();
  #reading = 0;

  constructor(thread, persona) {
    super();
    this.thread = thread;
    this.title = "";
    this.persona = persona;
    this.turns = [];
    this.loaded = false;
  }

  open() {
    document.addEventListener("visibilitychange", this.#seen);
    this.#listen();
  }

  close() {
    document.removeEventListener("visibilitychange", this.#seen);
    this.#hangUp();
  }

  // A browser has six connections to a server for all its tabs: those that nobody looks at give theirs back.
  #seen = () => {
    if (document.hidden) this.#hangUp();
    else if (!this.#feed) this.#listen();
  };

  #listen() {
    this.#feed = new EventSource(api.events(this.thread));
    this.#feed.addEventListener("message", (event) => this.#take(JSON.parse(event.data)));
    this.#feed.addEventListener("error", () => {
      // A connection that broke is made again by the browser; one that was refused is not.
      if (this.#feed?.readyState === EventSource.CLOSED) setTimeout(() => this.#feed && (this.#hangUp(), this.#listen()), 3000);
    });
  }

  #hangUp() {
    this.#feed?.close();
    this.#feed = null;
  }

  get empty() {
    return !this.turns.length && ![...this.#exchanges.values()].some((each) => this.#visible(each));
  }

  get running() {
    return [...this.#exchanges.values()].some((each) => each.running && each.command !== "stop");
  }

  get lastTurn() {
    return this.turns.at(-1);
  }

  async reload() {
    const reading = ++this.#reading;
    const stored = await api.read(this.thread);
    if (reading !== this.#reading) return; // a later one is under way
    this.turns = stored.turns;
    this.title = stored.title;
    this.persona = stored.persona ?? this.persona;
    this.loaded = true;
    this.#changed();
  }

  // What is to be shown, from top to bottom.
  items() {
    const exchanges = [...this.#exchanges.values()].filter((each) => this.#visible(each));
    const items = [];
    const placed = new Set();
    for (const turn of this.turns) {
      const own = exchanges.filter((each) => WRITING.has(each.action) && each.about === turn.message_id);
      own.forEach((each) => placed.add(each));
      const writing = own.findLast((each) => each.running);
      const text = writing?.action === "edit" ? writing.text : turn.text;
      items.push({ kind: "asked", key: `a${turn.message_id}`, id: turn.message_id, text, files: writing?.files ?? [] });
      if (writing) this.#writing(items, writing, turn.message_id, writing.action === "continue" ? (turn.reply ?? "") : "", turn.persona);
      else if (turn.reply !== null) items.push({ kind: "reply", key: `r${turn.message_id}`, text: turn.reply, running: false, persona: turn.persona, facts: turn.facts, thoughts: turn.reasoning, stored: true });
      own.filter((each) => !each.running).forEach((each) => this.#notes(items, each, turn.status === "done"));
      if (!writing && turn.reply === null && !own.some((each) => each.messages.size)) items.push({ kind: "note", key: `u${turn.message_id}`, text: turn.status === "pending" ? "This is being answered." : "This was not answered.", bad: turn.status !== "pending" });
      if (writing?.action === "edit") break; // what followed is discarded
    }
    for (const each of exchanges) {
      if (placed.has(each)) continue;
      if (each.text) items.push({ kind: "asked", key: `a${each.about}`, id: each.about, text: each.text, files: each.files, command: each.action === "command" });
      this.#writing(items, each, each.about, "", this.persona);
    }
    return items;
  }

  // A reply of `exchange` after the text that was there `before`, and what was said besides.
  #writing(items, exchange, id, before, persona) {
    const replies = [...exchange.messages.values()].filter((each) => !each.notice && !each.error && !each.file);
    const text = before + replies.map((each) => each.text).join("\n\n");
    if (text || exchange.running) items.push({ kind: "reply", key: `r${id}`, text, running: exchange.running, persona, facts: replies.at(-1)?.facts ?? null, thoughts: "", stored: false });
    this.#notes(items, exchange, true);
  }

  #notes(items, exchange, answered) {
    for (const each of exchange.messages.values()) {
      if (each.notice || each.error || each.file || !answered) items.push({ kind: "note", key: `n${exchange.id}.${each.id}`, text: each.text, bad: Boolean(each.error), file: each.file });
    }
  }

  #visible(exchange) {
    return exchange.command !== "stop" && !(exchange.command === "persona" && !this.turns.length);
  }

  #take(event) {
    const exchange = this.#exchanges.get(event.exchange);
    switch (event.type) {
      case "state":
        this.#exchanges = new Map(event.exchanges.map((each) => [each.id, received(each)]));
        this.reload();
        break;
      case "begun":
        if (WRITING.has(event.begun.action)) this.#dropEnded();
        this.#exchanges.set(event.begun.id, received(event.begun));
        break;
      case "message":
        exchange?.messages.set(event.message.id, event.message);
        break;
      case "grown": {
        const message = exchange?.messages.get(event.id);
        if (message) message.text = message.text.slice(0, event.keep) + event.text;
        break;
      }
      case "gone":
        exchange?.messages.delete(event.id);
        break;
      case "ended":
        this.#end(exchange);
        return;
    }
    this.#changed();
  }

  async #end(exchange) {
    if (!exchange) return;
    // Read first: the live text stays on screen until the stored one can take its place.
    await this.reload().catch(() => {});
    exchange.running = false;
    this.#changed();
    this.dispatchEvent(new CustomEvent("ended", { detail: exchange }));
  }

  #dropEnded() {
    for (const [id, each] of this.#exchanges) if (!each.running) this.#exchanges.delete(id);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function received(exchange) {
  return { ...exchange, messages: new Map(exchange.messages.map((each) => [each.id, each])) };
}
