// A page to take home: title, set-up, legend, the views as they stand, the step and the numbers; all of it as SVG.

import { freeze, usePens } from "./freeze.js";

const FONT = "'Segoe UI', Roboto, Helvetica, Arial, sans-serif"; // no web font: a picture that is opened elsewhere has none
export const MONO = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const MARGIN = 20;
const MIN_WIDTH = 340;
const ROW = 22;
const PARTS_OF_A_PIXEL = 100; // exact enough for a path

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const ruler = document.createElement("canvas").getContext("2d");

export function widthOf(text, size, weight = 400, font = FONT) {
  ruler.font = `${weight} ${size}px ${font}`;
  return ruler.measureText(text).width;
}

// Texts in lines, each no wider than `width`; a text is broken between two only where it is too long by itself.
function inLines(texts, size, width, between = " · ") {
  const lines = [""];
  const add = (text, joint) => {
    const longer = lines.at(-1) ? lines.at(-1) + joint + text : text;
    if (widthOf(longer, size) <= width || !lines.at(-1)) lines[lines.length - 1] = longer;
    else lines.push(text);
  };
  for (const text of texts) {
    if (widthOf(text, size) <= width) add(text, between);
    else text.split(" ").forEach((word, i) => add(word, i ? " " : between));
  }
  return lines.filter(Boolean);
}

// A caption without what only the page can do.
export const captionOf = (spec) => (spec.click ? spec.caption.replace(/(^| · )click to .*$/, "") : spec.caption);

export class Sheet {
  // `words`: title, settings, labels (what the legend says of a racer by its name). `table`: with the numbers of the moment.
  // `change` may change the sheet before it is laid out
  constructor(stage, words, table, change = () => {}) {
    this.live = stage;
    this.stage = freeze(stage);
    this.views = [...this.stage.views.values()];
    const style = getComputedStyle(stage.root);
    const named = (name, other) => style.getPropertyValue(name).trim() || other;
    this.colors = { paper: named("--st-background-color", "#ffffff"), ink: style.color, edge: named("--st-border-color", "#cccccc") };
    this.words = words;
    change(this);
    if (!this.views.length) throw new Error("no view is drawn");
    this.layOut(table);
  }

  text(x, y, text, { size = 13, weight = 400, font = FONT, anchor = "start", opacity = 1 } = {}) {
    const look = `font-family="${escape(font)}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" opacity="${opacity}"`;
    return `<text x="${x}" y="${y}" ${look} fill="${this.colors.ink}" xml:space="preserve">${escape(text)}</text>`;
  }

  layOut(table) {
    const boxes = this.views.map((view) => view.box.getBoundingClientRect());
    const [left, top] = ["left", "top"].map((side) => Math.min(...boxes.map((box) => box[side])));
    const inside = Math.max(MIN_WIDTH, Math.max(...boxes.map((box) => box.right)) - left);
    this.width = Math.ceil(inside + 2 * MARGIN);
    this.parts = [];
    let y = MARGIN;
    if (this.words.title) this.parts.push(this.text(MARGIN, (y += 20), this.words.title, { size: 22, weight: 700 }));
    for (const line of inLines(this.words.settings, 14, inside)) this.parts.push(this.text(MARGIN, (y += 22), line, { size: 14 }));
    y = this.legend(y + 12, inside);
    this.places = this.views.map((view, i) => ({
      view, x: MARGIN + boxes[i].left - left, y: y + boxes[i].top - top, width: boxes[i].width, height: boxes[i].height,
    }));
    y += Math.max(...boxes.map((box) => box.bottom)) - top;
    this.when = [MARGIN, (y += 26)];
    if (table && stage.message.table !== false) y = this.numbers(y + 10, inside);
    this.height = Math.ceil(y + MARGIN);
  }

  get tracks() { return this.stage.tracks.filter((track) => !this.stage.hidden.has(track.name)); }

  legend(y, inside) {
    let x = MARGIN;
    for (const track of this.tracks) {
      const label = this.words.labels[track.name] ?? track.name;
      const wide = 36 + widthOf(label, 13) + 18;
      if (x > MARGIN && x + wide - 18 > MARGIN + inside) [x, y] = [MARGIN, y + ROW];
      this.parts.push(this.swatch(x, y + 11, track), this.text(x + 34, y + 15.5, label));
      x += wide;
    }
    return y + ROW + 10;
  }

  swatch(x, y, { color, dash, marker }) {
    const corners = marker.map(([dx, dy]) => `${x + 14 + 5.5 * dx},${y + 5.5 * dy}`).join(" ");
    return `<path d="M${x} ${y}h28" stroke="${color}" stroke-width="2.4" stroke-dasharray="${dash.join(" ") || "none"}"/>`
      + `<polygon points="${corners}" fill="${color}"/>`;
  }

  // the table under the views, as the page shows it now
  numbers(y, inside) {
    const texts = (cells) => Array.from(cells, (cell) => cell.textContent.trim());
    const head = texts(this.live.root.querySelector(".numbers tr").cells);
    const rows = this.tracks.map((track) => [track.name, ...texts(track.cells)]);
    const columns = head.length - 2; // between the name, and the words on how it ended
    const name = Math.max(...[head, ...rows].map((row) => widthOf(row[0], 13))) + 48;
    const wide = Math.min(110, (inside - name) / columns);
    const line = (cells, font, weight) => {
      const words = cells.at(-1);
      const end = MARGIN + name + columns * wide;
      const fits = end + 16 + widthOf(words, 13) <= MARGIN + inside;
      cells.slice(1, -1).forEach((cell, i) => this.parts.push(this.text(MARGIN + name + (i + 1) * wide, y + 15, cell, { font, weight, anchor: "end" })));
      if (words && !fits) y += 18; // they have a line of their own
      if (words) this.parts.push(this.text(fits ? end + 16 : MARGIN + 34, y + 15, words));
      y += ROW;
      this.parts.push(`<path d="M${MARGIN} ${y}h${inside}" stroke="${this.colors.edge}"/>`);
    };
    this.parts.push(this.text(MARGIN, y + 15, head[0], { weight: 600 }));
    line(head, FONT, 600);
    this.tracks.forEach((track, i) => {
      this.parts.push(this.swatch(MARGIN, y + 11, track), this.text(MARGIN + 34, y + 15, track.name));
      line(rows[i], MONO, 400);
    });
    return y;
  }

  // The still figures, as Plotly draws them: planes as vectors, scenes as a picture. `report` is told after each, of how many.
  async drawStill(report) {
    this.still = [];
    for (const { view, x, y, width, height } of this.places) {
      this.still.push(`<g transform="translate(${x} ${y})">${await this.figure(view)}</g>`
        + `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="none" stroke="${this.colors.edge}"/>`
        + this.text(x + 10, y + 17, captionOf(view.spec), { size: 12, opacity: 0.75 }));
      await report(this.still.length / this.places.length);
    }
  }

  // what Plotly is given of a view
  given(view) { return Object.getPrototypeOf(view).plot; } // the live one: Plotly draws a copy of it

  async figure(view) {
    const { _fullLayout: full } = view.plot;
    const { data, layout } = this.given(view);
    const { clientWidth: width, clientHeight: height } = view.plot;
    if (!view.missing.hidden) return this.text(width / 2, height / 2, "This surface is not drawn in this browser.", { anchor: "middle" });
    const as = { ...layout, width, height, autosize: false };
    if (full.scene) as.scene = { ...layout.scene, camera: view.scene().getCamera() };
    else for (const axis of ["xaxis", "yaxis"]) as[axis] = { ...layout[axis], range: [...full[axis].range], autorange: false };
    return this.stage.Plotly.toImage({ data, layout: as, config: { plotGlPixelRatio: 2 } }, { format: "svg", width, height, imageDataOnly: true });
  }

  // The sheet without what moves.
  background() {
    const size = `width="${this.width}" height="${this.height}"`;
    return [`<rect ${size} fill="${this.colors.paper}"/>`, ...this.parts, ...this.still];
  }

  whenText() { return this.stage.describeStep(this.stage.steps[Math.floor(this.stage.at + 1e-6)]).replace(/ +/g, " "); }

  svg(parts) {
    const size = `width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}"`;
    const title = `<title>${escape([this.words.title, ...this.words.settings].join(" · "))}</title>`;
    return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${size}>${title}${parts.join("\n")}</svg>`;
  }

  // This moment, what moves drawn as vectors too.
  async picture() {
    const { Context } = await import("./svgcanvas.js");
    const moving = this.places.map(({ view, x, y }) => {
      const { clientWidth: width, clientHeight: height } = view.plot;
      const pens = [0, 1].map(() => rounding(new Context({ width, height })));
      usePens(view, pens, 1);
      view.draw(true);
      const drawn = pens.map((pen) => new XMLSerializer().serializeToString(pen.getSvg()));
      return `<g transform="translate(${x} ${y})">${drawn.join("")}</g>`;
    });
    return this.svg([...this.background(), ...moving, this.text(...this.when, this.whenText(), { size: 15, weight: 600, font: MONO })]);
  }
}

// a pen that writes coordinates no finer than is seen, and whole circles, which the library leaves to be two arcs
function rounding(pen) {
  for (const name of ["moveTo", "lineTo"]) {
    const exact = pen[name];
    pen[name] = (x, y) => exact.call(pen, ...[x, y].map((value) => Math.round(value * PARTS_OF_A_PIXEL) / PARTS_OF_A_PIXEL));
  }
  const { arc } = pen;
  pen.arc = (x, y, radius, from, to, back) => {
    if (Math.abs(to - from) < 2 * Math.PI) return arc.call(pen, x, y, radius, from, to, back);
    for (const half of [0, Math.PI]) arc.call(pen, x, y, radius, half, half + Math.PI, false);
  };
  return pen;
}

// An SVG on a canvas, so much larger.
export async function rasterize(svg, width, height, scale) {
  const image = new Image();
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    image.src = address;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(width * scale), height: Math.round(height * scale) });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas;
  } finally {
    URL.revokeObjectURL(address);
  }
}
