// Clicks on a view, told apart from drags, menus and double clicks.

const CLICK_PIXELS = 4; // a press that never moves farther is a click
export const DOUBLE_CLICK_MILLISECONDS = 350; // two presses within this are one double click, here and for Plotly

// A press sends where it was, once it is known not to be a drag, a menu or one of the two of a double click.
export function listenForClicks(view, name) {
  view.box.dataset.click = name;
  let press = null; // where and when it began, while it may still become a click
  view.pressed = -Infinity; // when the press before began
  view.clicked = null; // what will be sent
  const send = () => {
    clearTimeout(view.clicking);
    if (view.clicked) view.stage.trigger(name, view.clicked);
    view.clicked = null;
  };
  const far = (event) => Math.hypot(event.clientX - press.x, event.clientY - press.y) > CLICK_PIXELS;
  const hear = (type, act) => window.addEventListener(type, act, { capture: true, signal: view.heard.signal });
  view.heard = new AbortController();
  hear("pointerdown", (event) => {
    press = null;
    if (!view.plot.contains(event.target)) return send(); // no second click is coming
    const double = event.timeStamp - view.pressed < DOUBLE_CLICK_MILLISECONDS;
    view.pressed = event.timeStamp;
    if (double) view.clicked = null;
    // on a Mac, Ctrl and a click open the menu
    if (double || !event.isPrimary || event.button !== 0 || event.ctrlKey) return;
    press = { x: event.clientX, y: event.clientY, at: event.timeStamp };
  });
  hear("pointermove", (event) => { if (press && far(event)) press = null; });
  for (const type of ["pointercancel", "contextmenu"]) hear(type, () => { press = null; });
  hear("pointerup", (event) => {
    if (!press || far(event)) return void (press = null);
    const wait = press.at + DOUBLE_CLICK_MILLISECONDS - event.timeStamp;
    press = null;
    const { xaxis, yaxis } = view.plot._fullLayout;
    const frame = view.plot.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left - xaxis._offset, event.clientY - frame.top - yaxis._offset];
    if (x < 0 || y < 0 || x > xaxis._length || y > yaxis._length) return;
    view.clicked = [xaxis.p2d(x), yaxis.p2d(y)];
    clearTimeout(view.clicking);
    view.clicking = setTimeout(send, Math.max(0, wait));
  });
}
