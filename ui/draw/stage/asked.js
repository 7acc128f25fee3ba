// A run that is held back until a question is answered, the places that are marked on its map, and its end.

const SIZE = 7; // half of a mark's width
const HELD = "The run is held back until the question is answered";
const WAITS = "The run is on its way";

// Nothing can be played while a run is held back, or on its way.
export function holdBack({ parts, message }) {
  const held = message.held !== undefined;
  for (const part of [parts.play, parts.back, parts.forward, parts.scrub]) part.disabled = held;
  parts.play.title = message.waits ? WAITS : held ? HELD : "Play or pause (space)";
}

// Python waits for the end of a run: it is told once.
export function reportEnd(stage) {
  if (!stage.message.tells_end || stage.toldEnd === stage.scene || stage.at < stage.last) return;
  stage.toldEnd = stage.scene;
  stage.trigger("seen", true);
}

// where a word stands: on the other side of its place where there is no room
const keepInside = (at, place, low, high) => (at < low || at > high ? 2 * place - at : at);

// A ring with a cross-hair at each marked place, and its word above it; below it for the second one. A place without a
// word, of which there may be hundreds, is a dot.
export function drawMarks(view, pen) {
  const { stage, spec } = view;
  if (!spec.marks || !view.clip) return;
  const { scale } = stage;
  const [left, top, width, height] = view.clip;
  const size = SIZE * scale;
  const text = stage.color("var(--st-text-color)");
  pen.font = `600 ${12 * scale}px ${getComputedStyle(stage.root).fontFamily}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.setLineDash([]);
  const first = spec.marks.findIndex(([, , word]) => word);
  for (const [k, [x, y, word]] of spec.marks.entries()) {
    const place = view.project(x, y);
    const px = Math.max(left, Math.min(left + width, place[0]));
    const py = Math.max(top, Math.min(top + height, place[1]));
    if (!word) {
      pen.beginPath();
      pen.arc(px, py, 0.6 * size, 0, 7);
      pen.strokeStyle = stage.ink;
      pen.lineWidth = 2.5 * scale;
      pen.stroke();
      pen.fillStyle = text;
      pen.fill();
      continue;
    }
    for (const [color, wide] of [[stage.ink, 5], [text, 2]]) {
      pen.strokeStyle = color;
      pen.lineWidth = wide * scale;
      pen.beginPath();
      pen.arc(px, py, size, 0, 7);
      for (const [dx, dy] of [[1, 0], [0, 1]]) {
        pen.moveTo(px - 1.6 * size * dx, py - 1.6 * size * dy);
        pen.lineTo(px + 1.6 * size * dx, py + 1.6 * size * dy);
      }
      pen.stroke();
    }
    const half = pen.measureText(word).width / 2;
    const at = [Math.max(left + half, Math.min(left + width - half, px)), keepInside(py + (k === first ? -2.4 : 2.4) * size, py, top + size, top + height - size)];
    pen.strokeStyle = stage.ink;
    pen.lineWidth = 4 * scale;
    pen.strokeText(word, ...at);
    pen.fillStyle = text;
    pen.fillText(word, ...at);
  }
  pen.textAlign = "start";
}
