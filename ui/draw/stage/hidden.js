// Which points of the paths in a scene lie behind the surface, as seen from the camera.

const SAMPLES = 40; // of the surface's height, on the way from a point to the camera
const MAX_POINTS = 3000; // that are looked at: of more, some stand for those after them
const REST_MILLISECONDS = 150; // while the camera turns, what was found before stands
const SLACK = 0.003; // of the surface's height: so little above the way to the camera hides nothing

// To be called when the paths have been put on the screen anew. It fills view.behind: per track and record 0 or 1.
export function findHidden(view) {
  clearTimeout(view.looking);
  const { stage } = view;
  if (view.spec.path.length !== 3) return void (view.behind = null);
  if (view.lookedAt?.tracks !== stage.tracks || view.lookedAt.figure !== view.figure) return look(view);
  view.looking = setTimeout(() => {
    if (!view.box.isConnected || !view.shown || !view.scene()?.glplot) return;
    look(view);
    view.draw(true);
  }, REST_MILLISECONDS);
}

function look(view) {
  const { stage } = view;
  view.lookedAt = { tracks: stage.tracks, figure: view.figure, camera: view.seen };
  const ground = heights(view);
  if (!ground) return void (view.behind = null);
  const eye = cameraPlace(view.scene());
  const [low, high] = view.plot._fullLayout.scene.zaxis.range;
  const lift = view.spec.lift * (high - low);
  const count = stage.last + 1;
  const apart = Math.ceil((count * stage.tracks.length) / MAX_POINTS);
  view.behind = stage.tracks.map(({ values }, k) => {
    const [x, y, z] = view.spec.path.map((name) => values[name]);
    const lengths = view.lengths[k];
    const hidden = new Uint8Array(count);
    for (let i = 0; i < count; i += apart) {
      const rests = i > 0 && lengths[i] === lengths[i - apart] && !Number.isNaN(view.pixels[k][2 * (i - apart)]);
      hidden.fill(rests ? hidden[i - 1] : isHidden([x[i], y[i], z[i] + lift], eye, ground), i, i + apart);
    }
    return hidden;
  });
}

// the surface that is drawn, on its even grid; null where there is none
function heights(view) {
  const drawn = (trace) => trace.type === "surface" && trace.visible === true && !trace.hidesurface && typeof trace.x?.[0] === "number";
  const trace = view.plot._fullData.find(drawn);
  if (!trace) return null;
  const { x, y, z } = trace;
  let [low, high] = [Infinity, -Infinity];
  for (const row of z) for (const value of row) { if (value < low) low = value; if (value > high) high = value; }
  return { z, high, slack: SLACK * (high - low), axes: [x, y].map((axis) => [axis[0], axis[axis.length - 1] - axis[0], axis.length - 1]) };
}

// where the camera is, in the coordinates of the data: its view turns and moves, the scene's model stretches and moves
function cameraPlace({ glplot, dataScale }) {
  const { view, model } = glplot.cameraParams;
  return [0, 1, 2].map((i) => {
    const world = -(view[4 * i] * view[12] + view[4 * i + 1] * view[13] + view[4 * i + 2] * view[14]);
    return (world - model[12 + i]) / model[5 * i] / dataScale[i];
  });
}

// Goes from a point to the camera, with small steps at first, until it is above or beside the surface.
function isHidden(point, eye, { z, axes, high, slack }) {
  const at = axes.map(([first, length, cells], i) => ((point[i] - first) / length) * cells);
  const way = axes.map(([, length, cells], i) => ((eye[i] - point[i]) / length) * cells);
  const up = eye[2] - point[2];
  if (!at.every((place, i) => place >= 0 && place <= axes[i][2])) return 0;
  let end = up > 0 ? Math.min(1, (high - point[2]) / up) : 1;
  way.forEach((step, i) => { if (step !== 0) end = Math.min(end, ((step > 0 ? axes[i][2] : 0) - at[i]) / step); });
  if (!(end > 0)) return 0;
  for (let k = 1; k <= SAMPLES; k++) {
    const share = end * (k / SAMPLES) ** 1.6;
    const [column, row] = at.map((place, i) => place + share * way[i]);
    if (heightAt(z, column, row) > point[2] + share * up + slack) return 1;
  }
  return 0;
}

function heightAt(z, column, row) {
  const i = Math.max(0, Math.min(z.length - 2, Math.floor(row)));
  const j = Math.max(0, Math.min(z[0].length - 2, Math.floor(column)));
  const [down, right] = [row - i, column - j];
  return (1 - down) * ((1 - right) * z[i][j] + right * z[i][j + 1]) + down * ((1 - right) * z[i + 1][j] + right * z[i + 1][j + 1]);
}
