// The stage as it stands now, apart from the one on the page: drawn at another moment, nothing moves on the page.

// Everything that drawing reads is the frozen stage's own; the rest is looked up on the live one.
export function freeze(stage) {
  const { tracks, steps, last, at, revealed, numbers, index, width } = stage;
  const frozen = Object.assign(Object.create(stage), { tracks, steps, last, at, revealed, numbers, index, width });
  frozen.hidden = new Set(stage.hidden);
  frozen.views = new Map([...stage.views].filter(([, view]) => view.shown && view.box.clientWidth).map(([name, view]) => {
    // `looking`, `lookedAt`: what is found out about the paths anew, here and at once
    const own = { stage: frozen, plot: asItIs(view.plot), pixels: null, spec: view.spec, sheet: view.sheet, looking: null, lookedAt: null };
    return [name, Object.assign(Object.create(view), own)];
  }));
  return frozen;
}

// a plot with the size and the axes that it has now
function asItIs(plot) {
  const { clientWidth, clientHeight, _fullLayout } = plot;
  const now = { clientWidth, clientHeight, _fullLayout };
  const get = (live, key) => (key in now ? now[key] : typeof live[key] === "function" ? live[key].bind(live) : live[key]);
  return new Proxy(plot, { get });
}

// Have a frozen view draw with two pens of one's own: one for the whole paths, one for the moment. A CSS pixel of the view
// is `scale` pixels of the pens.
export function usePens(view, pens, scale) {
  const { clientWidth, clientHeight } = view.plot;
  view.canvases = pens.map((pen) => {
    const setTransform = pen.setTransform;
    // by numbers, the stage sets the scale of the screen, and nothing else
    pen.setTransform = (...to) => setTransform.apply(pen, typeof to[0] === "number" ? [scale, 0, 0, scale, 0, 0] : to);
    return { width: 0, height: 0, style: {}, clientWidth, clientHeight, getContext: () => pen };
  });
}
