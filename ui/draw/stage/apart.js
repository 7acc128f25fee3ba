// One step of each racer, taken apart: a row for each quantity, a column for each racer, and arrows on the map.
//
// Under the stage, and moved by its index. What stands there is the step that begins at the record shown.

import { Guess } from "./guess.js";
import { element, floats, swatch, write } from "./parts.js";

const DIGITS = 5; // significant ones: three of a result come out right
const ARROW = 46; // pixels: of the arrows that show a direction only
const [GRADIENT, MOVE, COUNT] = ["g", "\\Delta", "t"];
const LEGEND = "On the map, from each racer: a thin arrow against the gradient g, a dashed one against its memory (m or v), "
  + "both for the direction alone; the thick one is the move, in its true length.";

// Open, refill or take away what a message says: the steps, false for a closed one, or undefined for none.
export function takeApart(stage, message) {
  if (message === undefined) {
    stage.apart?.close();
    stage.apart = null;
    return;
  }
  stage.apart ??= new Apart(stage);
  stage.apart.receive(message);
}

// a number in five significant digits, in powers of ten where it is large or small
export function formatSignificant(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-4)) return value.toExponential(DIGITS - 1).replace(/-/g, "−").replace("e+", "e");
  return (size ? value.toPrecision(DIGITS) : "0").replace("-", "−");
}

const format = (symbol, value) => (symbol === COUNT && value > 0 ? String(value) : formatSignificant(value));
const inFormula = (symbol, value) => (value < 0 ? `(${format(symbol, value)})` : format(symbol, value));
// as on its slider: 0.02, and not 0.020000
const formatKnob = (value) => formatSignificant(value).replace(/(\.\d*?)0+(?=$|e)/, (_, kept) => (kept === "." ? "" : kept));

class Apart {
  constructor(stage) {
    this.stage = stage;
    this.pointed = this.focused = this.lit = null; // the symbol that is pointed at, or else has the focus
    this.switch = element("button", { type: "button", className: "apart-switch", textContent: "One step, taken apart" });
    this.switch.onclick = () => stage.trigger("apart", this.message ? "off" : "on");
    this.body = element("div", { className: "apart-body", hidden: true });
    this.box = element("section", { className: "apart" }, this.switch, this.body);
    this.box.setAttribute("aria-label", "One step, taken apart");
    const symbolOf = ({ target }) => target.closest?.("[data-symbol]")?.dataset.symbol ?? null;
    this.box.addEventListener("pointerover", (event) => { this.pointed = symbolOf(event); this.light(); });
    this.box.addEventListener("pointerleave", () => { this.pointed = null; this.light(); });
    this.box.addEventListener("focusin", (event) => { this.focused = symbolOf(event); this.light(); });
    this.box.addEventListener("focusout", () => { this.focused = null; this.light(); });
    this.box.addEventListener("keydown", (event) => { // the arrow keys step here too
      if (!event.target.matches("pre")) stage.onKey(event);
    });
    stage.root.after(this.box);
  }

  receive(message) {
    this.switch.setAttribute("aria-expanded", Boolean(message));
    this.switch.disabled = Boolean(message.fixed); // in a page of its own there is no server to ask
    this.body.hidden = !message;
    this.writers = [];
    this.columns = [];
    this.message = message;
    if (!message) return void this.body.replaceChildren();
    const { racers, coordinates } = message;
    for (const racer of Object.values(racers)) {
      racer.floats = Object.fromEntries(Object.entries(racer.values).map(([symbol, parts]) => [symbol, parts.map(floats)]));
    }
    this.tracks = this.stage.tracks.filter(({ name }) => racers[name]);
    if (!racers[this.chosen]) this.chosen = this.tracks[0].name;
    if (!(this.coordinate < coordinates.length)) this.coordinate = 0;
    this.when = element("strong", { className: "apart-when" }, " ");
    this.guess ??= new Guess(this);
    this.body.replaceChildren(
      element("div", { className: "apart-bar" }, this.when, ...this.choices()),
      element("div", { className: "apart-scroll" }, this.table()),
      this.guess.fill(coordinates),
      this.knobs = element("div", { className: "apart-knobs" }),
      this.codes = element("pre", { className: "apart-code", tabIndex: 0 }),
      element("p", { className: "apart-legend", textContent: LEGEND }));
    this.fillChosen();
  }

  choices() {
    const { coordinates } = this.message;
    const choose = (label, names, chosen, set) => {
      const select = element("select", { onchange: () => set(select.value) },
        ...names.map(([value, text]) => element("option", { value, textContent: text, selected: value === String(chosen) })));
      return element("label", {}, `${label} `, select);
    };
    const found = [];
    if (this.tracks.length > 1) {
      found.push(choose("look closely at", this.tracks.map(({ name }) => [name, name]), this.chosen, (name) => {
        this.chosen = name;
        this.fillChosen();
        this.stage.draw(true);
      }));
    }
    if (coordinates.length > 1) {
      found.push(choose("numbers of", coordinates.map(({ label }, i) => [String(i), label]), this.coordinate, (i) => {
        this.coordinate = +i;
        this.stage.draw(true);
      }));
    }
    return [...found, this.guess.choice()];
  }

  table() {
    const { rows, racers, coordinates } = this.message;
    const heads = this.tracks.map((track) => element("th", { scope: "col" }, swatch(track), ` ${track.name}`));
    const table = element("table", {}, element("thead", {}, element("tr", {}, element("td"), ...heads)));
    table.style.setProperty("--columns", this.tracks.length);
    const lines = rows.map(({ symbol, math, words, name: spoken }) => {
      const button = element("button", { type: "button", innerHTML: math, ariaLabel: spoken });
      button.dataset.symbol = symbol;
      const head = element("th", { scope: "row" }, button, " ", element("span", { textContent: words }));
      return element("tr", {}, head, ...this.tracks.map(({ name }) => this.cell(racers[name], name, symbol, coordinates)));
    });
    table.append(element("tbody", {}, ...lines));
    this.tracks.forEach(({ name }, i) => this.columns.push([name, [heads[i], ...lines.map((line) => line.children[i + 1])]]));
    return table;
  }

  cell(racer, name, symbol, coordinates) {
    const made = element("td");
    const values = racer.floats[symbol];
    const line = racer.cells[symbol];
    if (!values) return made;
    if (line) {
      const numbers = element("div", { className: "apart-numbers", innerHTML: line.numbers });
      made.append(element("div", { className: "apart-formula", innerHTML: line.formula }), ...(line.numbers ? [numbers] : []));
      for (const part of numbers.querySelectorAll("[data-value]")) {
        this.writers.push({ part, name, symbol: part.dataset.value, parts: racer.floats[part.dataset.value] ?? [], coordinate: null });
      }
    }
    const result = element("div", { className: "apart-value" });
    result.dataset.symbol = symbol;
    const labels = coordinates.map(({ label }) => label);
    const names = values.length > labels.length ? labels.flatMap((row) => labels.map((column) => row + column)) : labels; // of a matrix
    values.forEach((_, i) => {
      const part = element("span", {}, "–");
      result.append(element("span", { className: "apart-one" }, ...(values.length > 1 ? [`${names[i]} `] : []), part));
      this.writers.push({ part, name, symbol, parts: values, coordinate: i });
    });
    made.append(result);
    return made;
  }

  // what is shown of the one racer that is looked at closely
  fillChosen() {
    const { knobs, code, rule } = this.message.racers[this.chosen];
    this.knobs.replaceChildren(...knobs.map(({ symbol, math, words }) => {
      const button = element("button", { type: "button" }, element("span", { innerHTML: math }), ` ${words}`);
      button.dataset.symbol = symbol;
      return button;
    }));
    this.codes.innerHTML = code;
    this.codes.setAttribute("aria-label", `The code of ${rule}`);
    this.guess.clear();
    for (const [name, cells] of this.columns) for (const cell of cells) cell.classList.toggle("chosen", name === this.chosen);
    this.showLit();
  }

  // a number of a racer at a record; of a quantity with one number, that
  value(name, symbol, coordinate, record) {
    const parts = this.message.racers[name].floats[symbol];
    return parts[Math.min(coordinate, parts.length - 1)][record];
  }

  write(record) {
    if (!this.message) return;
    this.record = record;
    const { steps, last, index, hidden } = this.stage;
    const [step, next] = [steps[record], steps[Math.min(record + 1, last)]];
    const later = next > step + 1 ? `; the next record is ${index.label} ${next}` : "";
    write(this.when, record < last ? `From ${index.label} ${step} to ${step + 1}${later}` : `${index.label} ${step}: no step follows`);
    this.guess.follow(record);
    for (const { part, name, symbol, parts, coordinate } of this.writers) {
      const value = parts[Math.min(coordinate ?? this.coordinate, parts.length - 1)]?.[record];
      const isKnob = this.message.racers[name].turned.includes(symbol);
      const shown = isKnob ? formatKnob(value) : coordinate === null ? inFormula(symbol, value) : format(symbol, value);
      const text = this.guess.hides(name, symbol) ? "?" : shown;
      write(part, text);
    }
    for (const [name, cells] of this.columns) for (const cell of cells) cell.hidden = hidden.has(name);
  }

  light() {
    const symbol = this.pointed ?? this.focused;
    if (symbol === this.lit) return;
    this.lit = symbol;
    this.showLit();
    if (this.message) this.stage.draw(false);
  }

  showLit() {
    const symbol = this.lit;
    for (const part of this.body.querySelectorAll("[data-symbol]")) part.classList.toggle("lit", part.dataset.symbol === symbol);
  }

  // ---- on the map

  // where the view has both coordinates on its axes, or the one there is along x
  isMap({ spec }) {
    const { coordinates } = this.message;
    return spec.path.length === 2 && coordinates.every(({ quantity }, i) => spec.path[i] === quantity);
  }

  drawArrows(view, pen, track) {
    const racer = this.message && this.message.racers[track.name];
    if (!racer || !this.isMap(view)) return;
    const record = Math.floor(view.stage.at + 1e-6);
    const vector = (symbol, sign) => [0, 1].map((i) => (racer.floats[symbol][i] ? sign * racer.floats[symbol][i][record] : 0));
    const from = view.spec.path.map((quantity) => track.values[quantity][record]);
    const { scale } = view.stage;
    const ink = view.stage.color("var(--st-text-color)");
    const draw = (symbol, tip, width, dash) => {
      const [start, end] = [view.project(...from), tip];
      const lit = this.lit === symbol;
      arrow(pen, start, end, { color: lit ? ink : track.color, width: (lit ? width + 2 : width) * scale, dash, scale });
    };
    const direction = (symbol) => {
      const [start, end] = [view.project(...from), view.project(...along(view, from, vector(symbol, -1)))];
      const length = Math.hypot(end[0] - start[0], end[1] - start[1]);
      return start.map((place, i) => place + (ARROW * scale * (end[i] - place)) / length);
    };
    draw(GRADIENT, direction(GRADIENT), 1.4, []);
    if (racer.memory) draw(racer.memory, direction(racer.memory), 1.8, [4, 3]);
    if (!this.guess.hides(track.name, MOVE)) draw(MOVE, view.project(...from.map((x, i) => x + vector(MOVE, 1)[i])), 3, []);
  }

  // whether the visitor is to find the step of a racer
  hidesMove({ name }) { return Boolean(this.message) && this.guess.hides(name, MOVE); }

  close() {
    this.box.remove();
    this.message = null;
  }
}

// a place so far along a direction that its length can be told on the screen
function along(view, from, direction) {
  const { xaxis, yaxis } = view.plot._fullLayout;
  const spans = [xaxis, yaxis].map(({ range: [low, high] }) => Math.abs(high - low));
  const share = Math.max(...direction.map((part, i) => Math.abs(part) / spans[i]));
  return from.map((place, i) => place + direction[i] / share);
}

function arrow(pen, [x0, y0], [x1, y1], { color, width, dash, scale }) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (!(length > 1 && length < 1e5)) return;
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
  const tip = Math.min((5 + 2 * width) * scale, length);
  pen.strokeStyle = pen.fillStyle = color;
  pen.globalAlpha = 1;
  pen.lineWidth = width;
  pen.setLineDash(dash.map((part) => part * scale));
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1 - tip * ux, y1 - tip * uy);
  pen.stroke();
  pen.setLineDash([]);
  pen.beginPath();
  for (const [on, aside] of [[0, 0], [-tip, tip / 2.4], [-tip, -tip / 2.4]]) pen.lineTo(x1 + on * ux - aside * uy, y1 + on * uy + aside * ux);
  pen.fill();
}
