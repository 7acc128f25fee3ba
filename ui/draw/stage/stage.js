// The stage: Plotly draws what stands still, a canvas above it what moves. All views move by one step index.
//
// A message brings still figures ({still, figures}, packed in bytes), or what runs on them ({still, views, tracks, ...}).
// Still figures come by themselves, so that a dragged slider sends the paths alone. Their colours are the names of CSS
// variables.

import { takeApart } from "./apart.js";
import { pin, showPin } from "./ghost.js";
import { holdBack, reportEnd } from "./asked.js";
import { markLeader } from "./leader.js";
import { focusOpenedMenus } from "./menus.js";
import { rerunWhenReconnected } from "./reconnect.js";
import { chooseMarksByTaps } from "./taps.js";
import { element, floats, formatNumber, magnification, swatch, write } from "./parts.js";
import { View } from "./view.js";

const stages = new Map(); // element -> stage: a rerun calls show() again on the same element
const stillFigures = new Map(); // id -> {view name: Plotly JSON}, the newest last
const waiting = new Set(); // stages whose still figures have not come yet
const MAX_STILL_FIGURES = 12;
const STILL_ID_LENGTH = 16; // bytes
const WHOLE_RACE_SECONDS = 10; // at speed 1
const REST_MILLISECONDS = 200; // so long it must stand before Python is told where
const MAX_FRAME_MILLISECONDS = 250; // a frame that took longer counts as this long: playing never leaps
const READ_MILLISECONDS = 100; // while it plays, numbers change so often: faster, nobody reads them
const FADE_MILLISECONDS = 2500; // in a lecture the controls fade once the pointer has rested so long
const MAX_ROWS = 5; // of one table; more racers stand in two beside each other,
const MAX_COLUMNS = 3; // where each has no more numbers than these,
const MAX_LETTERS = 14; // and no longer names than this
const MAX_BESIDE = 3; // more views than these are all of one size
const TYPING = "input, select, textarea, button, a, summary, [role=button], [role=radio], [contenteditable]"; // has keys of its own
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

function unpacked(bytes) {
  const text = (part) => new TextDecoder().decode(part);
  const still = text(bytes.subarray(0, STILL_ID_LENGTH));
  return { still, figures: stillFigures.get(still) ?? JSON.parse(text(bytes.subarray(STILL_ID_LENGTH))) };
}

export function show({ data: sent, parentElement, setTriggerValue }) {
  const data = sent instanceof Uint8Array ? unpacked(sent) : sent;
  if (data.figures) {
    stillFigures.delete(data.still);
    stillFigures.set(data.still, data.figures);
    const used = new Set([...stages.values()].map((stage) => stage.message.still));
    for (const id of stillFigures.keys()) if (stillFigures.size > MAX_STILL_FIGURES && !used.has(id)) stillFigures.delete(id);
    for (const stage of [...waiting]) stage.receive(stage.message);
    return;
  }
  const root = parentElement.querySelector(".stage");
  if (!root) { // sent ahead, to have it loaded by the time the race comes
    rerunWhenReconnected(() => setTriggerValue("reconnected", true));
    focusOpenedMenus();
    chooseMarksByTaps();
    return void plotly(data.plotly);
  }
  let stage = stages.get(root);
  if (!stage) stages.set(root, (stage = new Stage(root)));
  stage.trigger = setTriggerValue;
  stage.receive(data);
}

export function leave(parentElement) {
  if (parentElement.isConnected) return; // Streamlit also calls this for a message that has been overtaken by the next
  const root = parentElement.querySelector(".stage");
  stages.get(root)?.close();
  stages.delete(root);
}

class Stage {
  constructor(root) {
    this.root = root;
    this.views = new Map(); // name -> View
    this.hidden = new Set(); // names of racers
    this.at = 0; // the record shown; between two while playing
    this.playing = false;
    this.revealed = false; // whether the way ahead is drawn: not before the first guess
    this.pinned = null; // a run that is kept behind those after it
    this.frames = 0;
    this.colors = new Map(); // by name, in the theme that the page shows
    this.scale = 1; // how many times as large as usual letters, lines and markers are
    this.large = null; // the name of the large view
    this.toldLarge = []; // what Python was told of it, and has not answered yet
    this.wanted = null; // the record that Python last asked for
    this.known = null; // the record that Python takes it to stand at
    this.ready = Promise.resolve();
    root.stage = this; // for tests and for the curious
    const find = (selector) => root.querySelector(selector);
    this.parts = {
      legend: find(".legend"), views: find(".views"), play: find(".play"), back: find(".back"), forward: find(".forward"),
      scrub: find(".scrub"), when: find(".when"), speed: find(".speed"), pin: find(".pin"), note: find(".note"), numbers: find(".tables"),
      status: find(".status"),
    };
    this.parts.play.onclick = () => this.play(!this.playing);
    this.parts.back.onclick = () => this.jump(-1);
    this.parts.forward.onclick = () => this.jump(1);
    this.parts.pin.onclick = () => pin(this);
    this.parts.scrub.oninput = () => this.go(+this.parts.scrub.value);
    this.parts.scrub.onchange = () => this.reportPosition(); // let go
    root.onkeydown = (event) => this.onKey(event);
    this.left = new AbortController();
    for (const type of ["pointermove", "pointerdown", "focusin"]) {
      document.addEventListener(type, () => this.showControls(), { signal: this.left.signal });
    }
    document.addEventListener("keydown", (event) => {
      if (this.message.lecture && !root.contains(event.target) && !event.target.closest(TYPING)) this.onKey(event);
    }, { signal: this.left.signal });
    this.sizes = new ResizeObserver(() => this.resize());
    this.onVisibility = () => { this.resumed = true; };
    document.addEventListener("visibilitychange", this.onVisibility);
  }

  // ---- data

  receive(message) {
    if (message.order < this.message?.order) return; // it has been overtaken
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
    const style = getComputedStyle(this.root);
    const shown = style.colorScheme;
    const colors = [shown, ...["background", "text"].map((name) => style.getPropertyValue(`--st-${name}-color`))].join();
    if (colors !== this.colorsOf) this.colors.clear();
    this.colorsOf = colors;
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
    if (fresh) {
      this.move(message.at ?? 0);
      this.known = null;
    }
    this.at = Math.min(this.at, this.last);
    this.scene = message.scene;
    this.revealed = !fresh;
    this.moveWhereAsked(message);
    if (message.tells && this.tells === false) { // Python asks from now on, and has not heard what it was told before
      this.known = null;
      if (!this.playing) this.reportPosition();
    }
    this.tells = message.tells;
    if (this.tracks.length === 1) this.hidden.clear();
    this.nameIndex();
    showPin(this);
    holdBack(this);
    this.fillLegend();
    this.fillNumbers();
    takeApart(this, message.apart);
    this.scale = magnification();
    this.parts.views.dataset.count = message.views.length > MAX_BESIDE ? "many" : message.views.length;
    this.parts.views.style.setProperty("--count", message.views.length);
    for (const [name, view] of this.views) if (message.views.every((spec) => spec.name !== name)) this.remove(name, view);
    for (const spec of message.views) {
      if (!this.views.has(spec.name)) this.views.set(spec.name, new View(this, spec));
      this.views.get(spec.name).receive(spec); // all before the first figure is waited for: they may be drawn meanwhile
    }
    this.enlargeWhereAsked(message);
    for (const spec of message.views) {
      await this.views.get(spec.name).set(this.colored(spec.figure ?? stillFigures.get(message.still)[spec.name]));
    }
    if (first) this.sizes.observe(this.parts.views);
    await this.fitViews();
    this.say("");
    this.draw(true);
    this.showControls();
    if (!message.waits) this.root.dataset.drawn = message.id;
  }

  // Python may say where to stand. Where it only repeats what it was told, the visitor may be elsewhere by now.
  moveWhereAsked({ at, answers }) {
    const asked = at !== null && at !== this.wanted && at !== this.known && at !== answers;
    this.wanted = at;
    if (!asked) return;
    this.known = at;
    this.move(at);
  }

  // The visitor makes a view the large one here, and Python is told. What it says afterwards is that answer, or news.
  enlargeWhereAsked({ large, views }) {
    const answered = this.toldLarge.indexOf(large);
    if (answered >= 0) this.toldLarge.splice(0, answered + 1);
    else if (large !== this.wantedLarge) this.large = large;
    this.wantedLarge = large;
    const shown = this.views.has(this.large) ? this.large : views[0].name;
    for (const [name, view] of this.views) view.box.classList.toggle("large", name === shown);
  }

  enlarge(name) {
    this.large = name;
    for (const [other, view] of this.views) view.box.classList.toggle("large", other === name);
    this.root.focus({ preventScroll: true }); // the button is gone
    this.resize();
    this.toldLarge.push(name);
    this.trigger("large", name);
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
    return digits === null ? `${label} ${count} of ${this.message.held ?? this.steps[this.last]}` : `${label} = ${count}`;
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
    legend.setAttribute("aria-label", "Legend: press a name to hide or show it");
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
    const { numbers } = this.parts;
    numbers.style.setProperty("--columns", this.numbers.length);
    const fits = this.numbers.length <= MAX_COLUMNS && this.tracks.every(({ name }) => name.length <= MAX_LETTERS);
    const count = fits && rows.length > MAX_ROWS ? 2 : 1;
    const table = (some) => element("table", { className: "numbers" },
      element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col", textContent: text })))),
      element("tbody", {}, ...some));
    numbers.dataset.count = count;
    if (this.message.table === false) return numbers.replaceChildren();
    numbers.replaceChildren(table(rows.slice(0, Math.ceil(rows.length / count))));
    if (count > 1) numbers.append(table(rows.slice(Math.ceil(rows.length / count))));
  }

  // ---- time

  play(on) {
    this.playing = on;
    this.showControls();
    this.parts.play.textContent = on ? "❚❚ Pause" : "▶ Play";
    clearTimeout(this.telling);
    clearTimeout(this.saying);
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
    } else if (shown.length === 1 && this.numbers.length) {
      parts.push(this.numbers.map((number) => `${number.label} ${formatNumber(value(shown[0], number), number.digits)}`).join(", "));
    }
    for (const track of shown) if (this.ended(track, step)) parts.push(`${track.name} ${track.ended_words}`);
    return `${parts.join("; ")}.`;
  }

  jump(by) {
    this.go(Math.round(this.at) + by);
    this.reportPosition();
    this.saying = setTimeout(() => write(this.parts.status, this.describe()), REST_MILLISECONDS);
  }

  go(record) {
    this.move(record);
    this.draw(true);
    reportEnd(this);
  }

  move(record) {
    clearTimeout(this.telling);
    clearTimeout(this.saying);
    this.playing = false;
    this.showControls();
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
    if (event.target.matches("input, select") || this.message.held !== undefined) return;
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return; // those are the browser's
    if (event.key === " " && !event.target.matches("button")) this.play(!this.playing);
    else if (event.key in NEAR_ENDS) this.jump(NEAR_ENDS[event.key]);
    else return;
    event.preventDefault();
  }

  // in a lecture they fade while it plays, until the pointer moves, something gets the focus, or it pauses
  showControls() {
    clearTimeout(this.fading);
    this.root.classList.remove("faded");
    if (this.message?.lecture && this.playing) this.fading = setTimeout(() => this.root.classList.add("faded"), FADE_MILLISECONDS);
  }

  // ---- drawing

  draw(all) {
    if (!this.tracks || !this.root.isConnected) return;
    for (const view of this.views.values()) view.draw(all);
    const now = performance.now();
    if (!all && now - this.written < READ_MILLISECONDS) return;
    this.written = now;
    this.writeNumbers();
  }

  writeNumbers() {
    const record = Math.floor(this.at + 1e-6);
    const step = this.steps[record];
    const where = this.describeStep(step);
    this.parts.scrub.value = record;
    this.parts.scrub.setAttribute("aria-valuetext", where.replace(/ +/g, " "));
    write(this.parts.when, where);
    for (const track of this.tracks) {
      const ended = this.ended(track, step);
      const shown = [this.format(ended ? track.ended : step)];
      for (const { key, digits } of this.numbers) shown.push(formatNumber(track.values[key][record], digits).padStart(digits + 7));
      shown.push(ended ? track.ended_words : this.isOffMap(track, record) ? "outside the map" : "");
      track.cells.forEach((cell, i) => write(cell, shown[i]));
      track.cells.at(-1).title = shown.at(-1);
    }
    markLeader(this, record);
    this.apart?.write(record);
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
    if (!this.root.isConnected || !this.root.clientWidth || !this.Plotly || this.resizing) return;
    this.resizing = true;
    this.ready = this.ready.then(async () => {
      this.resizing = false;
      this.scale = magnification();
      await this.fitViews();
      this.draw(true);
    }).catch(() => {}); // a plot that left the page while it was resized
  }

  fitViews() { return Promise.all(Array.from(this.views.values(), (view) => view.fit())); }

  say(text) { this.parts.note.textContent = text; }

  close() {
    this.playing = false;
    clearTimeout(this.telling);
    clearTimeout(this.saying);
    clearTimeout(this.fading);
    this.left.abort();
    this.apart?.close();
    waiting.delete(this);
    this.sizes.disconnect();
    document.removeEventListener("visibilitychange", this.onVisibility);
    for (const view of this.views.values()) view.close();
  }
}
