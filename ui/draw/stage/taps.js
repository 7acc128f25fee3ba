const MARKS = "[data-testid=stPlotlyChart] .nsewdrag";
let watched = false;

// Where marks can be chosen, Plotly holds a finger fast that is to scroll the page, and finds no mark under a tap: an
// event of a touch has no place. Without them the page scrolls, and Plotly hears the click that browsers make of a tap.
export function chooseMarksByTaps() {
  if (watched) return;
  watched = true;
  const keep = (event) => { if (event.target.closest?.(MARKS)) event.stopPropagation(); };
  window.addEventListener("touchstart", keep, { capture: true, passive: true });
}
