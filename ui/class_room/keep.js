// What a reload of the tab would lose: a student's seats, in this browser, and the teacher's key, in this tab alone; each
// by the code of its class. In a private window a browser may refuse to keep anything: then a reload is a new seat.

const KEPT = "playground-class";
const MOST = 50; // classes; the oldest are forgotten
const told = new Set(); // what the server has heard in answer to a seat that it gave, and may have refused

function read(store) {
  try {
    return Object.entries(JSON.parse(store().getItem(KEPT)) ?? {});
  } catch {
    return [];
  }
}

function find(store, code) {
  return String(read(store).find(([one]) => one === code)?.[1] ?? "");
}

function write(store, code, what) {
  const others = read(store).filter(([one]) => one !== code);
  try {
    store().setItem(KEPT, JSON.stringify(Object.fromEntries([...others, [code, what]].slice(-MOST))));
  } catch { /* not kept */ }
}

const inBrowser = () => localStorage;
const inTab = () => sessionStorage;

export default function ({ data, setTriggerValue }) {
  const { code, seat, key, waits } = data; // waits: until it is known who this is
  if (key) return write(inTab, code, key);
  const kept = { key: find(inTab, code), seat: find(inBrowser, code) };
  if (!kept.seat) write(inBrowser, code, seat);
  // whoever comes back without a reload is given another seat, and is to have the one from before again
  const before = `${code} ${kept.key} ${kept.seat} ${seat}`;
  if ((waits || kept.key || (kept.seat && kept.seat !== seat)) && !told.has(before)) {
    told.add(before);
    setTriggerValue("kept", kept);
  }
}
