// What a reload of the tab would lose: a student's seat, in this browser, and the teacher's key, in this tab alone.
// In a private window a browser may refuse to keep anything: then a reload is a new seat, and all else works.

const KEPT = "playground-class";
const told = new Set(); // the server has heard of it, and may have refused

function read(store) {
  try {
    return JSON.parse(store().getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function write(store, what) {
  try {
    store().setItem(KEPT, JSON.stringify(what));
  } catch { /* not kept */ }
}

const inBrowser = () => localStorage;
const inTab = () => sessionStorage;

export default function ({ data, setTriggerValue }) {
  const { code, seat, key } = data;
  if (key) return write(inTab, { code, key });
  const [mine, sat] = [read(inTab), read(inBrowser)];
  const kept = { key: mine.code === code ? String(mine.key) : "", seat: sat.code === code ? String(sat.seat) : "" };
  if (!kept.seat) write(inBrowser, { code, seat });
  const before = `${code} ${kept.key} ${kept.seat}`;
  if ((kept.key || (kept.seat && kept.seat !== seat)) && !told.has(before)) {
    told.add(before);
    setTriggerValue("kept", kept);
  }
}
