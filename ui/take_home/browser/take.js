// Makes what the menu offers from the stage of the page. One thing at a time; the stage knows which.

const KINDS = {
  png: { name: "picture.png", make: async (stage, words, _, report) => {
    const { Sheet, rasterize } = await import("./sheet.js");
    const sheet = new Sheet(stage, words, true);
    await sheet.drawStill(report);
    const canvas = await rasterize(await sheet.picture(), sheet.width, sheet.height, 2);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  } },
  svg: { name: "picture.svg", make: async (stage, words, _, report) => {
    const { Sheet } = await import("./sheet.js");
    const sheet = new Sheet(stage, words, true);
    await sheet.drawStill(report);
    return new Blob([await sheet.picture()], { type: "image/svg+xml" });
  } },
  webm: { name: "clip.webm", make: (...of) => clip("makeVideo", ...of) },
  gif: { name: "clip.gif", make: (...of) => clip("makeGif", ...of) },
  html: { name: "page.html", make: async (...of) => (await import("./standalone.js")).makePage(...of) },
};

async function clip(kind, stage, words, _, report) {
  const [{ Sheet }, make] = await Promise.all([import("./sheet.js"), import("./clip.js")]);
  return make[kind](new Sheet(stage, words, false), report);
}

// lets the page draw and answer; a timer would stand nearly still in a tab that is not looked at
const breathe = () => new Promise((done) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => { port1.close(); done(); };
  port2.postMessage(null);
});

// Make one of KINDS and have the browser save it. `changed` is called with the job whenever it gets on.
export async function take(kind, stage, words, addresses, changed) {
  const job = { kind, done: 0, cancelled: false, running: true, problem: "" };
  stage.taking = job;
  const report = async (done) => {
    job.done = done;
    changed(job);
    await breathe();
    if (job.cancelled) throw new Error("cancelled");
  };
  try {
    await report(0);
    const blob = await KINDS[kind].make(stage, words, addresses, report);
    if (!blob) throw new Error("the browser made no picture of this size");
    save(blob, `${words.file}-${KINDS[kind].name}`);
  } catch (error) {
    // `told`: the error says all that a visitor needs
    if (!job.cancelled) job.problem = error.told ? error.message : `The file could not be made (${error.message}). Reload the page and try again.`;
  }
  job.running = false;
  changed(job);
}

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser may take a while to read it
}
