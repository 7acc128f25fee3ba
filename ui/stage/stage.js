// The stage: Plotly draws what stands still, a canvas above it what moves. All views move by one step index.
//
// A message says what a ground looks like ({ground, figures}), or what runs on it ({ground, views, tracks, ...}).
// Grounds come by themselves, so that a dragged slider sends the paths alone.

const stages = new WeakMap(); // element -> stage: a rerun calls show() again on the same element
const grounds = new Map(); // id -> {view name: figure}, the newest last
const waiting = new Set(); // stages whose ground has not come yet
const KEPT_GROUNDS = 12;
const WHOLE_RACE_SECONDS = 10; // at speed 1
const CLICK_PIXELS = 4; // a press that moves less is a click
const NEAR_ENDS = { ArrowLeft: -1, ArrowRight: 1, PageUp: 25, PageDown: -25, Home: -Infinity, End: Infinity };
const still = matchMedia("(prefers-reduced-motion: reduce)");
const touch = matchMedia("(pointer: coarse)");

let loading; // one Plotly for the page's life
function plotly(url) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(url, document.baseURI).href;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { loading = undefined; reject(new Error("Plotly could not be loaded")); };
    document.head.append(script);
  });
  return loading;
}

export function show({ data, parentElement, setTriggerValue }) {
  if (data.figures) {
    grounds.delete(data.ground);
    grounds.set(data.ground, Object.fromEntries(Object.entries(data.figures).map(([k, v]) => [k, JSON.parse(v)])));
    while (grounds.size > KEPT_GROUNDS) grounds.delete(grounds.keys().next().value);
    for (const stage of [...waiting]) stage.take(stage.message);
    return;
  }
  const root = parentElement.querySelector(".stage");
  if (!root) return void plotly(data.plotly); // sent ahead, to have it loaded by the time the race comes
  let stage = stages.get(root);
  if (!stage) stages.set(root, (stage = new Stage(root)));
  stage.trigger = setTriggerValue;
  stage.take(data);
}

export function leave(parentElement) {
  const root = parentElement.querySelector(".stage");
  stages.get(root)?.close();
  stages.delete(root);
}

const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const element = (name, props = {}, ...children) => {
  const made = Object.assign(document.createElement(name), props);
  made.append(...children);
  return made;
};

class Stage {
  constructor(root) {
    this.root = root;
    this.views = new Map(); // name -> View
    this.hidden = new Set(); // names of racers
    this.at = 0; // the record shown; between two while playing
    this.playing = false;
    this.revealed = false; // whether the way ahead is drawn: not before the first guess
    this.frames = 0;
    this.ready = Promise.resolve();
    root.stage = this; // for tests and for the curious
    const find = (selector) => root.querySelector(selector);
    this.parts = {
      legend: find(".legend"), views: find(".views"), play: find(".play"), scrub: find(".scrub"), when: find(".when"),
      speed: find(".speed"), note: find(".note"), numbers: find(".numbers"),
    };
    this.parts.play.onclick = () => this.play(!this.playing);
    find(".back").onclick = () => this.jump(-1);
    find(".forward").onclick = () => this.jump(1);
    this.parts.scrub.oninput = () => this.go(+this.parts.scrub.value);
    root.onkeydown = (event) => this.key(event);
    this.sizes = new ResizeObserver(() => this.resize());
  }

  // ---- data

  take(message) {
    this.message = message;
    this.match(message.theme);
    if (!grounds.has(message.ground)) return void waiting.add(this);
    waiting.delete(this);
    this.ready = this.ready
      .then(() => plotly(message.plotly))
      .then((Plotly) => this.set(Plotly, message))
      .catch((error) => this.say(`The race cannot be drawn (${error.message}). Reload the page.`));
  }

  // Streamlit restyles the page on a change of theme but does not run it again: ask for figures that match, once
  match(theme) {
    const ground = getComputedStyle(this.root).getPropertyValue("--st-background-color");
    const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    pen.fillStyle = ground.trim() || "#fff";
    pen.fillRect(0, 0, 1, 1);
    const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
    const seen = 0.3 * red + 0.6 * green + 0.1 * blue < 128 ? "dark" : "light";
    if (seen !== theme && seen !== this.asked) this.trigger("theme", seen);
    this.asked = seen === theme ? null : seen;
  }

  async set(Plotly, message) {
    if (message !== this.message) return; // a newer one has come
    this.Plotly = Plotly;
    const first = !this.tracks;
    this.steps = floats(message.steps);
    this.last = this.steps.length - 1;
    this.tracks = message.tracks.map((track) => ({
      ...track,
      values: { step: this.steps, ...Object.fromEntries(Object.entries(track.values).map(([k, v]) => [k, floats(v)])) },
    }));
    this.ink = getComputedStyle(this.root).getPropertyValue("--st-background-color").trim() || "#fff";
    this.numbers = message.numbers;
    this.parts.scrub.max = this.last;
    this.at = Math.min(this.at, this.last);
    if (!first) this.revealed = true;
    this.fillLegend();
    this.fillNumbers();
    for (const spec of message.views) {
      if (!this.views.has(spec.name)) this.views.set(spec.name, new View(this, spec));
      await this.views.get(spec.name).set(spec, spec.figure ?? JSON.stringify(grounds.get(message.ground)[spec.name]));
    }
    if (first) this.sizes.observe(this.parts.views);
    this.say("");
    this.draw(true);
    this.root.dataset.drawn = message.id;
  }

  fillLegend() {
    this.parts.legend.replaceChildren(...this.tracks.map((track) => {
      const shown = !this.hidden.has(track.name);
      const button = element("button", { type: "button", title: shown ? `Hide ${track.name}` : `Show ${track.name}` },
        element("img", { src: track.swatch, className: "swatch", alt: "" }), track.name);
      button.setAttribute("aria-pressed", shown);
      button.onclick = () => {
        shown ? this.hidden.add(track.name) : this.hidden.delete(track.name);
        this.fillLegend();
        this.fillNumbers();
        this.draw(true);
      };
      return button;
    }));
  }

  fillNumbers() {
    const head = ["racer", "step", ...this.numbers.map((n) => n.label), ""];
    const rows = this.tracks.map((track) => {
      const name = element("th", { scope: "row" }, element("img", { src: track.swatch, className: "swatch", alt: "" }), ` ${track.name}`);
      const cells = head.slice(1).map(() => element("td"));
      track.cells = cells;
      return element("tr", { className: this.hidden.has(track.name) ? "hidden" : "" }, name, ...cells);
    });
    this.parts.numbers.replaceChildren(
      element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col", textContent: text })))),
      element("tbody", {}, ...rows));
  }

  // ---- time

  play(on) {
    this.playing = on;
    this.parts.play.textContent = on ? "❚❚ Pause" : "▶ Play";
    if (!on) return this.go(Math.round(this.at));
    this.revealed = true;
    if (this.at >= this.last) this.at = 0;
    let before = performance.now();
    let beat = before;
    const tick = (now) => {
      if (!this.playing || !this.root.isConnected) return;
      const pace = (this.last / WHOLE_RACE_SECONDS) * +this.parts.speed.value;
      // with reduced motion it moves in four beats a second
      if (!still.matches || now - beat > 250) {
        this.at = Math.min(this.last, this.at + ((now - before) / 1000) * pace);
        before = beat = now;
        this.frames++;
        this.draw(false);
      }
      this.at >= this.last ? this.play(false) : requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  jump(by) { this.go(Math.round(this.at) + by); }

  go(record) {
    this.playing = false;
    this.parts.play.textContent = "▶ Play";
    if (record > 0) this.revealed = true;
    this.at = Math.max(0, Math.min(this.last, record));
    this.draw(true);
  }

  key(event) {
    if (event.target.matches("input, select")) return;
    if (event.key === " " && !event.target.matches("button")) this.play(!this.playing);
    else if (event.key in NEAR_ENDS) this.jump(NEAR_ENDS[event.key]);
    else return;
    event.preventDefault();
  }

  // ---- drawing

  draw(all) {
    if (!this.tracks || !this.root.isConnected) return;
    for (const view of this.views.values()) view.draw(all);
    const record = Math.floor(this.at + 1e-6);
    const step = this.steps[record];
    const end = this.steps[this.last];
    this.parts.scrub.value = record;
    this.parts.scrub.setAttribute("aria-valuetext", `step ${step} of ${end}`);
    this.parts.when.textContent = `step ${String(step).padStart(String(end).length)} of ${end}`;
    for (const track of this.tracks) {
      const gone = track.stopped !== null && step >= track.stopped;
      const shown = [String(gone ? track.stopped : step)];
      for (const { key, digits } of this.numbers) shown.push(said(track.values[key][record], digits));
      shown.push(gone ? track.stopped_words : this.away(track, record) ? "off the map" : "");
      track.cells.forEach((cell, i) => { if (cell.textContent !== shown[i]) cell.textContent = shown[i]; });
    }
  }

  away(track, record) {
    return [...this.views.values()].some((view) => view.spec.frame && !view.inside(track, record));
  }

  resize() {
    if (!this.root.isConnected || !this.root.clientWidth || !this.Plotly) return;
    this.ready = this.ready.then(async () => {
      for (const view of this.views.values()) if (view.shown) await this.Plotly.Plots.resize(view.plot);
      this.draw(true);
    }).catch(() => {}); // a plot that left the page while it was resized
  }

  say(text) { this.parts.note.textContent = text; }

  close() {
    this.playing = false;
    waiting.delete(this);
    this.sizes.disconnect();
    for (const view of this.views.values()) view.close();
  }
}

// One still figure with its two canvases: the whole paths, redrawn when the view changes, and the moment, at every frame.
class View {
  constructor(stage, spec) {
    this.stage = stage;
    this.plot = element("div");
    this.canvases = [element("canvas"), element("canvas")];
    for (const canvas of this.canvases) canvas.setAttribute("aria-hidden", "true");
    this.box = element("div", { className: `view ${spec.low ? "low" : ""}` }, this.plot, ...this.canvases,
      element("span", { className: "caption", textContent: spec.caption }));
    this.box.setAttribute("role", "img");
    // Plotly keeps a press to itself, and the arrow keys belong to what has the focus
    this.box.addEventListener("pointerdown", () => stage.root.focus({ preventScroll: true }), true);
    stage.parts.views.append(this.box);
    if (spec.click) this.listen(spec.click);
  }

  async set(spec, figure) {
    this.spec = spec;
    this.pixels = null;
    this.box.setAttribute("aria-label", spec.says);
    if (figure === this.figure) return;
    const { Plotly } = this.stage;
    const { data, layout } = JSON.parse(figure);
    const camera = this.scene()?.getCamera();
    if (camera && layout.scene) layout.scene.camera = camera;
    if (touch.matches && !layout.scene) layout.dragmode = false; // a finger on the map scrolls the page
    const config = { displaylogo: false, displayModeBar: false, scrollZoom: !!spec.click, responsive: false };
    await Plotly.react(this.plot, data, { ...layout, autosize: true }, config);
    this.figure = figure;
    if (!this.shown) {
      this.shown = true;
      for (const event of ["plotly_relayout", "plotly_relayouting", "plotly_afterplot"]) {
        this.plot.on(event, () => { this.pixels = null; this.draw(true); });
      }
    }
    const gl = this.scene()?.glplot;
    if (gl && gl !== this.gl) {
      this.gl = gl;
      const before = gl.onrender;
      gl.onrender = () => { before?.call(gl); if (this.turned()) { this.pixels = null; this.draw(true); } };
    }
  }

  scene() { return this.plot._fullLayout?.scene?._scene; }

  // whether the camera has moved since the paths were last put on the screen: the scene also renders when it has not
  turned() {
    const { projection, view, model } = this.scene().glplot.cameraParams;
    const now = multiply(projection, multiply(view, model)).join();
    const changed = now !== this.seen;
    this.seen = now;
    return changed;
  }

  inside(track, record) {
    return this.spec.frame.every(([low, high], i) => {
      const value = track.values[this.spec.path[i]][record];
      return value >= low && value <= high;
    });
  }

  // a function from a track and a record to pixels, or null where the point is not on the view
  projection() {
    const full = this.plot._fullLayout;
    const [kx, ky, kz] = this.spec.path;
    if (!full) return null;
    if (!kz) {
      const { xaxis, yaxis } = full;
      this.clip = [xaxis._offset, yaxis._offset, xaxis._length, yaxis._length];
      return (values, i) => [xaxis._offset + xaxis.c2p(xaxis.d2c(values[kx][i])), yaxis._offset + yaxis.c2p(yaxis.d2c(values[ky][i]))];
    }
    const scene = this.scene();
    if (!scene?.glplot) return null;
    const { projection, view, model } = scene.glplot.cameraParams;
    const m = multiply(projection, multiply(view, model));
    const scale = scene.dataScale;
    const size = full._size;
    const [[x0, x1], [y0, y1], [z0, z1]] = ["xaxis", "yaxis", "zaxis"].map((axis) => full.scene[axis].range);
    const lift = this.spec.lift * (z1 - z0);
    this.clip = null;
    return (values, i) => {
      const [px, py, pz] = [values[kx][i], values[ky][i], values[kz][i]];
      if (!(px >= x0 && px <= x1 && py >= y0 && py <= y1 && pz >= z0 && pz <= z1)) return [NaN, NaN];
      const [x, y, z] = [px * scale[0], py * scale[1], (pz + lift) * scale[2]];
      const w = m[3] * x + m[7] * y + m[11] * z + m[15];
      return [
        size.l + size.w * (0.5 + (0.5 * (m[0] * x + m[4] * y + m[8] * z + m[12])) / w),
        size.t + size.h * (0.5 - (0.5 * (m[1] * x + m[5] * y + m[9] * z + m[13])) / w),
      ];
    };
  }

  place() {
    const project = this.projection();
    if (!project) return null;
    return this.stage.tracks.map(({ values }) => {
      const count = this.stage.last + 1;
      const points = new Float32Array(2 * count);
      for (let i = 0; i < count; i++) {
        const [x, y] = project(values, i);
        points[2 * i] = x;
        points[2 * i + 1] = y;
      }
      return points;
    });
  }

  draw(all) {
    const { stage } = this;
    if (!this.shown || !stage.tracks || !this.plot._fullLayout) return;
    if (!this.pixels || this.pixels.length !== stage.tracks.length) {
      this.pixels = this.place();
      all = true;
    }
    if (!this.pixels) return;
    if (all) this.paint(0, (pen, track, points) => {
      if (!stage.revealed) return;
      pen.globalAlpha = 0.3;
      pen.lineWidth = 1.2;
      trail(pen, points, stage.last);
    });
    const heads = [];
    const record = Math.floor(stage.at + 1e-6);
    const part = stage.at - record;
    const step = stage.steps[record];
    const start = this.spec.start ? this.pixels[0]?.slice(0, 2) : null;
    this.paint(1, (pen, track, points) => {
      pen.globalAlpha = 1;
      pen.lineWidth = 2.2;
      pen.setLineDash(track.dash);
      let [x, y] = [points[2 * record], points[2 * record + 1]];
      if (part > 1e-6 && record < stage.last) {
        x += part * (points[2 * record + 2] - x);
        y += part * (points[2 * record + 3] - y);
      }
      trail(pen, points, record, x, y);
      pen.setLineDash([]);
      heads.push({ track, x, y, gone: track.stopped !== null && step >= track.stopped });
    }, (pen) => {
      if (start) cross(pen, start[0], start[1], stage.root);
      for (const head of heads.reverse()) this.head(pen, head);
    });
  }

  paint(layer, each, after) {
    const { stage, plot } = this;
    const canvas = this.canvases[layer];
    const [width, height, scale] = [plot.clientWidth, plot.clientHeight, window.devicePixelRatio || 1];
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.save();
    pen.lineJoin = "round";
    if (this.clip) {
      pen.beginPath();
      pen.rect(...this.clip);
      pen.clip();
    }
    stage.tracks.forEach((track, k) => {
      if (stage.hidden.has(track.name)) return;
      pen.strokeStyle = pen.fillStyle = track.color;
      each(pen, track, this.pixels[k]);
    });
    pen.restore();
    after?.(pen);
  }

  head(pen, { track, x, y, gone }) {
    if (Number.isNaN(x) || Number.isNaN(y)) return;
    let size = 7;
    if (this.clip) {
      // off the frame: a small hollow marker on its edge says which way
      const [left, top, width, height] = this.clip;
      const [cx, cy] = [Math.max(left, Math.min(left + width, x)), Math.max(top, Math.min(top + height, y))];
      if (Math.abs(cx - x) > 3 || Math.abs(cy - y) > 3) size = 4;
      [x, y] = [cx, cy];
    }
    pen.beginPath();
    for (const [dx, dy] of track.marker) pen.lineTo(x + size * dx, y + size * dy);
    pen.closePath();
    pen.lineWidth = 3;
    pen.strokeStyle = this.stage.ink;
    pen.stroke();
    pen.fillStyle = size < 7 ? this.stage.ink : track.color;
    pen.fill();
    pen.strokeStyle = track.color;
    if (size < 7) { pen.lineWidth = 1.5; pen.stroke(); }
    if (!gone) return;
    pen.lineWidth = 2.5; // it left the finite numbers here
    pen.beginPath();
    for (const turn of [-1, 1]) { pen.moveTo(x - 8, y - 8 * turn); pen.lineTo(x + 8, y + 8 * turn); }
    pen.stroke();
  }

  listen(name) {
    this.box.dataset.click = name;
    let down = null;
    this.plot.addEventListener("pointerdown", (event) => { down = [event.clientX, event.clientY]; }, true);
    this.up = (event) => {
      const from = down;
      down = null;
      if (!from || Math.hypot(event.clientX - from[0], event.clientY - from[1]) > CLICK_PIXELS) return;
      const { xaxis, yaxis } = this.plot._fullLayout;
      const frame = this.plot.getBoundingClientRect();
      const [x, y] = [event.clientX - frame.left - xaxis._offset, event.clientY - frame.top - yaxis._offset];
      if (x < 0 || y < 0 || x > xaxis._length || y > yaxis._length) return;
      this.stage.trigger(name, [xaxis.p2d(x), yaxis.p2d(y)]);
    };
    window.addEventListener("pointerup", this.up, true);
  }

  close() {
    if (this.up) window.removeEventListener("pointerup", this.up, true);
    if (this.shown) this.stage.Plotly.purge(this.plot);
  }
}

// a path up to a record, and on to (x, y) between it and the next; a point off the view breaks it
function trail(pen, points, record, x = NaN, y = NaN) {
  pen.beginPath();
  let drawing = false;
  for (let i = 0; i <= record; i++) {
    const [px, py] = [points[2 * i], points[2 * i + 1]];
    if (Number.isNaN(px) || Number.isNaN(py)) drawing = false;
    else if (drawing) pen.lineTo(px, py);
    else { pen.moveTo(px, py); drawing = true; }
  }
  if (drawing && !Number.isNaN(x) && !Number.isNaN(y)) pen.lineTo(x, y);
  pen.stroke();
}

function cross(pen, x, y, root) {
  if (Number.isNaN(x)) return;
  pen.strokeStyle = pen.fillStyle = getComputedStyle(root).color;
  pen.lineWidth = 1.2;
  pen.beginPath();
  pen.arc(x, y, 10, 0, 7);
  pen.stroke();
  pen.font = "13px sans-serif";
  pen.textAlign = "center";
  pen.fillText("start", x, y - 15);
}

// a number in a fixed number of places, so that it does not jump; in powers of ten where it would not fit
function said(value, digits) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size >= 1e5 || size < 0.5 * 10 ** -digits) ? value.toExponential(2) : value.toFixed(digits);
  return text.replace("-", "−").padStart(digits + 7);
}

function multiply(a, b) {
  const out = new Float64Array(16);
  for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) for (let k = 0; k < 4; k++) out[j * 4 + i] += a[k * 4 + i] * b[j * 4 + k];
  return out;
}
