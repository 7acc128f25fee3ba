// How far a visitor is in each story, kept in the browser: { name: { step: the furthest, done: the questions too } }.
// In a private window a browser may refuse to keep anything: then nothing is kept, and all else works.

const KEPT = "playground-stories";

function readProgress() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT));
    return kept && typeof kept === "object" ? kept : {};
  } catch {
    return {};
  }
}

function keepProgress(story, step, done) {
  const all = readProgress();
  const before = all[story] ?? {};
  all[story] = { step: Math.max(step, before.step || 0), done: done || before.done === true };
  try {
    localStorage.setItem(KEPT, JSON.stringify(all));
  } catch { /* not kept */ }
}
