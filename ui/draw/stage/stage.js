// The stage: Plotly draws what stands still, a canvas above it what moves. All views move by one step index.
//
// A message brings still figures ({still, figures}), or what runs on them ({still, views, tracks, ...}). Still figures
// come by themselves, so that a dragged slider sends the paths alone. Their colours are the names of CSS variables.

const stages = new Map(); // element -> stage: a rerun calls show() again on the same element
const stillFigures = new Map(); // id -> {view name: Plotly JSON}, the newest last
const waiting = new Set(); // stages whose still figures have not come yet
const MAX_STILL_FIGURES = 12;
const WHOLE_RACE_SECONDS = 10; // at speed 1
const REST_MILLISECONDS = 200; // so long it must stand before Python is told where
const CLICK_PIXELS = 4; // a press that never moves farther is a click
const DOUBLE_CLICK_MILLISECONDS = 350; // two presses within this are one double click, here and for Plotly
const MAX_FRAME_MILLISECONDS = 250; // a frame that took longer counts as this long: playing never leaps
const HINT_MILLISECONDS = 1500;
const RETRY_MILLISECONDS = 10_000; // a graphics context that is lost again within this is not asked for by itself
const ZOOM_KEY = /Mac|iP(hone|ad)/.test(navigator.platform) ? "⌘" : "Ctrl";
const NEAR_ENDS = { ArrowLeft: -1, ArrowRight: 1, PageUp: 25, PageDown: -25, Home: -Infinity, End: Infinity };
const still = matchMedia("(prefers-reduced-motion: reduce)");

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
    stillFigures.delete(data.still);
    stillFigures.set(data.still, data.figures);
    const used = new Set([...stages.values()].map((stage) => stage.message.still));
    for (const id of stillFigures.keys()) if (stillFigures.size > MAX_STILL_FIGURES && !used.has(id)) stillFigures.delete(id);
    for (const stage of [...waiting]) stage.receive(stage.message);
    return;
  }
  const root = parentElement.querySelector(".stage");
  if (!root) return void plotly(data.plotly); // sent ahead, to have it loaded by the time the race comes
  let stage = stages.get(root);
  if (!stage) stages.set(root, (stage = new Stage(root)));
  stage.trigger = setTriggerValue;
  stage.receive(data);
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
    this.colors = new Map(); // by name, in the theme that the page shows
    this.wanted = null; // the record that Python last asked for
    this.known = null; // the record that Python takes it to stand at
    this.ready = Promise.resolve();
    root.stage = this; // for tests and for the curious
    const find = (selector) => root.querySelector(selector);
    this.parts = {
      legend: find(".legend"), views: find(".views"), play: find(".play"), back: find(".back"), forward: find(".forward"),
      scrub: find(".scrub"), when: find(".when"), speed: find(".speed"), note: find(".note"), numbers: find(".numbers"),
      status: find(".status"),
    };
    this.parts.play.onclick = () => this.play(!this.playing);
    this.parts.back.onclick = () => this.jump(-1);
    this.parts.forward.onclick = () => this.jump(1);
    this.parts.scrub.oninput = () => this.go(+this.parts.scrub.value);
    this.parts.scrub.onchange = () => this.reportPosition(); // let go
    root.onkeydown = (event) => this.onKey(event);
    this.sizes = new ResizeObserver(() => this.resize());
    this.onVisibility = () => { this.resumed = true; };
    document.addEventListener("visibilitychange", this.onVisibility);
  }

  // ---- data

  receive(message) {
    this.message = message;
    this.matchTheme(message.theme);
    if (!stillFigures.has(message.still)) return void waiting.add(this);
    waiting.delete(this);
    this.ready = this.ready
      .then(() => plotly(message.plotly))
      .then((Plotly) => this.set(Plotly, message))
      .catch((error) => this.say(`The figures cannot be drawn (${error.message}). Reload the page.`));
  }

  // On a change of theme Streamlit restyles the page, and hands every message on anew. The stage takes the new colours at
  // once; what else is on the page comes from Python, which is told of the theme, once.
  matchTheme(theme) {
    const shown = getComputedStyle(this.root).colorScheme;
    this.colors.clear();
    if (shown !== theme && shown !== this.asked) this.trigger("theme", shown);
    this.asked = shown === theme ? null : shown;
  }

  // what a color is in the theme that the page shows: "var(--figure-ink)" as "#33424f"
  color(name) {
    if (!this.colors.has(name)) {
      const { style } = this.parts.status; // any element inside the stage
      style.color = name;
      const [red, green, blue] = getComputedStyle(this.parts.status).color.match(/[0-9]+/g);
      style.color = "";
      this.colors.set(name, `#${[red, green, blue].map((part) => (+part).toString(16).padStart(2, "0")).join("")}`);
    }
    return this.colors.get(name);
  }

  colored(figure) { return figure.replace(/var\(--(figure|racer)-[\w-]+\)/g, (name) => this.color(name)); }

  async set(Plotly, message) {
    if (message !== this.message) return; // a newer one has come
    this.Plotly = Plotly;
    const first = !this.tracks;
    this.steps = floats(message.steps);
    this.last = this.steps.length - 1;
    this.tracks = message.tracks.map((track) => ({
      ...track,
      color: this.color(track.color),
      variable: track.color,
      values: { step: this.steps, ...Object.fromEntries(Object.entries(track.values).map(([k, v]) => [k, floats(v)])) },
    }));
    this.ink = getComputedStyle(this.root).getPropertyValue("--st-background-color").trim() || "#fff";
    this.numbers = message.numbers;
    this.index = message.index;
    this.parts.scrub.max = this.last;
    // another set-up begins at its start, with the way ahead still hidden; the same one turned stays where it is
    const fresh = message.scene !== this.scene;
    if (fresh) this.move(message.at ?? 0);
    this.at = Math.min(this.at, this.last);
    this.scene = message.scene;
    this.revealed = !fresh;
    this.moveWhereAsked(message);
    if (this.tracks.length === 1) this.hidden.clear();
    this.nameIndex();
    this.fillLegend();
    this.fillNumbers();
    this.parts.views.dataset.count = message.views.length > 3 ? "many" : message.views.length;
    for (const [name, view] of this.views) if (message.views.every((spec) => spec.name !== name)) this.remove(name, view);
    for (const spec of message.views) {
      if (!this.views.has(spec.name)) this.views.set(spec.name, new View(this, spec));
      this.views.get(spec.name).receive(spec); // all before the first figure is waited for: they may be drawn meanwhile
    }
    for (const spec of message.views) {
      await this.views.get(spec.name).set(this.colored(spec.figure ?? stillFigures.get(message.still)[spec.name]));
    }
    if (first) this.sizes.observe(this.parts.views);
    this.say("");
    this.draw(true);
    this.root.dataset.drawn = message.id;
  }

  // Python may say where to stand. Where it only repeats what it was told, the visitor may be elsewhere by now.
  moveWhereAsked({ at, answers }) {
    const asked = at !== null && at !== this.wanted && at !== this.known && at !== answers;
    this.wanted = at;
    if (!asked) return;
    this.known = at;
    this.move(at);
  }

  remove(name, view) {
    view.close();
    view.box.remove();
    this.views.delete(name);
  }

  nameIndex() {
    const { label, digits } = this.index;
    const { root, parts } = this;
    root.setAttribute("aria-label", `Figures that move by ${label}. Space plays, the arrow keys go on and back.`);
    parts.scrub.setAttribute("aria-label", label);
    const one = digits === null ? `One ${label}` : `${label}: one step`;
    for (const [button, way, key] of [[parts.back, "back", "left"], [parts.forward, "forward", "right"]]) {
      button.title = `${one} ${way} (${key} arrow)`;
      // what it shows comes first: who speaks to the browser says what they see
      button.setAttribute("aria-label", `${button.textContent}: ${one.toLowerCase()} ${way}`);
    }
    this.width = Math.max(...Array.from(this.steps, (step) => this.format(step).length));
  }

  // a step in words, and the same with its name
  format(step) { return this.index.digits === null ? String(step) : formatNumber(step, this.index.digits); }

  describeStep(step) {
    const { label, digits } = this.index;
    const count = this.format(step).padStart(this.width);
    return digits === null ? `${label} ${count} of ${this.steps[this.last]}` : `${label} = ${count}`;
  }

  fillLegend() {
    const { legend } = this.parts;
    const name = (track) => [swatch(track), track.name];
    if (this.tracks.length === 1) { // nothing to choose from
      legend.removeAttribute("role");
      legend.removeAttribute("aria-label");
      return legend.replaceChildren(element("span", { className: "racer" }, ...name(this.tracks[0])));
    }
    legend.setAttribute("role", "group");
    legend.setAttribute("aria-label", "Racers: press one to hide or show it");
    legend.replaceChildren(...this.tracks.map((track) => {
      const shown = !this.hidden.has(track.name);
      const button = element("button", { type: "button", className: "racer", title: `${shown ? "Hide" : "Show"} ${track.name}` }, ...name(track));
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
    const head = [this.tracks.length > 1 ? this.message.who : "", this.index.label, ...this.numbers.map((n) => n.label), ""];
    const rows = this.tracks.map((track) => {
      const name = element("th", { scope: "row" }, swatch(track), ` ${track.name}`);
      const cells = head.slice(1).map(() => element("td"));
      track.cells = cells;
      return element("tr", { className: this.hidden.has(track.name) ? "hidden" : "" }, name, ...cells);
    });
    this.parts.numbers.style.setProperty("--columns", this.numbers.length);
    this.parts.numbers.replaceChildren(
      element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col", textContent: text })))),
      element("tbody", {}, ...rows));
  }

  // ---- time

  play(on) {
    this.playing = on;
    this.parts.play.textContent = on ? "❚❚ Pause" : "▶ Play";
    clearTimeout(this.telling);
    if (!on) {
      this.jump(0);
      this.parts.status.textContent = this.describe();
      return;
    }
    this.parts.status.textContent = "";
    if (this.at >= this.last) this.at = 0;
    this.revealed = true;
    this.draw(true); // the way ahead; the frames to come draw what moves alone
    this.resumed = true; // the clock begins with the first frame, and anew after the tab was hidden
    let before, passed = 0;
    const tick = (now) => {
      if (!this.playing || !this.root.isConnected) return;
      passed += this.resumed ? 0 : Math.min(now - before, MAX_FRAME_MILLISECONDS);
      before = now;
      this.resumed = false;
      // with reduced motion it moves in four beats a second
      if (!still.matches || passed >= 250) {
        const pace = (this.last / WHOLE_RACE_SECONDS) * +this.parts.speed.value;
        this.at = Math.min(this.last, this.at + (passed / 1000) * pace);
        passed = 0;
        this.frames++;
        this.draw(false);
      }
      this.at >= this.last ? this.play(false) : requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  // where it stands, who is lowest and whose run has ended, for those who cannot see it
  describe() {
    const step = this.steps[this.at];
    const shown = this.tracks.filter((track) => !this.hidden.has(track.name));
    const loss = this.numbers.find(({ key }) => key === "loss");
    const parts = [`${this.at >= this.last ? "At the end" : "Paused"}, ${this.describeStep(step).replace(/ +/g, " ")}`];
    const value = (track, { key }) => track.values[key][this.at];
    if (shown.length > 1 && loss) {
      const finite = shown.filter((track) => Number.isFinite(value(track, loss)));
      const [lowest] = finite.sort((a, b) => value(a, loss) - value(b, loss));
      if (lowest) parts.push(`lowest ${loss.label}: ${lowest.name}, ${formatNumber(value(lowest, loss), loss.digits)}`);
    } else if (shown.length === 1) {
      parts.push(this.numbers.map((number) => `${number.label} ${formatNumber(value(shown[0], number), number.digits)}`).join(", "));
    }
    for (const track of shown) if (this.ended(track, step)) parts.push(`${track.name} ${track.ended_words}`);
    return `${parts.join("; ")}.`;
  }

  jump(by) {
    this.go(Math.round(this.at) + by);
    this.reportPosition();
  }

  go(record) {
    this.move(record);
    this.draw(true);
  }

  move(record) {
    clearTimeout(this.telling);
    this.playing = false;
    this.parts.play.textContent = "▶ Play";
    if (record > 0) this.revealed = true;
    this.at = Math.max(0, Math.min(this.last, record));
  }

  // Python is told where the stage stands, once it has stood there for a moment
  reportPosition() {
    if (!this.message.tells) return;
    this.telling = setTimeout(() => {
      if (this.at !== this.known) this.trigger("at", (this.known = this.at));
    }, REST_MILLISECONDS);
  }

  onKey(event) {
    if (event.target.matches("input, select")) return;
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return; // those are the browser's
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
    const where = this.describeStep(step);
    this.parts.scrub.value = record;
    this.parts.scrub.setAttribute("aria-valuetext", where.replace(/ +/g, " "));
    if (this.parts.when.textContent !== where) this.parts.when.textContent = where;
    for (const track of this.tracks) {
      const ended = this.ended(track, step);
      const shown = [this.format(ended ? track.ended : step)];
      for (const { key, digits } of this.numbers) shown.push(formatNumber(track.values[key][record], digits).padStart(digits + 7));
      shown.push(ended ? track.ended_words : this.isOffMap(track, record) ? "off the map" : "");
      track.cells.forEach((cell, i) => { if (cell.textContent !== shown[i]) cell.textContent = shown[i]; });
    }
  }

  ended(track, step) { return track.ended !== null && step >= track.ended; }

  // what some quantities of a track are now, between two records while it plays
  valuesAt(track, names) {
    const record = Math.floor(this.at + 1e-6);
    const part = record < this.last ? this.at - record : 0;
    return names.map((name) => {
      const [value, next] = track.values[name].subarray(record, record + 2);
      return part > 1e-6 ? value + part * (next - value) : value;
    });
  }

  isOffMap(track, record) {
    return [...this.views.values()].some((view) => view.spec.frame && !view.isInside(track, record));
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
    clearTimeout(this.telling);
    waiting.delete(this);
    this.sizes.disconnect();
    document.removeEventListener("visibilitychange", this.onVisibility);
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
    this.caption = element("span", { className: "caption" });
    this.hint = element("span", { className: "hint", textContent: `${ZOOM_KEY} + scroll to zoom` });
    this.hint.setAttribute("aria-hidden", "true");
    this.missing = element("div", { className: "missing", hidden: true });
    this.box = element(
      "div", { className: `view ${spec.low ? "low" : ""}` }, this.plot, ...this.canvases, this.caption, this.hint, this.missing);
    this.plot.setAttribute("role", "img");
    // Plotly keeps a press to itself, and the arrow keys belong to what has the focus
    this.box.addEventListener("pointerdown", () => stage.root.focus({ preventScroll: true }), true);
    // the page scrolls by wheel and by finger as it does elsewhere: Plotly is not told of either
    this.plot.addEventListener("wheel", (event) => this.wheel(event), { capture: true, passive: false });
    this.plot.addEventListener("touchstart", (event) => { if (!this.scene()) event.stopPropagation(); }, { capture: true, passive: true });
    stage.parts.views.append(this.box);
    if (spec.click) this.listenForClicks(spec.click);
  }

  receive(spec) {
    this.spec = spec;
    this.pixels = null;
    this.sheet = spec.sheet && Object.fromEntries(["x", "y", "bases"].map((part) => [part, floats(spec.sheet[part])]));
    this.caption.textContent = spec.caption;
    this.plot.setAttribute("aria-label", spec.says);
  }

  async set(figure) {
    if (figure === this.figure) return;
    const { Plotly } = this.stage;
    const { data, layout } = JSON.parse(figure);
    const camera = this.scene()?.glplot ? this.scene().getCamera() : this.camera;
    if (camera && layout.scene) layout.scene.camera = camera;
    const config = {
      displaylogo: false, displayModeBar: false, responsive: false,
      scrollZoom: true, doubleClickDelay: DOUBLE_CLICK_MILLISECONDS,
    };
    await Plotly.react(this.plot, data, { ...layout, autosize: true }, config);
    this.figure = figure;
    if (!this.shown) {
      this.shown = true;
      for (const event of ["plotly_relayout", "plotly_relayouting", "plotly_afterplot"]) {
        this.plot.on(event, () => { this.pixels = null; this.draw(true); });
      }
    }
    const gl = this.scene()?.glplot;
    this.showMissing(layout.scene && !gl ? "This browser does not draw in 3-D here: it has no WebGL, or it is switched off." : "");
    if (gl && gl !== this.gl) {
      this.gl = gl;
      const before = gl.onrender;
      gl.onrender = () => {
        if (gl.gl.isContextLost()) return; // Plotly renders once more in the frame that finds it lost, and would compile shaders
        before?.call(gl);
        if (this.hasCameraMoved()) { this.pixels = null; this.draw(true); }
      };
      gl.oncontextloss = () => this.recoverContext(); // Plotly would wait for the lost one, and browsers do not bring it back
    }
  }

  // The browser has taken the graphics context away: draw the scene in a new one, once by itself.
  recoverContext() {
    this.camera = this.scene().getCamera();
    const again = performance.now() - (this.lostAt ?? -Infinity) < RETRY_MILLISECONDS;
    this.lostAt = performance.now();
    if (again) this.showMissing("The browser has dropped this surface twice, most often because it is short of graphics memory.", "Draw the surface again");
    else this.redraw();
  }

  redraw() {
    const { stage, figure } = this;
    stage.ready = stage.ready.then(async () => {
      if (figure !== this.figure || !this.box.isConnected) return; // drawn anew already, or gone
      stage.Plotly.purge(this.plot);
      this.shown = this.figure = this.gl = this.pixels = null;
      await this.set(figure);
      this.draw(true);
    }).catch((error) => this.showMissing(`The surface cannot be drawn (${error.message}).`, "Draw the surface again"));
  }

  // what stands in the place of a figure that cannot be drawn, with a button that tries; "" for none
  showMissing(words, button = "") {
    this.missing.hidden = !words;
    this.plot.style.visibility = words ? "hidden" : ""; // it keeps its size
    this.missing.replaceChildren(element("p", { textContent: words }));
    if (button) this.missing.append(element("button", { type: "button", textContent: button, onclick: () => this.redraw() }));
    if (words) for (const canvas of this.canvases) canvas.width = 0; // no racers over nothing
  }

  wheel(event) {
    if (event.ctrlKey || event.metaKey) return void event.preventDefault(); // Plotly zooms
    event.stopPropagation();
    this.hint.classList.add("shown");
    clearTimeout(this.hinting);
    this.hinting = setTimeout(() => this.hint.classList.remove("shown"), HINT_MILLISECONDS);
  }

  scene() { return this.plot._fullLayout?.scene?._scene; }

  // whether the camera has moved since the paths were last put on the screen: the scene also renders when it has not
  hasCameraMoved() {
    const { projection, view, model } = this.scene().glplot.cameraParams;
    const now = multiply(projection, multiply(view, model)).join();
    const changed = now !== this.seen;
    this.seen = now;
    return changed;
  }

  isInside(track, record) {
    return this.spec.frame.every(([low, high], i) => {
      const value = track.values[this.spec.path[i]][record];
      return value >= low && value <= high;
    });
  }

  // a function from coordinates to pixels; where the point is not in the scene they are not numbers
  projection() {
    const full = this.plot._fullLayout;
    if (!full.scene) {
      const { xaxis, yaxis } = full;
      this.clip = [xaxis._offset, yaxis._offset, xaxis._length, yaxis._length];
      return (x, y) => [xaxis._offset + xaxis.c2p(xaxis.d2c(x)), yaxis._offset + yaxis.c2p(yaxis.d2c(y))];
    }
    const scene = this.scene();
    if (!scene?.glplot) return null;
    const { projection, view, model } = scene.glplot.cameraParams;
    const m = multiply(projection, multiply(view, model));
    const scale = scene.dataScale;
    const size = full._size;
    const [[x0, x1], [y0, y1], [z0, z1]] = ["xaxis", "yaxis", "zaxis"].map((axis) => {
      const [low, high] = full.scene[axis].range;
      const slack = 1e-6 * (high - low); // a point on the edge is on it, also when it is rounded to 32 bits
      return [low - slack, high + slack];
    });
    const lift = this.spec.lift * (z1 - z0);
    this.clip = null;
    return (px, py, pz) => {
      if (!(px >= x0 && px <= x1 && py >= y0 && py <= y1 && pz >= z0 && pz <= z1)) return [NaN, NaN];
      const [x, y, z] = [px * scale[0], py * scale[1], (pz + lift) * scale[2]];
      const w = m[3] * x + m[7] * y + m[11] * z + m[15];
      return [
        size.l + size.w * (0.5 + (0.5 * (m[0] * x + m[4] * y + m[8] * z + m[12])) / w),
        size.t + size.h * (0.5 - (0.5 * (m[1] * x + m[5] * y + m[9] * z + m[13])) / w),
      ];
    };
  }

  // where each path runs on the screen: x and y in turn, one pair a record; empty where the view has no paths
  pathsOnScreen() {
    this.project = this.projection();
    if (!this.project) return null;
    return this.stage.tracks.map(({ values }) => {
      const quantities = this.spec.path.map((name) => values[name]);
      const count = quantities.length ? this.stage.last + 1 : 0;
      const points = new Float32Array(2 * count);
      for (let i = 0; i < count; i++) points.set(this.project(...quantities.map((quantity) => quantity[i])), 2 * i);
      return points;
    });
  }

  draw(all) {
    const { stage } = this;
    if (!this.shown || !stage.tracks || !this.plot._fullLayout || !this.missing.hidden) return;
    if (!this.pixels || this.pixels.length !== stage.tracks.length) {
      this.pixels = this.pathsOnScreen();
      all = true;
    }
    if (!this.pixels) return;
    if (all) this.paint(0, (pen, track, points) => {
      if (!stage.revealed) return;
      pen.globalAlpha = 0.3;
      pen.lineWidth = 1.2;
      pen.beginPath();
      tracePath(pen, points);
      pen.stroke();
    });
    const heads = [];
    const record = Math.floor(stage.at + 1e-6);
    const part = stage.at - record;
    const step = stage.steps[record];
    const start = this.spec.start ? this.pixels[0].slice(0, 2) : null;
    this.paint(1, (pen, track, points) => {
      if (this.sheet) this.drawSheet(pen, track);
      pen.globalAlpha = 1;
      pen.lineWidth = 2.2;
      pen.setLineDash(track.dash);
      if (this.spec.line) this.drawLine(pen, track);
      if (points.length) {
        let [x, y] = [points[2 * record], points[2 * record + 1]];
        if (part > 1e-6 && record < stage.last) {
          x += part * (points[2 * record + 2] - x);
          y += part * (points[2 * record + 3] - y);
        }
        pen.beginPath();
        if (tracePath(pen, points, 0, record + 1) && !Number.isNaN(x + y)) pen.lineTo(x, y);
        pen.stroke();
        heads.push({ track, x, y, lost: track.lost && stage.ended(track, step) });
      }
      pen.setLineDash([]);
      if (this.spec.arrow) this.drawArrow(pen, track);
    }, (pen) => {
      if (start) drawStart(pen, start[0], start[1], stage.root);
      for (const head of heads.reverse()) this.head(pen, head);
    });
  }

  // across the plot, and no further up and down than it is high: a dash that runs on for miles is slow
  drawLine(pen, track) {
    const [intercept, slope] = this.stage.valuesAt(track, this.spec.line);
    const [, top, , height] = this.clip;
    const [[x0, y0], [x1, y1]] = this.plot._fullLayout.xaxis.range.map((x) => this.project(x, intercept + slope * x));
    const [a, b] = [top - 9, top + height + 9].map((y) => (y - y0) / (y1 - y0)).sort((p, q) => p - q);
    const ends = y0 === y1 ? [0, 1] : [Math.max(0, a), Math.min(1, b)];
    if (!(ends[0] < ends[1])) return;
    pen.beginPath();
    for (const part of ends) pen.lineTo(x0 + part * (x1 - x0), y0 + part * (y1 - y0));
    pen.stroke();
  }

  drawSheet(pen, track) {
    const { x, y, bases } = this.sheet;
    const weights = this.stage.valuesAt(track, this.spec.sheet.weights);
    const [columns, rows] = [x.length, y.length];
    const points = new Float32Array(2 * rows * columns);
    for (let i = 0; i < rows * columns; i++) {
      const z = weights.reduce((sum, weight, k) => sum + weight * bases[k * rows * columns + i], 0);
      points.set(this.project(x[i % columns], y[Math.floor(i / columns)], z), 2 * i);
    }
    pen.globalAlpha = 0.8;
    pen.lineWidth = 1;
    pen.beginPath();
    for (let row = 0; row < rows; row++) tracePath(pen, points, row * columns, columns);
    for (let column = 0; column < columns; column++) tracePath(pen, points, column, rows, columns);
    pen.stroke();
  }

  drawArrow(pen, track) {
    const [x, y, dx, dy] = this.stage.valuesAt(track, this.spec.arrow);
    const [[x0, y0], [x1, y1]] = [this.project(x, y), this.project(x + dx, y + dy)];
    const length = Math.hypot(x1 - x0, y1 - y0);
    if (!(length > 1 && length < 1e5)) return;
    const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
    const tip = Math.min(10, length);
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.lineTo(x1 - tip * ux, y1 - tip * uy);
    pen.stroke();
    pen.beginPath();
    for (const [on, aside] of [[0, 0], [-tip, tip / 2], [-tip, -tip / 2]]) pen.lineTo(x1 + on * ux - aside * uy, y1 + on * uy + aside * ux);
    pen.fill();
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
      if (stage.hidden.has(track.name) || (this.spec.only && this.spec.only !== track.name)) return;
      pen.strokeStyle = pen.fillStyle = track.color;
      each(pen, track, this.pixels[k]);
    });
    pen.restore();
    after?.(pen);
  }

  head(pen, { track, x, y, lost }) {
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
    if (!lost) return;
    pen.lineWidth = 2.5; // it left the finite numbers here
    pen.beginPath();
    for (const turn of [-1, 1]) { pen.moveTo(x - 8, y - 8 * turn); pen.lineTo(x + 8, y + 8 * turn); }
    pen.stroke();
  }

  // A press sends where it was, once it is known not to be a drag, a menu or one of the two of a double click.
  listenForClicks(name) {
    this.box.dataset.click = name;
    let press = null; // where and when it began, while it may still become a click
    this.pressed = -Infinity; // when the press before began
    this.clicked = null; // what will be sent
    const send = () => {
      clearTimeout(this.clicking);
      if (this.clicked) this.stage.trigger(name, this.clicked);
      this.clicked = null;
    };
    const far = (event) => Math.hypot(event.clientX - press.x, event.clientY - press.y) > CLICK_PIXELS;
    const hear = (type, act) => window.addEventListener(type, act, { capture: true, signal: this.heard.signal });
    this.heard = new AbortController();
    hear("pointerdown", (event) => {
      press = null;
      if (!this.plot.contains(event.target)) return send(); // no second click is coming
      const double = event.timeStamp - this.pressed < DOUBLE_CLICK_MILLISECONDS;
      this.pressed = event.timeStamp;
      if (double) this.clicked = null;
      // on a Mac, Ctrl and a click open the menu
      if (double || !event.isPrimary || event.button !== 0 || event.ctrlKey) return;
      press = { x: event.clientX, y: event.clientY, at: event.timeStamp };
    });
    hear("pointermove", (event) => { if (press && far(event)) press = null; });
    for (const type of ["pointercancel", "contextmenu"]) hear(type, () => { press = null; });
    hear("pointerup", (event) => {
      if (!press || far(event)) return void (press = null);
      const wait = press.at + DOUBLE_CLICK_MILLISECONDS - event.timeStamp;
      press = null;
      const { xaxis, yaxis } = this.plot._fullLayout;
      const frame = this.plot.getBoundingClientRect();
      const [x, y] = [event.clientX - frame.left - xaxis._offset, event.clientY - frame.top - yaxis._offset];
      if (x < 0 || y < 0 || x > xaxis._length || y > yaxis._length) return;
      this.clicked = [xaxis.p2d(x), yaxis.p2d(y)];
      clearTimeout(this.clicking);
      this.clicking = setTimeout(send, Math.max(0, wait));
    });
  }

  close() {
    this.heard?.abort();
    clearTimeout(this.clicking);
    clearTimeout(this.hinting);
    if (this.gl) this.gl.oncontextloss = null;
    const context = this.gl?.gl;
    if (this.shown) this.stage.Plotly.purge(this.plot);
    context?.getExtension("WEBGL_lose_context")?.loseContext(); // purged, it would still count as one of the few that a browser keeps
  }
}

// Lines along points, from one of them on, so many, and so far apart. One that is not on the view breaks the line.
// Gives whether the last one is on it.
function tracePath(pen, points, from = 0, count = points.length / 2, apart = 1) {
  let drawing = false;
  for (let n = 0; n < count; n++) {
    const i = 2 * (from + n * apart);
    const [x, y] = [points[i], points[i + 1]];
    if (Number.isNaN(x) || Number.isNaN(y)) drawing = false;
    else if (drawing) pen.lineTo(x, y);
    else { pen.moveTo(x, y); drawing = true; }
  }
  return drawing;
}

function drawStart(pen, x, y, root) {
  if (!Number.isFinite(x)) return;
  pen.strokeStyle = pen.fillStyle = getComputedStyle(root).color;
  pen.lineWidth = 1.2;
  pen.beginPath();
  pen.arc(x, y, 10, 0, 7);
  pen.stroke();
  pen.font = "13px sans-serif";
  pen.textAlign = "center";
  pen.fillText("start", x, y - 15);
}

// a racer's line and marker as a small picture
function swatch({ variable, dash, marker }) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("class", "swatch");
  picture.setAttribute("viewBox", "0 0 28 14");
  picture.setAttribute("aria-hidden", "true");
  picture.style.color = variable;
  const points = marker.map(([x, y]) => `${14 + 5.5 * x},${7 + 5.5 * y}`).join(" ");
  picture.innerHTML = `<path d="M0 7H28" stroke="currentColor" stroke-width="2.4" stroke-dasharray="${dash.join(" ")}"/>`
    + `<polygon points="${points}" fill="currentColor"/>`;
  return picture;
}

// a number in a fixed number of places, so that it does not jump; in powers of ten where it would not fit
function formatNumber(value, digits) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size >= 1e6 || size < 0.5 * 10 ** -digits) ? value.toExponential(2) : value.toFixed(digits);
  return text.replace("-", "−");
}

function multiply(a, b) {
  const out = new Float64Array(16);
  for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) for (let k = 0; k < 4; k++) out[j * 4 + i] += a[k * 4 + i] * b[j * 4 + k];
  return out;
}
