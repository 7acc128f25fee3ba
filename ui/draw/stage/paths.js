// The paths of the racers: strongest near the head, fainter farther back, and fainter still where a hill hides them.
//
// What lies far enough behind the head is drawn once on the lower canvas and moves on a few records at a time; a frame
// draws the last stretch alone.

const WIDTH = 2.2;
const CASING = 2.4; // by so much wider, in the page's colour: a path stands out from any ground
const HIDDEN = 0.35; // of its strength, where the surface is in front of it
// the way back in shares of the whole run, and how strong the path is up to there
const TRAIL = [[0.1, 0.85], [0.25, 0.7], [1, 0.6]];
const NEAR = 0.06; // the share of the run that is drawn with each frame
const [SEEN, LONG] = [0.5, 1e4]; // pixels: a shorter step is not drawn, and of a longer one nobody follows the dashes
const CHUNKS = 50; // the lower canvas is drawn anew as often in a run

export const isShown = ({ stage, spec }, { name }) => !stage.hidden.has(name) && (!spec.only || spec.only === name);
export const isCurve = (view) => ["step", "evaluations"].includes(view.spec.path[0]); // a curve, and not a way through a plane

// the record from which on a frame draws the path itself
export function tailStart({ last }, record) {
  const chunk = Math.max(1, Math.round(last / CHUNKS));
  return Math.max(0, Math.floor(record / chunk) * chunk - Math.max(2, Math.round(NEAR * last)));
}

// How far along its path each point is, in pixels, so that dashes stay where they are when a part is drawn by itself. A
// point that is hardly apart from the last one drawn is as far as that one, and not drawn: a racer at rest costs nothing.
export function pathLengths(points) {
  const lengths = new Float64Array(points.length / 2);
  let drawn = 0;
  for (let i = 1; i < lengths.length; i++) {
    const step = Math.hypot(points[2 * i] - points[2 * drawn], points[2 * i + 1] - points[2 * drawn + 1]);
    lengths[i] = lengths[i - 1] + (step >= SEEN ? Math.min(step, LONG) : 0); // NaN where one of them is not on the view
    if (!(step < SEEN)) drawn = i;
  }
  return lengths;
}

// passes over all tracks: what has been drawn behind the tail, casings below all the strokes
export function pastPasses(view, tail) {
  const { last } = view.stage;
  const bands = [];
  let to = tail;
  for (const [share, alpha] of TRAIL) {
    const from = Math.max(0, tail - Math.ceil(share * last));
    if (from < to) bands.push([from, to, alpha]);
    to = from;
  }
  return [
    (pen, track, k) => {
      useCasing(pen, view.stage);
      for (const [from, end, alpha] of bands) strokePath(view, pen, k, from, end, alpha);
    },
    (pen, track, k) => {
      useStroke(pen, track, view.stage);
      for (const [from, end, alpha] of bands) strokePath(view, pen, k, from, end, alpha);
    },
  ];
}

// the way ahead, thin and without dashes
export function aheadPass(view, tail) {
  const { last, scale } = view.stage;
  return (pen, track, k) => {
    pen.setLineDash([]);
    pen.lineWidth = 1.2 * scale;
    strokePath(view, pen, k, tail, last, 0.35);
  };
}

// the last stretch, up to where the racer is
export function strokeTail(view, pen, k, tail, record, part) {
  const now = pointAt(view.pixels[k], record, part);
  strokePath(view, pen, k, tail, record, 1, part > 1e-6 && !now.some(Number.isNaN) ? now : null);
}

export function useStroke(pen, track, { scale }) {
  pen.strokeStyle = pen.fillStyle = track.color;
  pen.lineWidth = WIDTH * scale;
  pen.setLineDash(track.dash.map((length) => length * scale));
}

export function useCasing(pen, stage) {
  const { scale } = stage;
  pen.strokeStyle = stage.ink; // of the page
  pen.lineWidth = (WIDTH + CASING) * scale;
  pen.setLineDash([]);
}

// a place on a path between two records
export function pointAt(points, record, part) {
  let [x, y] = [points[2 * record], points[2 * record + 1]];
  if (part > 1e-6 && 2 * record + 3 < points.length) {
    x += part * (points[2 * record + 2] - x);
    y += part * (points[2 * record + 3] - y);
  }
  return [x, y];
}

// from one record to another, and on to a place between this and the next one
function strokePath(view, pen, k, from, to, alpha, place = null) {
  const points = view.pixels[k];
  const lengths = view.lengths[k];
  if (!points.length) return;
  for (const [a, b, hidden] of pieces(points, view.behind?.[k], from, place ? to + 1 : to)) {
    pen.globalAlpha = hidden ? HIDDEN * alpha : alpha;
    pen.lineDashOffset = lengths[a];
    pen.beginPath();
    pen.moveTo(points[2 * a], points[2 * a + 1]);
    for (let i = a + 1; i <= Math.min(b, to); i++) {
      if (lengths[i] > lengths[i - 1] || i === b) pen.lineTo(points[2 * i], points[2 * i + 1]);
    }
    if (b > to) pen.lineTo(...place);
    pen.stroke();
  }
}

// the stretches of a path that are on the view, each either hidden by the surface or not
function pieces(points, behind, from, to) {
  const found = [];
  let piece = null;
  for (let i = from; i < to; i++) {
    if (Number.isNaN(points[2 * i]) || Number.isNaN(points[2 * i + 2])) { piece = null; continue; }
    const hidden = Boolean(behind && behind[i] && behind[i + 1]);
    if (piece && piece[2] === hidden) piece[1] = i + 1;
    else found.push(piece = [i, i + 1, hidden]);
  }
  return found;
}

// Lines along points, from one of them on, so many, and so far apart. One that is not on the view breaks the line.
export function tracePath(pen, points, from, count, apart = 1) {
  let drawing = false;
  for (let n = 0; n < count; n++) {
    const i = 2 * (from + n * apart);
    const [x, y] = [points[i], points[i + 1]];
    if (Number.isNaN(x) || Number.isNaN(y)) drawing = false;
    else if (drawing) pen.lineTo(x, y);
    else { pen.moveTo(x, y); drawing = true; }
  }
}
