// A finger over a view: up and down it scrolls the page, as it does elsewhere, and to the side it turns a scene. Plotly is
// told of no other touch, and would hold the page fast for each.
const place = ({ touches: [{ clientX, clientY }] }) => [clientX, clientY];

export function listenForSwipes(view) {
  let from = null; // where it came down, until its first move says what it is
  let scrolls = false;
  const hear = (type, act) => view.plot.addEventListener(type, act, { capture: true, passive: true });
  hear("touchstart", (event) => {
    if (!view.scene()) return event.stopPropagation();
    from = place(event);
    scrolls = event.touches.length > 1; // two zoom the page
    event.preventDefault = () => {}; // by Plotly, before it is known what it is
  });
  hear("touchmove", (event) => {
    const [across, down] = from ? place(event).map((to, i) => Math.abs(to - from[i])) : [0, 0];
    scrolls ||= down > across;
    from = null;
    if (scrolls) event.stopPropagation();
  });
}
