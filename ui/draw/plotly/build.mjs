// Builds plotly-VERSION.min.js: plotly.js with the traces that the stage draws, and no others. To build it anew, in an
// empty folder, with this file copied there:
//
//   npm install plotly.js@4.1.1 esbuild@0.28 esbuild-plugin-environment@0.5 esbuild-plugin-glsl@1.4 esbuild-plugin-inline-css@0.0.1
//   node build.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { environmentPlugin } = require("esbuild-plugin-environment");
const { glsl } = require("esbuild-plugin-glsl");
const inlineCss = require("esbuild-plugin-inline-css");
const { build } = require("esbuild");

const TRACES = ["scatter3d", "surface", "contour"]; // scatter is in every bundle
const { version } = JSON.parse(readFileSync("node_modules/plotly.js/package.json"));
const register = TRACES.map((trace) => `require("plotly.js/lib/${trace}")`);
writeFileSync("entry.cjs", `const Plotly = require("plotly.js/lib/core"); Plotly.register([${register}]); module.exports = Plotly;`);

await build({
  entryPoints: ["entry.cjs"],
  outfile: `plotly-${version}.min.js`,
  banner: { js: `/*! plotly.js v${version}, with ${TRACES.join(", ")} and scatter. Copyright 2012-2026, Plotly, Inc. MIT license */` },
  // all that follows is plotly.js's own configuration
  format: "iife",
  globalName: "Plotly",
  bundle: true,
  minify: true,
  plugins: [inlineCss(), glsl({ minify: true }), environmentPlugin({ NODE_DEBUG: false })],
  alias: { regl: "@plotly/regl", stream: "stream-browserify" },
  define: { global: "window", "define.amd": "false" },
  target: "es2016",
});
