import { DOUBLE_CLICK_MILLISECONDS, listenForClicks } from "./clicks.js";
import { draw } from "./draw.js";
import { takeInHand } from "./hand.js";
import { element, floats, magnifyFigure } from "./parts.js";
import { listenForSwipes } from "./swipes.js";

const HINT_MILLISECONDS = 1500;
const CAPTION_PIXELS = 32;
const [LARGE_PIXELS, NEAREST] = [430, 1.2]; // a view so high may show its scene nearer, and at most by so much
const RETRY_MILLISECONDS = 10_000; // a graphics context that is lost again within this is not asked for by itself
const ZOOM_KEY = /Mac|iP(hone|ad)/.test(navigator.platform) ? "⌘" : "Ctrl";

const ENLARGE = '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M9 2h5v5M14 2 9 7M7 14H2V9M2 14l5-5"/></svg>';

// One still figure with its two canvases: the whole paths, redrawn when the view changes, and the moment, at every frame.
export class View {
  constructor(stage, spec) {
    this.stage = stage;
    this.plot = element("div");
    this.canvases = [element("canvas"), element("canvas")];
    for (const canvas of this.canvases) canvas.setAttribute("aria-hidden", "true");
    this.caption = element("span", { className: "caption" });
    this.hint = element("span", { className: "hint", textContent: `${ZOOM_KEY} + scroll to zoom` });
    this.hint.setAttribute("aria-hidden", "true");
    this.missing = element("div", { className: "missing", hidden: true });
    const words = "Make this view the large one";
    this.enlarge = element("button", { type: "button", className: "enlarge", title: words, onclick: () => stage.enlarge(spec.name) });
    this.enlarge.setAttribute("aria-label", `${words}: ${spec.name}`);
    this.enlarge.innerHTML = ENLARGE;
    this.box = element(
      "div", { className: `view ${spec.low ? "low" : ""}` },
      this.plot, ...this.canvases, this.caption, this.hint, this.missing, this.enlarge);
    this.plot.setAttribute("role", "img");
    // Plotly keeps a press to itself, and the arrow keys belong to what has the focus
    this.box.addEventListener("pointerdown", () => stage.root.focus({ preventScroll: true }), true);
    // the page scrolls by wheel and by finger as it does elsewhere: Plotly is told of neither
    this.plot.addEventListener("wheel", (event) => this.wheel(event), { capture: true, passive: false });
    listenForSwipes(this);
    stage.parts.views.append(this.box);
    if (spec.click) listenForClicks(this, spec.click);
  }

  receive(spec) {
    this.spec = spec;
    this.pixels = null;
    this.sheet = spec.sheet && Object.fromEntries(["x", "y", "bases"].map((part) => [part, floats(spec.sheet[part])]));
    this.caption.textContent = spec.caption;
    this.plot.setAttribute("aria-label", spec.says);
    takeInHand(this);
  }

  async set(figure) {
    const { Plotly, scale } = this.stage;
    if (figure === this.figure && scale === this.scale) return;
    const { data, layout } = JSON.parse(figure);
    if (!layout.scene) layout.margin.t = Math.max(layout.margin.t, CAPTION_PIXELS); // for the words and the button above it
    if (scale !== 1) magnifyFigure({ data, layout }, scale);
    if (layout.scene?.camera) {
      this.usual = layout.scene.camera;
      const camera = this.eye && this.scene()?.glplot ? this.isTurned() && this.scene().getCamera() : this.camera;
      layout.scene.camera = camera || this.placeCamera();
    }
    const config = {
      displaylogo: false, displayModeBar: false, responsive: false,
      scrollZoom: true, doubleClickDelay: DOUBLE_CLICK_MILLISECONDS,
    };
    await Plotly.react(this.plot, data, { ...layout, ...this.size() }, config);
    this.figure = figure;
    this.scale = scale;
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

  // in whole pixels, as the canvases have it
  size() { return { width: this.plot.clientWidth, height: this.plot.clientHeight }; }

  // Draw the figure as large as its place is, where it is not: at once, and not a tenth of a second later as by Plotly's
  // own ``resize``.
  async fit() {
    if (!this.shown || !this.plot.clientWidth) return;
    if (this.scale !== this.stage.scale) await this.set(this.figure);
    const { width, height } = this.plot._fullLayout;
    const size = this.size();
    if (width === size.width && height === size.height) return;
    this.pixels = null;
    const camera = this.scene()?.glplot && !this.isTurned() ? { "scene.camera": this.placeCamera() } : {};
    await this.stage.Plotly.relayout(this.plot, { ...size, ...camera });
  }

  // The figure's own camera has room for the numbers of the axes in a small view; in a large one they take less of it.
  placeCamera() {
    const { width, height } = this.size();
    const nearer = height > LARGE_PIXELS ? Math.max(1, Math.min(NEAREST, width / height)) : 1;
    const { eye, center = { x: 0, y: 0, z: 0 } } = this.usual;
    this.eye = Object.fromEntries(Object.keys(eye).map((axis) => [axis, center[axis] + (eye[axis] - center[axis]) / nearer]));
    return { ...this.usual, eye: { ...this.eye } }; // a copy: Plotly writes into it
  }

  // whether the visitor has turned the scene
  isTurned() {
    if (!this.usual) return true;
    const { eye } = this.scene().getCamera();
    return Object.keys(eye).some((axis) => Math.abs(eye[axis] - this.eye[axis]) > 1e-4);
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
  pathsOnScreen(tracks = this.stage.tracks) {
    this.project = this.projection();
    if (!this.project) return null;
    return tracks.map(({ values }) => {
      const quantities = this.spec.path.map((name) => values[name]);
      const count = quantities.every(Boolean) ? quantities[0]?.length ?? 0 : 0; // a kept run may not have them all
      const points = new Float32Array(2 * count);
      for (let i = 0; i < count; i++) points.set(this.project(...quantities.map((quantity) => quantity[i])), 2 * i);
      return points;
    });
  }

  draw(all) { draw(this, all); }

  close() {
    this.hand?.close();
    this.heard?.abort();
    clearTimeout(this.clicking);
    clearTimeout(this.hinting);
    if (this.gl) this.gl.oncontextloss = null;
    const context = this.gl?.gl;
    if (this.shown) this.stage.Plotly.purge(this.plot);
    context?.getExtension("WEBGL_lose_context")?.loseContext(); // purged, it would still count as one of the few that a browser keeps
  }
}

function multiply(a, b) {
  const out = new Float64Array(16);
  for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) for (let k = 0; k < 4; k++) out[j * 4 + i] += a[k * 4 + i] * b[j * 4 + k];
  return out;
}
