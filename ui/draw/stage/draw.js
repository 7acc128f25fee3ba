// What moves on one view: paths, heads, lines, wireframes, arrows, on the two canvases above its still figure.

export function draw(view, all) {
  const { stage } = view;
  if (!view.shown || !stage.tracks || !view.plot._fullLayout || !view.missing.hidden) return;
  if (!view.pixels || view.pixels.length !== stage.tracks.length) {
    view.pixels = view.pathsOnScreen();
    all = true;
  }
  if (!view.pixels) return;
  if (all) paint(view, 0, (pen, track, points) => {
    if (!stage.revealed) return;
    pen.globalAlpha = 0.3;
    pen.lineWidth = 1.2 * stage.scale;
    pen.beginPath();
    tracePath(pen, points);
    pen.stroke();
  });
  const heads = [];
  const record = Math.floor(stage.at + 1e-6);
  const part = stage.at - record;
  const step = stage.steps[record];
  const start = view.spec.start ? view.pixels[0].slice(0, 2) : null;
  paint(view, 1, (pen, track, points) => {
    if (view.sheet) drawSheet(view, pen, track);
    pen.globalAlpha = 1;
    pen.lineWidth = 2.2 * stage.scale;
    pen.setLineDash(track.dash.map((part) => part * stage.scale));
    if (view.spec.line) drawLine(view, pen, track);
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
    if (view.spec.arrow) drawArrow(view, pen, track);
  }, (pen) => {
    if (start) drawStart(pen, start[0], start[1], stage);
    for (const head of heads.reverse()) drawHead(view, pen, head);
  });
}

// across the plot, and no further up and down than it is high: a dash that runs on for miles is slow
function drawLine(view, pen, track) {
  const [intercept, slope] = view.stage.valuesAt(track, view.spec.line);
  const [, top, , height] = view.clip;
  const [[x0, y0], [x1, y1]] = view.plot._fullLayout.xaxis.range.map((x) => view.project(x, intercept + slope * x));
  const [a, b] = [top - 9, top + height + 9].map((y) => (y - y0) / (y1 - y0)).sort((p, q) => p - q);
  const ends = y0 === y1 ? [0, 1] : [Math.max(0, a), Math.min(1, b)];
  if (!(ends[0] < ends[1])) return;
  pen.beginPath();
  for (const part of ends) pen.lineTo(x0 + part * (x1 - x0), y0 + part * (y1 - y0));
  pen.stroke();
}

function drawSheet(view, pen, track) {
  const { x, y, bases } = view.sheet;
  const weights = view.stage.valuesAt(track, view.spec.sheet.weights);
  const [columns, rows] = [x.length, y.length];
  const points = new Float32Array(2 * rows * columns);
  for (let i = 0; i < rows * columns; i++) {
    const z = weights.reduce((sum, weight, k) => sum + weight * bases[k * rows * columns + i], 0);
    points.set(view.project(x[i % columns], y[Math.floor(i / columns)], z), 2 * i);
  }
  pen.globalAlpha = 0.8;
  pen.lineWidth = view.stage.scale;
  pen.beginPath();
  for (let row = 0; row < rows; row++) tracePath(pen, points, row * columns, columns);
  for (let column = 0; column < columns; column++) tracePath(pen, points, column, rows, columns);
  pen.stroke();
}

function drawArrow(view, pen, track) {
  const [x, y, dx, dy] = view.stage.valuesAt(track, view.spec.arrow);
  const [[x0, y0], [x1, y1]] = [view.project(x, y), view.project(x + dx, y + dy)];
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

function paint(view, layer, each, after) {
  const { stage, plot } = view;
  const canvas = view.canvases[layer];
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
  if (view.clip) {
    pen.beginPath();
    pen.rect(...view.clip);
    pen.clip();
  }
  stage.tracks.forEach((track, k) => {
    if (stage.hidden.has(track.name) || (view.spec.only && view.spec.only !== track.name)) return;
    pen.strokeStyle = pen.fillStyle = track.color;
    each(pen, track, view.pixels[k]);
  });
  pen.restore();
  after?.(pen);
}

function drawHead(view, pen, { track, x, y, lost }) {
  if (Number.isNaN(x) || Number.isNaN(y)) return;
  const { scale } = view.stage;
  let size = 7 * scale;
  if (view.clip) {
    // off the frame: a small hollow marker on its edge says which way
    const [left, top, width, height] = view.clip;
    const [cx, cy] = [Math.max(left, Math.min(left + width, x)), Math.max(top, Math.min(top + height, y))];
    if (Math.abs(cx - x) > 3 || Math.abs(cy - y) > 3) size = 4 * scale;
    [x, y] = [cx, cy];
  }
  pen.beginPath();
  for (const [dx, dy] of track.marker) pen.lineTo(x + size * dx, y + size * dy);
  pen.closePath();
  pen.lineWidth = 3;
  pen.strokeStyle = view.stage.ink;
  pen.stroke();
  pen.fillStyle = size < 7 * scale ? view.stage.ink : track.color;
  pen.fill();
  pen.strokeStyle = track.color;
  if (size < 7 * scale) { pen.lineWidth = 1.5; pen.stroke(); }
  if (!lost) return;
  pen.lineWidth = 2.5; // it left the finite numbers here
  pen.beginPath();
  for (const turn of [-1, 1]) { pen.moveTo(x - 8, y - 8 * turn); pen.lineTo(x + 8, y + 8 * turn); }
  pen.stroke();
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

function drawStart(pen, x, y, { root, scale }) {
  if (!Number.isFinite(x)) return;
  pen.strokeStyle = pen.fillStyle = getComputedStyle(root).color;
  pen.lineWidth = 1.2;
  pen.beginPath();
  pen.arc(x, y, 10 * scale, 0, 7);
  pen.stroke();
  pen.font = `${13 * scale}px sans-serif`;
  pen.textAlign = "center";
  pen.fillText("start", x, y - 15 * scale);
}
