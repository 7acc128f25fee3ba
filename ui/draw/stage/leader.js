// Who leads: the racer of those shown whose loss is the lowest at a record.

import { element } from "./parts.js";

export const LEADS = "①"; // beside the name of whoever leads
const hasLeader = (stage) => stage.tracks.length > 1 && stage.numbers.some(({ key }) => key === "loss");

// nobody where there is no loss, or where all have the same, as at the start
export function leader(stage, record) {
  if (!hasLeader(stage)) return null;
  let first = null;
  let differ = false;
  const loss = (track) => track.values.loss[record];
  for (const track of stage.tracks) {
    if (stage.hidden.has(track.name) || !Number.isFinite(loss(track))) continue;
    differ ||= first !== null && loss(track) !== loss(first);
    if (!first || loss(track) < loss(first)) first = track;
  }
  return differ ? first : null;
}

// A mark at the name of whoever leads, in the table of numbers. Every row keeps its room, so that nothing moves.
export function markLeader(stage, record) {
  if (!hasLeader(stage)) return;
  const leads = leader(stage, record);
  for (const track of stage.tracks) {
    const name = track.cells[0].parentElement.firstElementChild;
    let mark = name.querySelector(".leads");
    if (!mark) {
      mark = element("span", { className: "leads", role: "img", ariaLabel: "has the lowest loss", title: "the lowest loss at this step" });
      name.append(mark);
    }
    mark.style.visibility = track === leads ? "visible" : "hidden";
  }
}
