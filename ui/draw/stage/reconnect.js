let rerun = null;

// Once Streamlit has reconnected it asks for no run. A change that was on its way when the connection broke would stand in
// its widget alone, and the page beside it would show what was before. So a run is asked for here, with all widgets.
export function rerunWhenReconnected(ask) {
  const watched = rerun !== null;
  rerun = ask;
  const app = document.querySelector("[data-test-connection-state]");
  if (watched || !app) return;
  let lost = false;
  new MutationObserver(() => {
    const connected = app.dataset.testConnectionState === "CONNECTED";
    if (connected && lost) rerun();
    lost = !connected;
  }).observe(app, { attributeFilter: ["data-test-connection-state"] });
}
