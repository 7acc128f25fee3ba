// Small things that the stage is made of.

export function floats(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length); // filled one by one: quicker than from an iterable
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}
export const element = (name, props = {}, ...children) => {
  const made = Object.assign(document.createElement(name), props);
  made.append(...children);
  return made;
};

// Another text for an element. Its text node stays: for one that is put in, browsers look at every rule with :has() again,
// of Streamlit's too, and those can restyle the whole page.
export function write(part, text) {
  const node = part.firstChild;
  if (node && text) { if (node.data !== text) node.data = text; }
  else if (node || text) part.textContent = text;
}

// a racer's line and marker as a small picture
export function swatch({ variable, dash, marker }) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("class", "swatch");
  picture.setAttribute("viewBox", "0 0 28 14");
  picture.setAttribute("aria-hidden", "true");
  picture.style.color = variable;
  const points = marker.map(([x, y]) => `${14 + 5.5 * x},${7 + 5.5 * y}`).join(" ");
  picture.innerHTML = `<path d="M0 7H28" stroke="currentColor" stroke-width="2.4" stroke-dasharray="${dash.join(" ")}"/>`
    + `<polygon points="${points}" fill="currentColor"/>`;
  return picture;
}

// a number in a fixed number of places, so that it does not jump; in powers of ten where it would not fit
export function formatNumber(value, digits) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size >= 1e6 || size < 0.5 * 10 ** -digits) ? value.toExponential(2) : value.toFixed(digits);
  return text.replace("-", "−");
}

// how many times as large as usual letters are on this page: in a lecture they are larger
export const magnification = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

const SIZES = {
  font: ["size"], textfont: ["size"], tickfont: ["size"], marker: ["size"], line: ["width"], margin: ["l", "r", "t", "b"],
  title: ["standoff"], annotations: ["ax", "ay", "arrowwidth", "standoff"],
};

// Make a Plotly figure's letters and all that goes with them so many times as large. In a scene there is then room for fewer
// numbers along an axis; Plotly sees to that by itself on a plane.
export function magnifyFigure({ data, layout }, scale) {
  layout.hoverlabel = { ...layout.hoverlabel, font: { size: 13, ...layout.hoverlabel?.font } };
  magnify(data, scale);
  magnify(layout, scale);
  for (const axis of ["xaxis", "yaxis", "zaxis"]) {
    if (layout.scene) layout.scene[axis].nticks = Math.max(3, Math.round((layout.scene[axis].nticks ?? 6) / scale));
  }
}

// Make the letters, lines, markers and margins of a Plotly figure so many times as large. ``name`` is what part it is.
function magnify(part, scale, name = "") {
  if (part === null || typeof part !== "object" || (Array.isArray(part) && typeof part[0] !== "object")) return;
  for (const [key, value] of Object.entries(part)) {
    if (typeof value === "number" && SIZES[name]?.includes(key)) part[key] = value * scale;
    else magnify(value, scale, Array.isArray(part) ? name : key);
  }
}
