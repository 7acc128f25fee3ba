// The run as one HTML file that plays without a network: the stage's own scripts, Plotly, and the data, all inside.

import { captionOf } from "./sheet.js";

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const asJson = (value) => JSON.stringify(value).replace(/</g, "\\u003c"); // nothing in it ends the script
const IMPORT = /from "\.\/([\w-]+\.js)"/g;

async function textOf(address) {
  const answer = await fetch(new URL(address, document.baseURI));
  if (!answer.ok) throw new Error(`${new URL(address, document.baseURI).pathname} did not come: ${answer.status}`);
  return answer.text();
}

async function base64(blob) {
  const reader = new FileReader();
  await new Promise((done, failed) => { reader.onload = done; reader.onerror = failed; reader.readAsDataURL(blob); });
  return reader.result.slice(reader.result.indexOf(",") + 1);
}

const zipped = (text) => new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).blob();

// A script and all that it imports, each under its bare name: an import map can name those, and no relative one.
async function modules(address, found = new Map()) {
  const name = address.split("/").at(-1);
  if (found.has(name)) return found;
  const text = await textOf(address);
  found.set(name, text.replace(IMPORT, 'from "$1"'));
  for (const [, other] of text.matchAll(IMPORT)) await modules(address.replace(/[^/]+$/, other), found);
  return found;
}

// The rules of the stage's own style sheet, and the values of those variables in it that the page sets.
function styles(stage) {
  let home = stage.root;
  while (!home.querySelector("style")) home = home.parentElement; // Streamlit puts it beside what it styles
  const css = [...home.querySelectorAll("style")].map((sheet) => sheet.textContent).join("\n");
  const look = getComputedStyle(stage.root);
  const named = [...new Set(css.match(/--st-[\w-]+/g))].map((name) => `${name}: ${look.getPropertyValue(name)};`);
  return { css, variables: named.join(" "), scheme: look.colorScheme };
}

// What the stage was sent, and where it stands; a click on a view cannot ask for another run.
function messageOf(stage) {
  const live = (name) => stage.views.get(name);
  const figures = Object.fromEntries(stage.message.views.map(({ name }) => {
    const figure = JSON.parse(live(name).figure);
    if (figure.layout.scene && live(name).scene()?.glplot && live(name).isTurned()) figure.layout.scene.camera = live(name).scene().getCamera();
    return [name, JSON.stringify(figure)];
  }));
  const views = stage.message.views.map((spec) => ({ ...spec, figure: null, click: null, caption: captionOf(spec) }));
  const apart = stage.message.apart ? { ...stage.message.apart, fixed: true } : undefined;
  const large = stage.large ?? stage.message.large; // the visitor may have made another one large
  return { figures, message: { ...stage.message, still: "here", views, tells: false, lecture: false, large, apart, at: Math.floor(stage.at + 1e-6) } };
}

const START = `
const unzipped = async (text) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).blob();
};
const find = (id) => document.getElementById(id);
try {
  const { show } = await import("stage.js");
  const plotly = new Blob([await unzipped(find("plotly").textContent)], { type: "text/javascript" });
  const { figures, message } = JSON.parse(await (await unzipped(find("data").textContent)).text());
  const component = { parentElement: document.body, setTriggerValue() {} };
  show({ ...component, data: { still: message.still, figures } });
  show({ ...component, data: { ...message, plotly: URL.createObjectURL(plotly) } });
} catch (error) {
  document.querySelector(".note").textContent = "This browser is too old to play the page (" + error.message + ").";
}
`;

export async function makePage(stage, words, addresses, report) {
  const data = messageOf(stage);
  const { css, variables, scheme } = styles(stage);
  await report(0.1);
  const html = await textOf(addresses.html);
  const scripts = await modules(addresses.stage);
  await report(0.2);
  const plotly = await base64(await zipped(await textOf(stage.message.plotly)));
  await report(0.9);
  const imports = Object.fromEntries(await Promise.all([...scripts].map(
    async ([name, text]) => [name, `data:text/javascript;base64,${await base64(new Blob([text]))}`])));
  const labels = Object.values(words.labels);
  const page = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape([words.title, ...words.settings].join(" · "))}</title>
<style>
:root { ${variables} color-scheme: ${scheme}; --stage-top: 8rem; }
body { margin: 0 auto; padding: 1rem clamp(0.9rem, 2.6vw, 2.6rem) 3rem; max-width: 1800px; background: var(--st-background-color); color: var(--st-text-color); font-family: var(--st-font); line-height: 1.5; }
h1 { margin: 0; font-size: 1.6rem; }
header p { margin: 0.3rem 0 0.8rem; }
pre { white-space: pre-wrap; font: inherit; }
${css.replace(/<\//g, "<\\/")}
.stage .pin { display: none; } /* one run is here, and none comes after it */
</style>
<script type="importmap">${asJson({ imports })}</script>
</head>
<body>
<header><h1>${escape(words.title)}</h1><p>${[...words.settings, ...labels].map(escape).join(" · ")}</p></header>
<main>
<div class="stage-box">${html}</div>
<h2>What it shows</h2>
<pre>${escape(words.description)}</pre>
</main>
<script type="text/plain" id="plotly">${plotly}</script>
<script type="text/plain" id="data">${await base64(await zipped(JSON.stringify(data)))}</script>
<script type="module">${START}</script>
</body>
</html>
`;
  return new Blob([page], { type: "text/html" });
}
