// A handout of two pages as one HTML file: the picture, the question and space for the answer; then the solution.

import { Sheet } from "./sheet.js";

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const HEX = /#[0-9a-f]{6}\b/gi;
const MANY = 6;
const PAPER = "#ffffff";
const INK = "#1d2936";
const VARIABLE = /--(?:figure|racer)-[\w-]+/g;

// Each colour of the stage as it is now, and as it is in the light theme: paper is white.
function toLight(stage) {
  let home = stage.root;
  while (!home.querySelector("style")) home = home.parentElement;
  const css = [...home.querySelectorAll("style")].map((sheet) => sheet.textContent).join("\n");
  const names = [...new Set(css.match(VARIABLE))].map((name) => `var(${name})`);
  const { status } = stage.parts;
  const all = () => names.map((name) => {
    status.style.color = name;
    const parts = getComputedStyle(status).color.match(/[0-9]+/g).slice(0, 3);
    return `#${parts.map((part) => (+part).toString(16).padStart(2, "0")).join("")}`;
  });
  const now = all();
  status.style.colorScheme = "light";
  // the variables are of the stage, and follow its scheme
  stage.root.style.colorScheme = "light";
  const light = all();
  stage.root.style.colorScheme = status.style.colorScheme = status.style.color = "";
  return { byName: new Map(names.map((name, i) => [name, light[i]])), byColor: new Map(now.map((color, i) => [color, light[i]])) };
}

// The stage at a moment, on white paper, without what is only on the screen.
class Picture extends Sheet {
  constructor(stage, labels, { at, revealed, only, without_line: withoutLine, hidden }) {
    const { byName, byColor } = toLight(stage);
    super(stage, { title: "", settings: [], labels }, false, (sheet) => {
      const frozen = sheet.stage;
      Object.assign(frozen, { at, revealed, apart: null, ink: PAPER, colors: new Map(byName) });
      if (!revealed) frozen.pinned = null;
      for (const name of ["--st-text-color", "--st-background-color"]) frozen.colors.set(`var(${name})`, name.includes("text") ? INK : PAPER);
      frozen.tracks = frozen.tracks.map((track) => ({ ...track, color: byName.get(track.variable) ?? track.color }));
      for (const [name, view] of frozen.views) {
        if ((only && name !== only) || hidden.includes(name)) frozen.views.delete(name);
        view.spec = { ...view.spec, marks: revealed ? view.spec.marks : undefined };
        if (withoutLine) Object.assign(view.spec, { line: null, caption: withoutLine });
      }
      sheet.views = [...frozen.views.values()];
      sheet.colors = { paper: PAPER, ink: INK, edge: "#c8d0d8" };
    });
    this.light = (text) => text.replace(HEX, (color) => byColor.get(color.toLowerCase()) ?? color);
  }

  // what Plotly drew it from, in the light colours
  given(view) {
    const { data, layout } = JSON.parse(this.light(view.figure));
    return { data, layout: { ...layout, margin: { ...layout.margin, t: Math.max(layout.margin?.t ?? 0, 32) } } };
  }

  async address() {
    await this.drawStill(() => {});
    const text = await this.picture();
    const reader = new FileReader();
    await new Promise((done, failed) => { reader.onload = done; reader.onerror = failed; reader.readAsDataURL(new Blob([text], { type: "image/svg+xml" })); });
    return reader.result;
  }
}

async function pictures(stage, words) {
  if (!stage) return [null, null];
  const { first, hidden, labels } = words;
  const start = first.at_start ? { at: 0, revealed: false } : { at: Math.min(first.at, stage.last), revealed: true };
  const made = [await new Picture(stage, { ...labels, ...first.labels }, { ...first, ...start, hidden }).address()];
  if (stage.message.held !== undefined) return [...made, null]; // the browser does not know the rest of it
  const end = first.at_start ? { at: stage.last, revealed: true } : start;
  return [...made, await new Picture(stage, labels, { ...end, hidden }).address()];
}

const picture = (address, words) => (address ? `<img src="${address}" alt="${escape(words)}">` : "");
const blank = '<span class="blank"></span>';
const lines = (what) => `<p class="small">${what}</p><div class="lines">${"<i></i>".repeat(16)}</div>`;

// the choices, with a cross at the right ones; many stand in two columns
function list(choices, right = []) {
  const entries = choices.map((words, i) => `<li class="${right.includes(i) ? "right" : ""}">${escape(words)}</li>`);
  return `<ul class="choices${choices.length > MANY ? " many" : ""}">${entries.join("")}</ul>`;
}

function answer({ question, choices, numbers }) {
  if (!question) return lines("Your notes:");
  if (choices.length) return list(choices) + lines("Why do you think so?");
  const place = numbers.length > 1 ? "Mark the place on the map, or write it down: " : "";
  return `<p class="numbers">${place}${numbers.map((name) => `${escape(name)} = ${blank}`).join(" &emsp; ")}</p>${lines("How did you find it?")}`;
}

function solution({ question, choices, outcome, right, ends }) {
  const marked = right.length ? list(choices, right) : "";
  const rows = ends.map((cells) => `<tr>${cells.map((cell) => `<td>${escape(cell)}</td>`).join("")}</tr>`).join("");
  const table = rows ? `<table><thead><tr><th></th><th>ends at</th><th>loss</th><th></th></tr></thead><tbody>${rows}</tbody></table>` : "";
  return `${question ? `<p class="question">${escape(question)}</p>` : ""}${marked}<p class="outcome">${escape(outcome)}</p>${table}`;
}

// The height is that of a page of the paper that is less high, Letter: 279 mm, less the margins.
const LOOK = `
@page { margin: 15mm; }
* { box-sizing: border-box; }
body { margin: 0; color: ${INK}; background: ${PAPER}; font: 11pt/1.4 "Segoe UI", Roboto, Helvetica, Arial, sans-serif; overflow-wrap: anywhere; }
.page { width: 180mm; max-width: 100%; height: 245mm; margin: 0 auto; display: flex; flex-direction: column; overflow: hidden; }
.page + .page { break-before: page; }
h1 { margin: 0 0 1mm; font-size: 18pt; line-height: 1.2; }
h2 { margin: 0 0 2mm; font-size: 13pt; }
p { margin: 0 0 2mm; }
.small { font-size: 9.5pt; color: #4a5763; }
img { flex: 0 1 auto; min-height: 40mm; max-height: 120mm; width: 100%; object-fit: contain; margin-bottom: 3mm; }
.question { font-weight: 600; }
.choices { list-style: none; margin: 0 0 3mm; padding: 0; }
.choices.many { columns: 2; }
.choices li { break-inside: avoid; padding: 0.8mm 0 0.8mm 8mm; position: relative; }
.choices li::before { content: ""; position: absolute; left: 0; top: 1.8mm; width: 4mm; height: 4mm; border: 0.4mm solid ${INK}; }
.choices .right { font-weight: 600; }
.choices .right::after { content: "✕"; position: absolute; left: 0; top: 1.8mm; width: 4mm; line-height: 4mm; text-align: center; font-size: 12pt; }
.blank { display: inline-block; width: 32mm; border-bottom: 0.3mm solid ${INK}; }
.numbers { padding: 3mm 0; }
.lines { flex: 1 1 20mm; overflow: hidden; }
.lines i { display: block; height: 9mm; border-bottom: 0.2mm solid #8a97a3; }
table { border-collapse: collapse; margin: 0 0 3mm; font-size: 9.5pt; }
th, td { text-align: left; padding: 0.5mm 5mm 0.5mm 0; border-bottom: 0.2mm solid #c8d0d8; font-weight: 400; }
thead th { color: #4a5763; }
.link { font-size: 8pt; color: #4a5763; margin-top: auto; }
@media screen { body { padding: 10mm 4mm; } .page { height: auto; min-height: 245mm; } .page + .page { margin-top: 20mm; } }
`;

export async function makeHandout(stage, words) {
  const [first, last] = await pictures(stage, words);
  const about = `<p class="small">${[words.title === words.page ? "" : words.page, ...words.settings, ...(first ? [] : Object.values(words.labels))].filter(Boolean).map(escape).join(" · ")}</p>`;
  const page = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(words.title)}</title>
<style>${LOOK}</style>
</head>
<body>
<section class="page">
<h1>${escape(words.title)}</h1>
${about}
${picture(first, "The picture before the question is answered")}
${words.question ? `<p class="question">${escape(words.question)}</p>` : ""}
${answer(words)}
</section>
<section class="page">
<h1>${escape(words.title)}</h1>
<h2>Solution</h2>
${solution(words)}
${picture(last, "The picture of the whole run")}
<p class="link">${escape(words.link)}</p>
</section>
</body>
</html>
`;
  return new Blob([page], { type: "text/html" });
}
