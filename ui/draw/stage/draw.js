// What moves on one view: paths, heads, names, lines, wireframes, arrows, on the two canvases above its still figure.

import { drawMarks } from "./asked.js";
import { drawGhost, findGhost } from "./ghost.js";
import { drawHead, drawTie, findHeads } from "./heads.js";
import { findHidden } from "./hidden.js";
import { drawLabels, findWords, placeLabels } from "./labels.js";
import { leader } from "./leader.js";
import { aheadPass, isShown, pastPasses, pathLengths, strokeTail, tailStart, tracePath, useCasing, useStroke } from "./paths.js";
import { drawTrials } from "./trials.js";

export function draw(view, all) {
  const { stage } = view;
  if (!view.shown || !stage.tracks || !view.plot._fullLayout || !view.missing.hidden) return;
  if (!view.pixels || view.pixels.length !== stage.tracks.length) {
    view.pixels = view.pathsOnScreen();
    if (!view.pixels) return;
    view.lengths = view.pixels.map(pathLengths);
    findHidden(view);
    findWords(view);
    findGhost(view);
    all = true;
  }
  const record = Math.floor(stage.at + 1e-6);
  const part = record < stage.last ? Math.max(0, stage.at - record) : 0;
  const tail = tailStart(stage, record);
  if (all || tail !== view.tail) {
    const ghost = (pen) => drawGhost(view, pen, drawLine);
    paint(view, 0, [...(stage.revealed ? [aheadPass(view, tail)] : []), ...pastPasses(view, tail)], { before: ghost });
  }
  view.tail = tail;
  const path = (pen, k) => {
    if (view.pixels[k].length) strokeTail(view, pen, k, tail, record, part);
  };
  paint(view, 1, [
    (pen, track, k) => {
      useCasing(pen, stage);
      if (view.spec.line) drawLine(view, pen, stage.valuesAt(track, view.spec.line));
      path(pen, k);
    },
    (pen, track, k) => {
      if (view.sheet) drawSheet(view, pen, track);
      pen.globalAlpha = 1;
      useStroke(pen, track, stage);
      if (view.spec.line) drawLine(view, pen, stage.valuesAt(track, view.spec.line));
      path(pen, k);
      pen.globalAlpha = 1;
      pen.setLineDash([]);
      if (view.spec.arrow) drawArrow(view, pen, track);
      drawTrials(view, pen, track);
      stage.apart?.drawArrows(view, pen, track);
    },
  ], { after: (pen) => {
    const start = view.spec.start && Number.isFinite(view.pixels[0][0]) ? view.pixels[0].slice(0, 2) : null;
    if (start) drawStart(view, pen, ...start);
    view.heads = findHeads(view, record, part);
    placeLabels(view, pen, view.heads, { start, leads: leader(stage, record) });
    for (const head of view.heads) drawTie(view, pen, head);
    for (const head of [...view.heads].reverse()) drawHead(view, pen, head);
    drawLabels(view, pen);
    drawMarks(view, pen);
    view.hand?.place();
  } });
}

// across the plot, and no further up and down than it is high: a dash that runs on for miles is slow
function drawLine(view, pen, [intercept, slope]) {
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
  pen.setLineDash([]);
  pen.strokeStyle = track.color;
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

// Draws on one of the canvases: what lies below, then one pass after the other, each over all racers that are shown; then
// what is not clipped.
function paint(view, layer, passes, { before, after }) {
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
  before?.(pen);
  for (const pass of passes) {
    stage.tracks.forEach((track, k) => {
      if (!isShown(view, track)) return;
      pen.strokeStyle = pen.fillStyle = track.color;
      pen.globalAlpha = 1;
      pass(pen, track, k);
    });
  }
  pen.restore();
  after?.(pen);
}

function drawStart({ stage }, pen, x, y) {
  const { scale } = stage;
  for (const [color, width] of [[stage.ink, 3], [stage.color("var(--st-text-color)"), 1.2]]) {
    pen.strokeStyle = color;
    pen.lineWidth = width * scale;
    pen.beginPath();
    pen.arc(x, y, 10 * scale, 0, 7);
    pen.stroke();
  }
}
