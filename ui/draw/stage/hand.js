// A line that the visitor moves by its handles. Its loss is quadratic in its parameters, so it is computed here.

import { element, formatNumber, write } from "./parts.js";

const [DIGITS, LOSS_DIGITS] = [5, 3]; // significant ones of a parameter; decimals of the loss
const STEPS = { ArrowUp: 0.01, ArrowRight: 0.01, ArrowDown: -0.01, ArrowLeft: -0.01, PageUp: 0.1, PageDown: -0.1 };
const FINE = 0.1; // of a step, with the Shift key
const REST_MILLISECONDS = 400; // after a key, so long before Python is told

const significant = (value) => Number(value.toPrecision(DIGITS));

// Begin, go on or end with what a view's spec says. Its tracks are there by now, its figure may not be.
export function takeInHand(view) {
  const { handles } = view.spec;
  if (view.hand && view.hand.count !== handles?.at.length) {
    view.hand.close();
    view.hand = null;
  }
  if (!handles) return;
  view.hand ??= new Hand(view, handles.at.length);
  view.hand.receive(handles);
}

class Hand {
  constructor(view, count) {
    this.view = view;
    this.count = count;
    this.told = []; // what Python was told, and has not answered yet
    this.wanted = null; // what it last said
    this.grips = Array.from({ length: count }, (_, i) => this.grip(i));
    view.box.append(...this.grips);
  }

  grip(i) {
    const grip = element("div", { className: "grip", tabIndex: 0 });
    grip.setAttribute("role", "slider");
    grip.setAttribute("aria-orientation", "vertical");
    grip.onpointerdown = (event) => {
      if (event.button !== 0) return;
      grip.setPointerCapture(event.pointerId);
      this.offset = event.clientY - grip.getBoundingClientRect().top - grip.offsetHeight / 2;
      event.preventDefault();
      grip.focus({ preventScroll: true });
    };
    grip.onpointermove = (event) => {
      if (!grip.hasPointerCapture(event.pointerId)) return;
      const { yaxis } = this.view.plot._fullLayout;
      const top = this.view.plot.getBoundingClientRect().top + yaxis._offset;
      this.move(i, yaxis.p2d(event.clientY - this.offset - top));
    };
    grip.onlostpointercapture = () => this.tell();
    grip.onkeydown = (event) => {
      if (!(event.key in STEPS) || event.altKey || event.ctrlKey || event.metaKey) return;
      const [low, high] = this.range();
      this.move(i, this.heights()[i] + STEPS[event.key] * (event.shiftKey ? FINE : 1) * (high - low));
      clearTimeout(this.resting);
      this.resting = setTimeout(() => this.tell(), REST_MILLISECONDS);
      event.preventDefault();
      event.stopPropagation();
    };
    grip.onblur = () => this.tell();
    return grip;
  }

  // Python repeats what it was told, and the line may be elsewhere by now; anything else it says is news
  receive(handles) {
    this.handles = handles;
    const said = String(handles.theta);
    const answered = this.told.indexOf(said);
    if (answered >= 0) this.told.splice(0, answered + 1);
    else if (said !== this.wanted) this.theta = [...handles.theta];
    this.wanted = said;
    this.view.caption.classList.add("live");
    this.fill();
  }

  line() { return this.count > 1 ? this.theta : [0, this.theta[0]]; }

  heights() {
    const [intercept, slope] = this.line();
    return this.handles.at.map((x) => intercept + slope * x);
  }

  range() { return this.view.plot._fullLayout.yaxis.range; }

  loss() {
    const { theta, loss, gradient, hessian } = this.handles;
    const off = this.theta.map((value, i) => value - theta[i]);
    let sum = loss;
    off.forEach((one, i) => {
      sum += gradient[i] * one;
      off.forEach((other, j) => { sum += 0.5 * one * hessian[i * this.count + j] * other; });
    });
    return Math.max(0, sum);
  }

  // put one handle at a height inside the picture; the other one stays
  move(i, height) {
    const [low, high] = this.range();
    const heights = this.heights();
    heights[i] = Math.max(low, Math.min(high, height));
    const { at } = this.handles;
    if (this.count > 1) {
      const slope = significant((heights[1] - heights[0]) / (at[1] - at[0]));
      this.theta = [significant(heights[i] - slope * at[i]), slope];
    } else this.theta = [significant(heights[0] / at[0])];
    this.fill();
    this.view.stage.draw(true);
  }

  // into the visitor's own track, from which the line and, where they are there, the numbers below are drawn
  fill() {
    const { stage, spec } = this.view;
    const { values } = stage.tracks[0];
    const put = (name, value) => { if (values[name]) values[name][0] = value; };
    this.line().forEach((value, i) => put(spec.line[i], value));
    this.handles.names.forEach((name, i) => put(name, this.theta[i]));
    put("loss", this.loss());
    write(this.view.caption, `${spec.caption}: loss ${this.lossInWords()}`);
  }

  lossInWords() { return formatNumber(this.loss(), LOSS_DIGITS); }

  // the handles to where the line is; to be called with each drawing
  place() {
    const [, top, , height] = this.view.clip;
    const [low, high] = this.range();
    this.heights().forEach((value, i) => {
      const [x, y] = this.view.project(this.handles.at[i], value);
      const grip = this.grips[i];
      grip.style.translate = `${x}px ${Math.max(top, Math.min(top + height, y))}px`;
      for (const [name, text] of Object.entries({
        label: `Height of your line at x = ${formatNumber(this.handles.at[i], 2)}`,
        valuemin: low, valuemax: high, valuenow: value,
        valuetext: `${formatNumber(value, 3)}, loss ${this.lossInWords()}`,
      })) grip.setAttribute(`aria-${name}`, text);
    });
  }

  tell() {
    clearTimeout(this.resting);
    const said = String(this.theta);
    if (said === (this.told.at(-1) ?? this.wanted)) return;
    this.told.push(said);
    this.view.stage.trigger("start", this.theta);
  }

  close() {
    clearTimeout(this.resting);
    this.view.caption.classList.remove("live");
    for (const grip of this.grips) grip.remove();
  }
}
