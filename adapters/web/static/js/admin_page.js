// The admin page: figures as they come, and everything else every few seconds.

import { api } from "./api.js";
import { tell } from "./ask.js";
import { copyText } from "./clipboard.js";
import { element } from "./element.js";
import { Plot } from "./plot.js";
import { ago, badge, rows } from "./rows.js";
import { Theme } from "./theme.js";
import { Toasts } from "./toasts.js";

const LOOK_MS = 3000;
const KEPT = 720;

const parts = Object.fromEntries(Array.from(document.querySelectorAll("[id]"), (each) => [each.id, each]));
const toasts = new Toasts(parts.toasts);
const theme = new Theme();
const plots = [
  new Plot("Written", [{ key: "tokens_per_s", label: "tokens/s" }], "/s"),
  new Plot("Time to the first token", [{ key: "ttft_s", label: "seconds" }], " s"),
  new Plot("The line", [{ key: "running", label: "being answered" }, { key: "waiting", label: "waiting" }], ""),
  new Plot("Prompts known already (KV hits)", [{ key: "kv_hit_percent", label: "percent" }], "%"),
  new Plot("Memory", [{ key: "memory_mb", label: "the daemon" }, { key: "kv_mb", label: "kept conversations" }], " MB"),
];
let samples = [];

async function attempt(work) {
  try {
    const done = await work();
    if (typeof done === "string") toasts.say(done);
    await look();
  } catch (error) {
    toasts.say(error.message, true);
  }
}

const act = (text, work, label = text) => element("button", { class: "button", type: "button", "aria-label": label, onclick: () => attempt(work) }, text);

const tile = (name, value, wide = false) => element("div", { class: wide ? "tile wide" : "tile" }, element("small", {}, name), element("strong", { title: value }, value));

function showTiles(engine) {
  // Of what is measured only now and then, the latest.
  const last = Object.assign({}, ...samples.map((each) => Object.fromEntries(Object.entries(each).filter(([, value]) => value !== null))));
  const rate = (value, unit, digits = 1) => (value === null || value === undefined ? "–" : `${value.toFixed(digits)}${unit}`);
  parts.tiles.replaceChildren(
    tile("Model", engine.loaded ? engine.model : "asleep until the next message", true),
    tile("Answering", `${engine.running} of ${engine.max_parallel}`),
    tile("Waiting", String(engine.waiting)),
    tile("Written", rate(last.tokens_per_s, " tokens/s")),
    tile("First token", rate(last.ttft_s, " s", 2)),
    tile("KV hits", rate(last.kv_hit_percent, " %", 0)),
    tile("Memory", rate(last.memory_mb, " MB", 0)));
}

function showRequests(requests) {
  parts.requests.replaceChildren(rows(["Who", "State", "Prompt", "Written", ""], requests.map((each) => [
    each.user,
    each.state === "waiting" ? badge(each.position ? `waiting, number ${each.position}` : "waiting") : badge(each.state, "good"),
    each.read ? `${each.read} tokens` : "",
    `${each.written} tokens`,
    act("Cancel", () => api.cancel(each.id).then(() => "Cancelled"), `Cancel the request of ${each.user}`),
  ]), "Nobody is being answered, and nobody waits."));
}

const PHASES = { up: ["up", "good"], retrying: ["trying again", "bad"], stopped: ["stopped", "bad"], left: ["left", ""] };

function showAdapters(adapters) {
  parts.adapters.replaceChildren(rows(["Name", "State", "Since", ""], adapters.map((each) => [
    each.name, badge(...PHASES[each.phase]), ago(each.since), element("td", { class: "wrap" }, each.reason),
  ]), "None."));
}

function showPeople(people) {
  const decide = (each, decision) => api.decide(each.code || each.id, decision).then((answer) => answer.done);
  const asks = (each) => each.role === "asks";
  const choices = (each) => {
    if (asks(each)) return [act("Let in", () => decide(each, "approve"), `Let ${each.id} in`), act("Not now", () => decide(each, "deny"), `Do not let ${each.id} in now`), act("Block", () => decide(each, "block"), `Block ${each.id}`)];
    if (each.configured) return "";
    return each.role === "blocked" ? act("Let in", () => decide(each, "approve"), `Let ${each.id} in`) : act("Block", () => decide(each, "block"), `Block ${each.id}`);
  };
  parts.people.replaceChildren(rows(["Id", "Name", "Role", ""], [...people].sort((one, other) => asks(other) - asks(one)).map((each) => [
    each.id, each.name, asks(each) ? badge(`asks with code ${each.code}`, "bad") : badge(each.configured ? `${each.role} (configuration)` : each.role), choices(each),
  ]), "Nobody was let in from a chat so far."));
}

function showBrowsers(sessions) {
  parts.browsers.replaceChildren(rows(["Who", "", "Since", ""], sessions.map((each) => [
    each.name, each.admin ? badge("admin") : "", ago(each.since),
    each.current ? "this one" : act("Log out", () => api.endSession(each.id).then(() => "Logged out"), `Log ${each.name} out`),
  ]), "None."));
}

function showClaim(code) {
  parts.claim.hidden = !code;
  parts.claim.replaceChildren("Nobody is admin in a chat yet. Whoever sends this from a chat app becomes it: ", element("code", {}, code ?? ""));
}

async function look() {
  const [state, { sessions }] = await Promise.all([api.state(), api.sessions()]);
  showTiles(state.engine);
  showRequests(state.requests);
  showAdapters(state.adapters);
  showClaim(state.claim_code);
  showPeople(state.people);
  showBrowsers(sessions);
}

parts.invite.addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = parts.invited.value;
  try {
    const { path, days } = await api.invite(name, false);
    const link = location.origin + path;
    parts.invited.value = "";
    const copy = element("button", { class: "button", type: "button", onclick: () => copyText(link).then(() => toasts.say("Copied")) }, "Copy");
    await tell(`Send this to ${name}`, element("div", {}, element("p", {}, `It logs ${name} in once, within ${days} days.`), element("code", { class: "secret" }, link), copy));
  } catch (error) {
    toasts.say(error.message, true);
  }
});

parts.plots.append(...plots.map((plot) => plot.element));
theme.attach(parts.theme);
theme.addEventListener("change", () => plots.forEach((plot) => plot.redraw()));
new EventSource("/page/admin/figures").addEventListener("message", (event) => {
  const news = JSON.parse(event.data);
  // After a break the server tells the whole hour again.
  samples = (news.whole ? news.samples : [...samples, ...news.samples]).slice(-KEPT);
  if (samples.length) plots.forEach((plot) => plot.show(samples));
});
const looking = () => (document.hidden ? Promise.resolve() : look().catch((error) => toasts.say(error.message, true)));
await looking();
setInterval(looking, LOOK_MS);
