// The heads of the paths: where each racer is now, spread out where they share a place.

import { isCurve, isShown, pointAt } from "./paths.js";

const SIZE = 7; // half of a marker's width
const OFF_SIZE = 4; // of one that is off the frame
const PALE = 0.4; // of its colour, where the surface is in front of it
const APART = 12; // the middles of two markers are at least so far apart
const ROUNDS = 24;

// Each racer's marker: its `place` on the view, and where it is drawn (x, y).
export function findHeads(view, record, part) {
  const { stage } = view;
  const { scale } = stage;
  const heads = [];
  stage.tracks.forEach((track, k) => {
    const points = view.pixels[k];
    if (!points.length || !isShown(view, track)) return;
    const place = pointAt(points, record, part);
    if (place.some(Number.isNaN)) return;
    const off = view.clip ? keepInside(place, view.clip) : false;
    heads.push({
      track, name: track.name, place, off, size: (off ? OFF_SIZE : SIZE) * scale,
      lost: track.lost && stage.ended(track, stage.steps[record]),
      behind: Boolean(view.behind?.[k]?.[part < 0.5 ? record : record + 1]),
    });
  });
  const spots = isCurve(view) ? heads.map(({ place }) => place) : fanOut(heads.map(({ place }) => place), APART * scale);
  heads.forEach((head, i) => { [head.x, head.y] = spots[i]; });
  return heads;
}

// Moves a place to the edge of the frame where it is outside, and says whether it was.
function keepInside(place, [left, top, width, height]) {
  const inside = [Math.max(left, Math.min(left + width, place[0])), Math.max(top, Math.min(top + height, place[1]))];
  const off = Math.abs(inside[0] - place[0]) > 3 || Math.abs(inside[1] - place[1]) > 3;
  [place[0], place[1]] = inside;
  return off;
}

// Places that are the same become a circle, in their order; then those closer than `apart` are pushed apart. Places that
// move a little give spots that move a little: nothing jumps while it plays.
function fanOut(places, apart) {
  const spots = places.map(([x, y], i) => {
    // how many share its place, and how many of them come before it: those that are only near count in part
    let [count, before] = [1, 0];
    places.forEach((other, j) => {
      if (j === i) return;
      const share = Math.max(0, 1 - Math.hypot(x - other[0], y - other[1]) / apart) ** 2;
      count += share;
      if (j < i) before += share;
    });
    const radius = count < 2 ? ((count - 1) * apart) / 2 : apart / (2 * Math.sin(Math.PI / count));
    const turn = (2 * Math.PI * before) / count - Math.PI / 2;
    return [x + radius * Math.cos(turn), y + radius * Math.sin(turn)];
  });
  for (let round = 0; round < ROUNDS; round++) {
    const moves = spots.map(([x, y], i) => {
      let [dx, dy, close] = [0, 0, 0];
      spots.forEach((other, j) => {
        const ux = x - other[0], uy = y - other[1];
        const square = ux * ux + uy * uy;
        if (j === i || square >= apart * apart || square === 0) return;
        const distance = Math.sqrt(square);
        close++;
        dx += ((apart - distance) * ux) / distance;
        dy += ((apart - distance) * uy) / distance;
      });
      return close ? [dx / (close + 1), dy / (close + 1)] : null;
    });
    if (!moves.some(Boolean)) break;
    moves.forEach((move, i) => { if (move) spots[i] = [spots[i][0] + move[0], spots[i][1] + move[1]]; });
  }
  return spots;
}

// a thin line to the place that a marker was moved away from
export function drawTie(view, pen, { track, place, x, y, size }) {
  const { scale } = view.stage;
  if (Math.hypot(x - place[0], y - place[1]) < size / 2) return;
  for (const [color, width] of [[view.stage.ink, 3], [track.color, 1.2]]) {
    pen.strokeStyle = color;
    pen.lineWidth = width * scale;
    pen.beginPath();
    pen.moveTo(...place);
    pen.lineTo(x, y);
    pen.stroke();
  }
}

// Filled where it is seen, pale behind a hill, small and hollow at the edge of the frame that it has left.
export function drawHead(view, pen, { track, x, y, size, off, behind, lost }) {
  const { ink: page, scale } = view.stage;
  pen.beginPath();
  for (const [dx, dy] of track.marker) pen.lineTo(x + size * dx, y + size * dy);
  pen.closePath();
  pen.lineWidth = 3 * scale;
  pen.strokeStyle = page;
  pen.stroke();
  pen.fillStyle = page;
  pen.fill();
  pen.globalAlpha = off ? 0 : behind ? PALE : 1;
  pen.fillStyle = pen.strokeStyle = track.color;
  pen.fill();
  pen.globalAlpha = 1;
  if (off || behind) { pen.lineWidth = 1.6 * scale; pen.stroke(); }
  if (!lost) return;
  pen.lineWidth = 2.5 * scale; // it left the finite numbers here
  pen.beginPath();
  for (const turn of [-1, 1]) { pen.moveTo(x - 8 * scale, y - 8 * scale * turn); pen.lineTo(x + 8 * scale, y + 8 * scale * turn); }
  pen.stroke();
}
