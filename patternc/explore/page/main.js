// The page: what is typed is checked, drawn, explained, compared and counted.

import { ask } from "./ask.js";
import * as editor from "./editor.js";
import * as mask from "./mask.js";
import { load, state, store, tokens } from "./state.js";

const at = (name) => document.getElementById(name);
const inputs = Object.fromEntries(["text", "n", "layer", "head", "other"].map((name) => [name, at(name)]));

function filled() {
  for (const [name, input] of Object.entries(inputs)) input.value = state[name];
}

async function check() {
  store();
  const found = await ask("check", { text: state.text });
  if (found === null) return;
  if (found.error) return say(found.error);
  editor.light([]);
  editor.tell(found.diagnostics);
  const failed = found.diagnostics.some((item) => item.severity === "error");
  document.body.classList.toggle("stale", failed);
  if (failed) return say("");
  bound("layer", found.layers);
  bound("head", found.heads);
  if (found.lengths && (state.n < found.lengths[0] || state.n > found.lengths[1])) {
    state.n = found.lengths[1];
    filled();
    store();
  }
  restart();
}

function bound(name, count) {
  inputs[name].max = (count ?? 1) - 1;
  inputs[name].disabled = !count || count === 1;
  state[name] = Math.min(state[name], (count ?? 1) - 1);
  inputs[name].value = state[name];
}

function say(message) {
  at("summary").textContent = message;
}

// Another program, length, layer or head: the whole mask, and all that was asked before again.
async function restart() {
  Object.assign(mask.view, { queries: state.n, keys: state.n });
  mask.fit();
  at("depth").value = 0;
  field();
  const found = await mask.update();
  if (found === null) return;
  say(found.error ?? found.caption);
  if (found.keys !== state.n) (mask.fit(), mask.update());
  compare();
  cost();
}

async function explain() {
  const { text, n, layer, head } = state;
  const found = await ask("why", { text, n, layer, head, cell: mask.view.cell, ...mask.pair() });
  if (found === null) return;
  const verb = found.sees ? "attends to" : "does not attend to";
  const number = (value) => value.toLocaleString("en");
  at("why").textContent =
    found.error ?? `query ${number(found.query)} ${verb} key ${number(found.key)}: ${found.text}`;
  editor.light(found.places ?? []);
  if (!found.error) mask.view.query = found.query;
  at("row").value = found.error ? "-" : number(found.query);
  field();
}

async function field() {
  const count = Number(at("depth").value);
  at("after").value = count;
  if (!count || mask.view.query === undefined) return mask.show([]);
  const found = await ask("reach", { text: state.text, n: state.n, count, query: mask.view.query });
  if (found === null) return;
  if (found.error) at("why").textContent = found.error;
  mask.show(found.error ? [] : found.layers.at(-1));
}

async function compare() {
  at("witness").hidden = true;
  if (!at("compare").open || !state.other.trim()) return void (at("difference").textContent = "");
  const found = await ask("diff", { text: state.text, other: state.other });
  if (found === null) return;
  const first = found.diagnostics?.[0];
  at("difference").textContent =
    found.text ?? found.error ?? `${first.code}: ${first.title} ${first.help}`;
  const pair = found.witness;
  at("witness").hidden = !pair;
  at("witness").onclick = () => {
    Object.assign(state, { n: pair.n, layer: pair.layer, head: pair.head });
    filled();
    store();
    restart().then(() => {
      mask.goTo(pair.query, pair.key);
      mask.update();
      explain();
    });
  };
}

async function cost() {
  if (!at("cost").open) return;
  at("report").textContent = "..";
  const found = await ask("report", { text: state.text, n: state.n });
  if (found !== null) at("report").textContent = found.text ?? found.error ?? "";
}

function typed(name, read) {
  const input = inputs[name];
  input.addEventListener("input", () => {
    const value = read(input.value);
    input.setCustomValidity(value === null ? "expected a number of tokens, as 4096, 4k or 1e6" : "");
    if (value === null) return input.reportValidity();
    state[name] = value;
    store();
    if (name === "text") check();
    else if (name === "other") compare();
    else restart();
  });
}

typed("text", String);
typed("other", String);
typed("n", tokens);
for (const name of ["layer", "head"]) {
  typed(name, (value) => Math.min(Math.max(Number(value) || 0, 0), Number(inputs[name].max)));
}
at("depth").addEventListener("input", field);
at("compare").addEventListener("toggle", compare);
at("cost").addEventListener("toggle", cost);
at("in").onclick = () => (mask.zoom(0.5), mask.update());
at("out").onclick = () => (mask.zoom(2), mask.update());
at("fit").onclick = () => (mask.fit(), mask.update());
mask.onPoint(explain);

function open() {
  load();
  filled();
  if (state.other) at("compare").open = true;
  check();
}

addEventListener("hashchange", open);
open();
