// A recorded race over a still picture of its surface. It begins anew after its end, until it is paused.

const RUN_SECONDS = 9; // from the start to the last step
const END_SECONDS = 3; // so long it stands at the end
const MAX_FRAME_SECONDS = 0.25; // a frame that took longer counts as this long
const TRAIL = 14; // steps that are drawn in full behind a racer; those before are thinner
const unwelcome = matchMedia("(prefers-reduced-motion: reduce)");
const pictures = new Map(); // element -> picture: a rerun calls the function below again on the same element

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".race-picture");
  if (!pictures.has(root)) pictures.set(root, new Picture(root));
  pictures.get(root).receive(data);
  return () => { pictures.get(root)?.close(); pictures.delete(root); };
}

class Picture {
  constructor(root) {
    this.root = root;
    root.picture = this; // for tests and for the curious
    this.canvas = root.querySelector("canvas");
    this.button = root.querySelector("button");
    this.button.onclick = () => this.play(!this.playing);
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.canvas);
    this.stopWhereUnwelcome = () => { if (unwelcome.matches) this.standAtEnd(); };
    unwelcome.addEventListener("change", this.stopWhereUnwelcome);
  }

  receive({ race, grounds }) {
    const first = !this.race;
    this.race = race;
    this.grounds = grounds;
    const image = this.root.querySelector("img");
    image.src = grounds[getComputedStyle(this.root).colorScheme === "dark" ? "dark" : "light"]; // a new theme calls this again
    image.alt = race.about;
    const probe = this.button.style; // any element inside the picture
    this.colors = race.racers.map(({ color }) => {
      probe.color = color;
      const found = getComputedStyle(this.button).color;
      probe.color = "";
      return found;
    });
    this.back = getComputedStyle(this.root).getPropertyValue("--st-background-color").trim() || "#fff";
    if (!first) return void this.draw();
    this.seconds = 0;
    unwelcome.matches ? this.standAtEnd() : this.play(true);
  }

  standAtEnd() {
    this.seconds = RUN_SECONDS; // where playing begins anew
    this.play(false);
  }

  play(on) {
    this.playing = on;
    this.button.textContent = on ? "❚❚ Pause" : "▶ Play";
    this.button.setAttribute("aria-label", `${this.button.textContent}: the race in the picture`);
    if (on && this.seconds >= RUN_SECONDS) this.seconds = 0;
    this.draw();
    if (!on) return;
    let before;
    const tick = (now) => {
      if (!this.playing || !this.root.isConnected) return;
      this.seconds += Math.min((now - (before ?? now)) / 1000, MAX_FRAME_SECONDS);
      before = now;
      if (this.seconds > RUN_SECONDS + END_SECONDS) this.seconds = 0;
      this.draw();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  // the step shown; between two while it plays
  get at() { return Math.min(1, this.seconds / RUN_SECONDS) * this.race.steps; }

  draw() {
    const { canvas, race } = this;
    const [width, height, dense] = [canvas.clientWidth, canvas.clientHeight, window.devicePixelRatio || 1];
    if (!race || !width) return;
    if (canvas.width !== Math.round(width * dense)) [canvas.width, canvas.height] = [Math.round(width * dense), Math.round(height * dense)];
    const pen = canvas.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.lineJoin = pen.lineCap = "round";
    const scale = width / race.width;
    const heads = race.racers.map((racer, i) => this.drawPath(pen, racer, this.colors[i], scale));
    for (const head of [...heads].reverse()) drawMarker(pen, head, this.back);
    drawNames(pen, heads, this.back, width, getComputedStyle(this.root));
  }

  // a racer's way so far, the newest part of it in full; gives where it ends
  drawPath(pen, racer, color, scale) {
    const record = Math.floor(this.at);
    const part = this.at - record;
    const points = racer.points.slice(0, record + 1).map(([x, y]) => [x * scale, y * scale]);
    const next = racer.points[record + 1];
    if (part > 0 && next) {
      const [x, y] = points[record];
      points.push([x + part * (next[0] * scale - x), y + part * (next[1] * scale - y)]);
    }
    pen.strokeStyle = color;
    for (const [from, alpha, line] of [[0, 0.8, 2], [Math.max(0, points.length - TRAIL), 1, 3]]) {
      pen.globalAlpha = alpha;
      pen.lineWidth = line;
      pen.beginPath();
      for (const [x, y] of points.slice(from)) pen.lineTo(x, y);
      pen.stroke();
    }
    pen.globalAlpha = 1;
    const [x, y] = points[points.length - 1];
    return { racer, color, x, y };
  }

  close() {
    this.playing = false;
    this.sizes.disconnect();
    unwelcome.removeEventListener("change", this.stopWhereUnwelcome);
  }
}

function drawMarker(pen, { racer, color, x, y }, back) {
  pen.beginPath();
  for (const [dx, dy] of racer.marker) pen.lineTo(x + 7 * dx, y + 7 * dy);
  pen.closePath();
  pen.lineWidth = 3;
  pen.strokeStyle = back;
  pen.stroke();
  pen.fillStyle = color;
  pen.fill();
}

// each name beside its marker; from top to bottom, none over one that stands already
function drawNames(pen, heads, back, width, { color, fontFamily }) {
  const line = 17;
  pen.font = `600 14px ${fontFamily}`;
  pen.textBaseline = "middle";
  pen.lineWidth = 4;
  pen.strokeStyle = back;
  pen.fillStyle = color;
  const placed = [];
  for (const { racer, x, y } of [...heads].sort((a, b) => a.y - b.y)) {
    const long = pen.measureText(racer.name).width;
    const left = Math.max(2, Math.min(x + 13, width - long - 2));
    let middle = y;
    for (const other of placed) {
      if (left < other.left + other.long && other.left < left + long && middle < other.middle + line) middle = other.middle + line;
    }
    placed.push({ left, long, middle });
    pen.strokeText(racer.name, left, middle);
    pen.fillText(racer.name, left, middle);
  }
}
