// A run that is held back until a question is answered, the places that are marked on its map, and its end.

const SIZE = 7; // half of a mark's width
const WAITS = "The run is held back until the question is answered";

// Nothing can be played while a run is held back.
export function holdBack({ parts, message }) {
  const held = message.held !== undefined;
  for (const part of [parts.play, parts.back, parts.forward, parts.scrub]) part.disabled = held;
  parts.play.title = held ? WAITS : "Play or pause (space)";
}

// Python waits for the end of a run: it is told once.
export function reportEnd(stage) {
  if (!stage.message.tells_end || stage.toldEnd === stage.scene || stage.at < stage.last) return;
  stage.toldEnd = stage.scene;
  stage.trigger("seen", true);
}

// A cross at each marked place, with its word beside it.
export function drawMarks(view, pen) {
  const { stage, spec } = view;
  if (!spec.marks || !view.clip) return;
  const { scale } = stage;
  const [left, top, width, height] = view.clip;
  pen.font = `600 ${12 * scale}px ${getComputedStyle(stage.root).fontFamily}`;
  pen.setLineDash([]);
  for (const [x, y, word] of spec.marks) {
    const place = view.project(x, y);
    const px = Math.max(left, Math.min(left + width, place[0]));
    const py = Math.max(top, Math.min(top + height, place[1]));
    const size = SIZE * scale;
    const end = px + size + 4 + pen.measureText(word).width > left + width;
    pen.textAlign = end ? "right" : "left";
    pen.textBaseline = "middle";
    for (const [color, wide] of [[stage.ink, 6], [stage.color("var(--st-text-color)"), 2.4]]) {
      pen.strokeStyle = color;
      pen.lineWidth = wide * scale;
      pen.beginPath();
      for (const turn of [-1, 1]) { pen.moveTo(px - size, py - size * turn); pen.lineTo(px + size, py + size * turn); }
      pen.stroke();
    }
    const at = px + (end ? -1 : 1) * (size + 4 * scale);
    pen.strokeStyle = stage.ink;
    pen.lineWidth = 4 * scale;
    pen.strokeText(word, at, py);
    pen.fillStyle = stage.color("var(--st-text-color)");
    pen.fillText(word, at, py);
  }
}
