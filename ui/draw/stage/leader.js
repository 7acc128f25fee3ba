// Who leads: the racer of those shown whose loss is the lowest at a record.

import { element } from "./parts.js";

// nobody where there is no loss, or where all have the same, as at the start
export function leader(stage, record) {
  if (!stage.numbers.some(({ key }) => key === "loss")) return null;
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

// A star at the name of whoever leads, in the table of numbers. Every row keeps its room, so that nothing moves.
export function markLeader(stage, record) {
  if (stage.tracks.length < 2) return;
  const leads = leader(stage, record);
  for (const track of stage.tracks) {
    const name = track.cells[0].parentElement.firstElementChild;
    let star = name.querySelector(".star");
    if (!star) name.append((star = element("span", { className: "star", role: "img", ariaLabel: "leads: the lowest loss" })));
    star.style.visibility = track === leads ? "visible" : "hidden";
  }
}
