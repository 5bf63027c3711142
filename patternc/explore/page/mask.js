// The mask: a window of squares of 2^k tokens, drawn from their levels.

import { ask } from "./ask.js";
import { state } from "./state.js";

const SQUARES = 96;
const OPACITY = [0, 0.2, 0.34, 0.52, 0.74, 1];
const canvas = document.getElementById("mask");
const told = document.getElementById("window");

// The window begins at square (top, left); the cursor is a square of it.
export const view = { cell: 1, top: 0, left: 0, queries: 1, keys: 1, row: 0, column: 0 };
let levels = [];
let field = [];
let pointed = () => {};

export function onPoint(call) {
  pointed = call;
}

export function fit() {
  const side = Math.max(view.queries, view.keys, state.n);
  view.cell = 2 ** Math.ceil(Math.log2(Math.max(1, side / SQUARES)));
  view.top = view.left = 0;
}

export function zoom(factor, row = view.row, column = view.column) {
  const most = 2 ** Math.ceil(Math.log2(Math.max(view.queries, view.keys) / SQUARES));
  const cell = Math.min(Math.max(view.cell * factor, 1), Math.max(most, 1));
  if (cell === view.cell) return;
  const query = (view.top + row + 0.5) * view.cell;
  const key = (view.left + column + 0.5) * view.cell;
  view.cell = cell;
  view.top = Math.round(query / cell - row - 0.5);
  view.left = Math.round(key / cell - column - 0.5);
  keep();
}

export function move(down, right) {
  view.top += down;
  view.left += right;
  keep();
}

// The window with a pair in its middle, one token a square.
export function goTo(query, key) {
  const half = SQUARES / 2;
  Object.assign(view, { cell: 1, top: query - half, left: key - half });
  keep();
  Object.assign(view, { row: query - view.top, column: key - view.left });
}

function keep() {
  const last = (size) => Math.max(0, Math.ceil(size / view.cell) - SQUARES);
  view.top = Math.min(Math.max(view.top, 0), last(view.queries));
  view.left = Math.min(Math.max(view.left, 0), last(view.keys));
}

export async function update() {
  const { cell, top, left } = view;
  const { text, n, layer, head } = state;
  const asked = { text, n, layer, head, cell, top, left, height: SQUARES, width: SQUARES };
  const answer = await ask("mask", asked);
  if (answer === null) return null;
  if (answer.levels) {
    Object.assign(view, { queries: answer.queries, keys: answer.keys });
    levels = answer.levels;
  } else {
    levels = [];
  }
  draw();
  return answer;
}

// Runs of keys that are lit in a row of their own; [] for none.
export function show(runs) {
  field = runs;
  draw();
}

function squares() {
  const whole = Math.ceil(Math.max(view.queries, view.keys) / view.cell);
  return Math.min(SQUARES, Math.max(whole, 1));
}

export function draw() {
  const size = Math.round(canvas.clientWidth * devicePixelRatio) || 576;
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const style = getComputedStyle(document.documentElement);
  const paint = canvas.getContext("2d");
  const side = size / squares();
  const edge = (at) => Math.round(at * side);
  paint.clearRect(0, 0, size, size);
  paint.fillStyle = style.getPropertyValue("--held");
  levels.forEach((line, row) => {
    for (let column = 0; column < line.length; column++) {
      if (line[column] === "0") continue;
      paint.globalAlpha = OPACITY[line[column]];
      paint.fillRect(edge(column), edge(row), edge(column + 1) - edge(column), edge(row + 1) - edge(row));
    }
  });
  paint.globalAlpha = 0.55;
  paint.fillStyle = style.getPropertyValue("--reach");
  const row = Math.floor(view.query / view.cell) - view.top;
  for (const [start, stop] of field) {
    const from = edge(Math.max(start / view.cell - view.left, 0));
    const to = edge(Math.min(stop / view.cell - view.left, squares()));
    if (to > from) paint.fillRect(from, edge(row), Math.max(to - from, 1), Math.max(edge(row + 1) - edge(row), 3));
  }
  paint.globalAlpha = 1;
  paint.strokeStyle = style.getPropertyValue("--ink");
  paint.lineWidth = Math.max(1, devicePixelRatio);
  paint.strokeRect(edge(view.column), edge(view.row), side, side);
  const stop = (first, whole) => Math.min((first + squares()) * view.cell, whole).toLocaleString("en");
  const start = (first) => (first * view.cell).toLocaleString("en");
  const each = view.cell === 1 ? "1 token" : `${view.cell.toLocaleString("en")} tokens`;
  told.textContent =
    `queries ${start(view.top)} to ${stop(view.top, view.queries)}, ` +
    `keys ${start(view.left)} to ${stop(view.left, view.keys)}, ${each} a square`;
}

// The tokens in the middle of the square of the cursor.
export function pair() {
  const middle = (square, whole) =>
    Math.min(square * view.cell + Math.floor(view.cell / 2), whole - 1);
  return {
    query: middle(view.top + view.row, view.queries),
    key: middle(view.left + view.column, view.keys),
  };
}

function point(row, column) {
  const last = squares() - 1;
  const next = [row, column].map((at) => Math.min(Math.max(at, 0), last));
  if (next[0] === view.row && next[1] === view.column) return;
  [view.row, view.column] = next;
  draw();
  pointed();
}

function squareAt(event) {
  const box = canvas.getBoundingClientRect();
  const at = (position, start, length) => Math.floor(((position - start) / length) * squares());
  return [at(event.clientY, box.top, box.height), at(event.clientX, box.left, box.width)];
}

let dragged = null;

canvas.addEventListener("pointerdown", (event) => {
  dragged = squareAt(event);
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointerup", (event) => {
  dragged = null;
  point(...squareAt(event));
});
canvas.addEventListener("pointermove", (event) => {
  const [row, column] = squareAt(event);
  if (dragged && (row !== dragged[0] || column !== dragged[1])) {
    move(dragged[0] - row, dragged[1] - column);
    dragged = [row, column];
    update();
  } else if (!dragged) {
    point(row, column);
  }
});
canvas.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    zoom(event.deltaY > 0 ? 2 : 0.5, ...squareAt(event));
    update();
  },
  { passive: false },
);

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const step = ARROWS[event.key];
  if (step && event.shiftKey) move(step[0] * 16, step[1] * 16);
  else if (step) return event.preventDefault(), point(view.row + step[0], view.column + step[1]);
  else if (event.key === "+" || event.key === "=") zoom(0.5);
  else if (event.key === "-") zoom(2);
  else if (event.key === "0") fit();
  else return;
  event.preventDefault();
  update();
});
addEventListener("resize", draw);
