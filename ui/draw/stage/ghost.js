// A run that is kept: faint dotted lines behind the runs that come after it, wherever they run on the same figures.

import { tracePath } from "./paths.js";

const STRENGTH = 0.55;
const DOTS = [1.5, 3.5];

// Keep the run that is shown, or let go of the one that is kept.
export function pin(stage) {
  stage.pinned = stage.pinned ? null : { still: stage.message.still, tracks: stage.tracks };
  for (const view of stage.views.values()) findGhost(view);
  showPin(stage);
  stage.draw(true);
}

export function showPin({ parts, pinned, index }) {
  parts.pin.hidden = index.digits !== null; // no run, but a value that moves
  parts.pin.setAttribute("aria-pressed", Boolean(pinned));
}

// Where the paths of the kept run are on the screen. To be called when those of this run have been put there anew.
export function findGhost(view) {
  const { pinned, message } = view.stage;
  view.ghost = pinned?.still === message.still && view.project ? view.pathsOnScreen(pinned.tracks) : [];
}

// its whole paths; on a view with lines, each as it was at the end
export function drawGhost(view, pen, drawLine) {
  const { scale, hidden, pinned } = view.stage;
  pen.globalAlpha = STRENGTH;
  pen.lineWidth = 2 * scale;
  pen.setLineDash(DOTS.map((length) => length * scale));
  view.ghost.forEach((points, k) => {
    const track = pinned.tracks[k];
    if (hidden.has(track.name)) return;
    pen.strokeStyle = track.color;
    pen.lineDashOffset = 0;
    if (view.spec.line) drawLine(view, pen, view.spec.line.map((name) => track.values[name].at(-1)));
    pen.beginPath();
    tracePath(pen, points, 0, points.length / 2);
    pen.stroke();
  });
}
