// The racers' names at their heads: none covers another or a head, and none runs out of the view.
//
// A name keeps its side while it plays, unless it must change. Whoever leads has a mark.

import { LEADS } from "./leader.js";
import { isCurve, pointAt } from "./paths.js";

const FONT_SIZE = 12;
const SMALL_VIEW = 330; // a narrower one names whoever leads, and no more
const SMALL_STAGE = 480;
const EDGE = 3; // between a name and the edge of the view, and more
const GAPS = [5, 18, 32, 48, 66, 86]; // how far from a marker a name may be, from the nearest on
const GLANCES = 10; // a new place is looked for that stays free, over so many glances ahead
const AHEAD = 1 / 20; // of the run: so far ahead is the last of them
const FAR = 1.5; // a place that is one gap farther away must stay free for so many glances more
const MARGIN = 4; // so much room there must be before a name comes nearer again
const STEADY = 0.4; // of a line: on a curve, names change places when one is so much past the other
const SMOOTH = 0.03; // of the run: while it plays, a name on a curve stands at the height that it had on average over so much
const TURNS = Array.from({ length: 16 }, (_, i) => (i * Math.PI) / 8);
// right, left, then the corners, then above and below
const NEAR = [0, 8, 14, 2, 10, 6, 12, 4].map((i) => TURNS[i]);
const STILL = []; // the drift of what does not move
const READABLE = 4.5; // WCAG 1.4.3, for text

// Puts what it placed on the view: view.labels, each with its box, and the place that a line leads to.
export function placeLabels(view, pen, heads, { start, leads }) {
  const { scale, tracks } = view.stage;
  view.font ??= getComputedStyle(view.stage.root).fontFamily;
  pen.font = `600 ${FONT_SIZE * scale}px ${view.font}`;
  const area = roomFor(isCurve(view) ? view.clip : [0, 0, view.plot.clientWidth, view.plot.clientHeight]);
  const height = Math.round(FONT_SIZE * 1.3) * scale;
  const mark = pen.measureText(` ${LEADS}`).width;
  const small = view.plot.clientWidth < SMALL_VIEW * scale || view.stage.root.clientWidth < SMALL_STAGE;
  const named = heads.filter((head) => tracks.length > 1 && heads.length > 1 && (!small || head.track === leads));
  const wanted = named.map((head) => ({
    name: head.name, text: head.name, head, height, width: pen.measureText(head.name).width + mark, mark,
    leads: head.track === leads, color: (head.track.textColor ??= legible(view.stage, head.track.color)),
  }));
  const kept = remembered(view);
  if (isCurve(view)) view.labels = inColumn(view, wanted.filter(({ head }) => !head.off), area, kept);
  else view.labels = around(wanted, start && startLabel(view, pen, start, height), heads, area, kept, view);
  view.placed = { at: view.stage.at, playing: view.stage.playing, labels: view.labels };
}

// where the names were in the frame before; standing elsewhere, they are placed as if for the first time
function remembered({ stage, placed }) {
  if (!placed || !(stage.playing || placed.playing || placed.at === stage.at)) return new Map();
  return new Map(placed.labels.map((label, order) => [label.name, { ...label, order }]));
}

const roomFor = ([left, top, width, height]) => ({ left: left + EDGE, top: top + EDGE, right: left + width - EDGE, bottom: top + height - EDGE });

// The boxes of the words that stand on a view already. To be called when the paths have been put on the screen anew.
export function findWords(view) {
  const { plot, caption } = view;
  const frame = plot.getBoundingClientRect();
  const still = [...plot.querySelectorAll(".annotation-text-g, .textpoint, .xtick text, .ytick text, .xtitle, .ytitle"), caption, ...view.box.querySelectorAll("button")];
  view.words = still.map((words) => {
    const { left, top, right, bottom } = words.getBoundingClientRect();
    return [left - frame.left, top - frame.top, right - frame.left, bottom - frame.top];
  });
  for (const trace of plot._fullData) if (trace.type === "scatter3d") view.words.push(...wordsInScene(view, trace));
}

// Plotly draws them on its own canvas, beside their points
function wordsInScene({ project }, { x, y, z, text, textposition, textfont }) {
  const words = Array.isArray(text) ? text : [];
  return words.flatMap((word, i) => {
    const [left, top] = project(x[i], y[i], z[i]);
    if (!word || Number.isNaN(left)) return [];
    const [width, height] = [0.6 * textfont.size * word.length, 1.5 * textfont.size];
    const across = textposition.includes("right") ? 0 : textposition.includes("left") ? -width : -width / 2;
    const down = textposition.includes("bottom") ? 0 : textposition.includes("top") ? -height : -height / 2;
    return [[left + across, top + down, left + across + width, top + down + height]];
  });
}

function startLabel({ stage }, pen, [x, y], height) {
  const head = { x, y, place: [x, y], size: 9 * stage.scale, drift: Array(stage.playing ? GLANCES : 0).fill([0, 0]) };
  return { name: "", text: "start", head, height, width: pen.measureText("start").width, mark: 0, leads: false, color: stage.color("var(--st-text-color)"), turns: [12, 4, 0, 8].map((i) => TURNS[i]) };
}

// ---- on a plane and in a scene: around the heads

function around(wanted, start, heads, area, kept, view) {
  for (const head of heads) head.drift = drift(view, head);
  const taken = [...view.words.map((box) => ({ box, drift: STILL })), ...heads.map(({ x, y, size, drift }) => ({ box: boxAround(x, y, size + 1), drift }))];
  const all = start ? [...wanted, start] : wanted;
  // first those that keep their side, so that nobody drives them away
  const order = (label) => (kept.has(label.name) ? 0 : 2) + (label.leads || label === start ? 0 : 1);
  for (const label of [...all].sort((a, b) => order(a) - order(b))) {
    const place = findPlace(label, taken, area, kept.get(label.name));
    if (!place) continue;
    Object.assign(label, place);
    taken.push({ box: boxOf(label), drift: label.head.drift });
  }
  return all.filter(({ left }) => left !== undefined).map((label) => ({ ...label, line: label === start ? null : leaderLine(label) }));
}

// how far a racer will have moved at each glance ahead, while it plays
function drift({ stage, pixels }, { track, place }) {
  if (!stage.playing) return STILL;
  const points = pixels[stage.tracks.indexOf(track)];
  return Array.from({ length: GLANCES }, (_, i) => {
    const at = Math.min(stage.last, stage.at + ((i + 1) / GLANCES) * AHEAD * stage.last);
    const record = Math.floor(at);
    const [x, y] = pointAt(points, record, at - record);
    return [x - place[0], y - place[1]];
  });
}

// The place where a name stood, if it is still free; else, of those that are free, one that is near and stays free long.
function findPlace(label, taken, area, before) {
  const { drift } = label.head;
  const attempt = (turn, ring, drift, margin = 0) => {
    const place = beside(label, turn, GAPS[ring]);
    const box = [place.left, place.top, place.left + label.width, place.top + label.height];
    const free = stepsFree(box, drift, taken, area, margin);
    return free < 0 ? null : { place: { ...place, turn, ring }, worth: free - FAR * ring };
  };
  if (before?.turn !== undefined) {
    for (let ring = 0; ring <= before.ring; ring++) {
      const found = attempt(before.turn, ring, STILL, ring < before.ring ? MARGIN : 0);
      if (found) return found.place;
    }
  }
  let best = null;
  for (let ring = 0; ring < GAPS.length; ring++) {
    if (best && best.worth >= drift.length - FAR * ring) break; // no farther one is worth more
    for (const turn of label.turns ?? outward(label.head, ring ? TURNS : NEAR)) {
      const found = attempt(turn, ring, drift);
      if (found && !(best?.worth >= found.worth)) best = found;
    }
  }
  return best?.place ?? null;
}

// for how many glances ahead a box that moves along with its racer meets nothing; -1: not even now
function stepsFree([left, top, right, bottom], drift, taken, area, margin) {
  if (!(left >= area.left && top >= area.top && right <= area.right && bottom <= area.bottom)) return -1;
  for (let i = -1; i < drift.length; i++) {
    const [dx, dy] = i < 0 ? [0, 0] : drift[i];
    for (const other of taken) {
      const [ox, oy] = other.drift[i] ?? [0, 0];
      const [x, y] = [dx - ox, dy - oy];
      const [l, t, r, b] = other.box;
      if (left + x - margin < r && right + x + margin > l && top + y - margin < b && bottom + y + margin > t) return i;
    }
  }
  return drift.length;
}

// a marker that was moved away from its place has its name on the far side
function outward({ x, y, place }, turns) {
  const [dx, dy] = [x - place[0], y - place[1]];
  if (Math.hypot(dx, dy) < 2) return turns;
  const along = (turn) => dx * Math.cos(turn) + dy * Math.sin(turn);
  return [...turns].sort((a, b) => along(b) - along(a));
}

function beside({ head, width, height }, turn, gap) {
  const [ux, uy] = [Math.cos(turn), Math.sin(turn)];
  const side = Math.abs(ux) > 0.3 ? Math.sign(ux) : 0;
  const [x, y] = [head.x + ux * (head.size + gap), head.y + uy * (head.size + gap + height / 2)];
  return { side, left: x + (side - 1) * (width / 2), top: y - height / 2 };
}

// ---- on a curve: in a column beside the heads, in the order of their heights

function inColumn({ stage, pixels }, wanted, area, kept) {
  if (!wanted.length) return [];
  const widest = Math.max(...wanted.map(({ width }) => width));
  const gap = GAPS[0] + wanted[0].head.size;
  const x = Math.max(...wanted.map(({ head }) => head.x));
  const side = x + gap + widest <= area.right ? 1 : -1;
  if (side < 0 && x - gap - widest < area.left) return [];
  const { height } = wanted[0];
  // whoever leads is among those for whom there is room
  const fitting = [...wanted].sort((a, b) => b.leads - a.leads).slice(0, Math.floor((area.bottom - area.top) / height));
  for (const label of fitting) label.aim = meanHeight(pixels[stage.tracks.indexOf(label.head.track)], stage, area) - height / 2;
  const column = inOrder(fitting, kept, STEADY * height);
  return stack(column.map(({ aim }) => aim), height, area).map((top, i) => {
    const label = { ...column[i], side, top, left: side > 0 ? x + gap : x - gap - column[i].width };
    return { ...label, line: leaderLine(label) };
  });
}

// the height of a curve, while it plays the mean over the last steps; what is off the view counts as on its edge
function meanHeight(points, { at, last, playing }, area) {
  const count = playing ? Math.max(1, Math.round(SMOOTH * last)) : 1;
  let sum = 0;
  for (let back = 0; back < count; back++) {
    const now = Math.max(0, at - back);
    const record = Math.floor(now + 1e-6);
    const [, y] = pointAt(points, record, now - record);
    sum += Math.max(area.top, Math.min(area.bottom, y));
  }
  return sum / count;
}

// sorted by their aims; those that stood in another order change it when they are clearly past each other
function inOrder(labels, kept, steady) {
  if (!labels.every(({ name }) => kept.has(name))) return [...labels].sort((a, b) => a.aim - b.aim);
  const sorted = [...labels].sort((a, b) => kept.get(a.name).order - kept.get(b.name).order);
  for (let i = 1; i < sorted.length; i++) {
    for (let j = i; j > 0 && sorted[j - 1].aim > sorted[j].aim + steady; j--) [sorted[j - 1], sorted[j]] = [sorted[j], sorted[j - 1]];
  }
  return sorted;
}

// Tops of lines so high, in this order, inside the area: as near to their aims as they get without covering each other.
function stack(aims, height, { top, bottom }) {
  const blocks = [];
  aims.forEach((aim, i) => {
    blocks.push({ sum: aim - i * height, count: 1 });
    while (blocks.length > 1) {
      const [a, b] = blocks.slice(-2);
      if (a.sum / a.count <= b.sum / b.count) break;
      blocks.splice(-2, 2, { sum: a.sum + b.sum, count: a.count + b.count });
    }
  });
  const shifts = blocks.flatMap(({ sum, count }) => Array(count).fill(sum / count));
  return shifts.map((shift, i) => Math.max(top, Math.min(bottom - aims.length * height, shift)) + i * height);
}

// ---- drawing

export function drawLabels(view, pen) {
  const { stage, labels } = view;
  const { scale } = stage;
  pen.font = `600 ${FONT_SIZE * scale}px ${view.font}`;
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  for (const { line, color } of labels) if (line) drawLine(pen, line, [[stage.ink, 3 * scale], [color, scale]]);
  for (const label of labels) {
    const { text, mark, side, leads, left, top, width, height, color } = label;
    // the mark on the far side of the name, where there is always room for it
    const words = !leads ? text : side < 0 ? `${LEADS} ${text}` : `${text} ${LEADS}`;
    pen.textAlign = side < 0 ? "right" : "left";
    const at = [side < 0 ? left + width : left + (side === 0 && !leads ? mark / 2 : 0), top + height / 2];
    pen.lineWidth = 4 * scale;
    pen.strokeStyle = stage.ink; // of the page
    pen.strokeText(words, ...at);
    pen.fillStyle = color;
    pen.fillText(words, ...at);
  }
}

function drawLine(pen, [from, to], strokes) {
  for (const [color, width] of strokes) {
    pen.strokeStyle = color;
    pen.lineWidth = width;
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(...to);
    pen.stroke();
  }
}

// from a marker's edge to its name, where that is not right beside it
function leaderLine({ head, side, left, top, width, height }) {
  const to = [side > 0 ? left - 1 : side < 0 ? left + width + 1 : left + width / 2, top + (side ? height / 2 : head.y > top ? height : 0)];
  const [dx, dy] = [to[0] - head.x, to[1] - head.y];
  const length = Math.hypot(dx, dy);
  if (length < head.size + GAPS[0] + 5) return null;
  return [[head.x + (dx / length) * head.size, head.y + (dy / length) * head.size], to];
}

const boxAround = (x, y, reach) => [x - reach, y - reach, x + reach, y + reach];
const boxOf = ({ left, top, width, height }) => [left, top, left + width, top + height];

// ---- colour

// A colour, moved toward that of the text until it can be read on the page.
function legible(stage, color) {
  const [page, text] = ["var(--st-background-color)", "var(--st-text-color)"].map((name) => stage.color(name));
  let found = color;
  for (let share = 0.1; share < 1 && contrast(found, page) < READABLE; share += 0.1) found = mixed(color, text, share);
  return found;
}

const channels = (color) => [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));

function mixed(one, other, share) {
  const others = channels(other);
  return `#${channels(one).map((part, i) => Math.round(part + share * (others[i] - part)).toString(16).padStart(2, "0")).join("")}`;
}

function contrast(one, other) { // WCAG 2.2
  const light = (color) => {
    const [r, g, b] = channels(color).map((part) => (part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}
