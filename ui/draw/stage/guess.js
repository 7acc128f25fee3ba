// "Hide the last line": the move and the new point of the racer that is looked at closely are hidden until the student has
// computed the point. Three significant digits are enough.

import { formatSignificant } from "./apart.js";
import { element } from "./parts.js";

const HIDDEN = new Set(["\\Delta", "x", "L"]); // what follows from the rest: the move, the new point and its loss
const DIGITS = 3;

export class Guess {
  constructor(apart) {
    this.apart = apart;
    this.on = false;
    this.solved = null; // the racer and record that the right point was typed for
  }

  choice() {
    const box = element("input", { type: "checkbox", checked: this.on });
    box.onchange = () => {
      this.on = box.checked;
      this.form.hidden = !this.on;
      this.clear();
      this.apart.stage.draw(true);
    };
    return element("label", { className: "apart-hide" }, box, " hide the last line");
  }

  fill(coordinates) {
    this.fields = coordinates.map(({ label }) => {
      const field = element("input", { type: "text", inputMode: "text", autocomplete: "off", spellcheck: false });
      field.setAttribute("aria-label", `New ${label}, in three digits`);
      return field;
    });
    this.words = element("span", { className: "apart-answer" });
    this.words.setAttribute("role", "status");
    this.form = element("form", { className: "apart-guess", hidden: !this.on },
      element("span", { textContent: "The new point:" }),
      ...this.fields.map((field, i) => element("label", {}, `${coordinates[i].label} `, field)),
      element("button", { type: "submit", textContent: "Check" }), this.words);
    this.form.onsubmit = (event) => { event.preventDefault(); this.check(); };
    return this.form;
  }

  here() { return `${this.apart.chosen} ${this.apart.record} ${this.apart.stage.message.id}`; }

  hides(name, symbol) { return this.on && name === this.apart.chosen && HIDDEN.has(symbol) && this.solved !== this.here(); }

  // at another step, what was typed is of the past
  follow() {
    if (this.on && this.at !== this.here()) this.clear();
    this.at = this.here();
  }

  clear() {
    this.solved = null;
    for (const field of this.fields) field.value = "";
    this.words.textContent = "";
    this.words.className = "apart-answer";
  }

  check() {
    const { apart } = this;
    const point = this.fields.map((_, i) => apart.value(apart.chosen, "x", i, apart.record));
    if (!point.every(Number.isFinite)) return this.say("", "No step follows here: go back a step.");
    const typed = this.fields.map(({ value }) => parseNumber(value));
    const unread = typed.findIndex((value) => !Number.isFinite(value));
    const labels = apart.message.coordinates.map(({ label }) => label);
    if (unread >= 0) return this.say("wrong", `Type a number for ${labels[unread]}, such as −0.123.`);
    const wrong = labels.filter((_, i) => !isClose(typed[i], point[i]));
    if (wrong.length) return this.say("wrong", `Not yet: ${wrong.join(" and ")} ${wrong.length > 1 ? "differ" : "differs"}. Take the last line again.`);
    this.solved = this.here();
    this.say("right", `Right: (${point.map(formatSignificant).join(", ")}).`);
    apart.stage.draw(true);
  }

  say(kind, words) {
    this.words.className = `apart-answer ${kind}`;
    this.words.textContent = words;
  }
}

// as it is typed: with a hyphen or a minus sign, a point or a comma
const parseNumber = (text) => (text.trim() ? Number(text.trim().replace("−", "-").replace(",", ".").replace(/\s/g, "")) : NaN);

// within one unit of the third significant digit: cut off or rounded, it is right
export function isClose(typed, value) {
  const size = Math.abs(value);
  return Math.abs(typed - value) <= (size ? 10 ** (Math.floor(Math.log10(size)) - DIGITS + 1) : 1e-6) * 1.001;
}
