// What is looked at, kept in the address so that it can be shared and reloaded.

export const state = { text: "", n: 4096, layer: 0, head: 0, other: "" };

const NUMBERS = ["n", "layer", "head"];

export function load() {
  const found = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of found) {
    if (name in state) state[name] = NUMBERS.includes(name) ? Number(value) || 0 : value;
  }
}

export function store() {
  const kept = Object.entries(state).filter(([, value]) => value !== "" && value !== 0);
  history.replaceState(null, "", `#${new URLSearchParams(kept)}`);
}

// "4096", "4k", "1e6", "1m": a number of tokens; null where it is none.
export function tokens(text) {
  const found = /^([\d_,]+(?:\.\d+)?(?:e\d+)?)\s*([kmg]?)$/i.exec(text.trim());
  if (!found) return null;
  const scale = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[found[2].toLowerCase()];
  const count = Number(found[1].replace(/[_,]/g, "")) * scale;
  return Number.isInteger(count) && count >= 1 && count < 2 ** 31 ? count : null;
}
