// The steps that a search has tried and refused, on the way that the step shown then took: a small cross at each.

const [CROSS, FAR] = [3.5, 1e4]; // pixels: half of a cross, and how long a ray is at most

// `spec.trials`: of each record, the quantities of the move across and up, of how many trials were refused, and of what each
// was multiplied with for the next one.
export function drawTrials({ spec, stage, project }, pen, track) {
  const [across, up, rejected, shrink] = (spec.trials ?? []).map((name) => track.values[name]);
  if (!rejected || stage.apart?.hidesMove(track)) return;
  const record = Math.floor(stage.at + 1e-6);
  const [x, y] = spec.path.map((name) => track.values[name][record]);
  const from = project(x, y);
  const places = [];
  for (let count = 1; count <= rejected[record]; count++) {
    const ratio = shrink[record] ** -count;
    const place = project(x + ratio * across[record], y + ratio * up[record]);
    if (Math.hypot(place[0] - from[0], place[1] - from[1]) > CROSS) places.push(place);
  }
  if (!places.length) return;
  const { scale, ink } = stage;
  const end = places.at(-1);
  const part = Math.min(1, FAR / Math.hypot(end[0] - from[0], end[1] - from[1]));
  pen.setLineDash([2 * scale, 3 * scale]);
  pen.strokeStyle = track.color;
  pen.lineWidth = 1.2 * scale;
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(from[0] + part * (end[0] - from[0]), from[1] + part * (end[1] - from[1]));
  pen.stroke();
  pen.setLineDash([]);
  const size = CROSS * scale;
  for (const [color, width] of [[ink, 3.5], [track.color, 1.5]]) {
    pen.strokeStyle = color;
    pen.lineWidth = width * scale;
    pen.beginPath();
    for (const [a, b] of places) {
      for (const turn of [-1, 1]) { pen.moveTo(a - size, b - turn * size); pen.lineTo(a + size, b + turn * size); }
    }
    pen.stroke();
  }
}
