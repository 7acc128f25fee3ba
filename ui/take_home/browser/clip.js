// The whole run as a clip, made frame by frame: no frame is lost however slow the computer is.

import { usePens } from "./freeze.js";
import { MONO, rasterize } from "./sheet.js";

const SECONDS = 8;
const LAST_SECONDS = 1.5; // the end is shown so long
const MIN_WIDTH = 640;
const MAX_WIDTH = 1000;
const MAX_GIF_WIDTH = 800;
const MAX_PIXELS = 1_100_000; // of a frame: where views stand below each other it is high
const GIF_RATE = 10; // frames a second
const VIDEO_RATE = 25;
const STILL_SHARE = 0.1; // of the time that a clip takes
const BITS_PER_SECOND = 3e6;
// what browsers write into WebM, with its name there, the quicker first: the other one takes them ten times as long
const CODECS = [["vp09.00.40.08", "V_VP9"], ["vp8", "V_VP8"]];
if (navigator.userAgent.includes("Firefox")) CODECS.reverse();

// A canvas that shows the sheet at any moment.
class Frames {
  constructor(sheet, widest) {
    this.sheet = sheet;
    const wanted = Math.min(widest, Math.max(MIN_WIDTH, sheet.width)) / sheet.width;
    this.scale = Math.min(wanted, Math.sqrt(MAX_PIXELS / (sheet.width * sheet.height)));
    const even = (length) => 2 * Math.round((length * this.scale) / 2); // video has colours for squares of two by two
    this.canvas = Object.assign(document.createElement("canvas"), { width: even(sheet.width), height: even(sheet.height) });
    this.pen = this.canvas.getContext("2d", { willReadFrequently: true });
  }

  // what stands still, once for all frames
  async prepare(report) {
    const { sheet, scale } = this;
    await sheet.drawStill((done) => report(STILL_SHARE * done));
    this.still = await rasterize(sheet.svg(sheet.background()), sheet.width, sheet.height, scale);
    sheet.stage.revealed = sheet.stage.playing = true;
    this.layers = sheet.places.map(({ view }) => {
      const [width, height] = [view.plot.clientWidth, view.plot.clientHeight].map((length) => Math.ceil(length * scale));
      const layers = [0, 1].map(() => Object.assign(document.createElement("canvas"), { width, height }));
      usePens(view, layers.map((canvas) => canvas.getContext("2d")), scale);
      view.draw(true);
      return layers;
    });
    return (done) => report(STILL_SHARE + (1 - STILL_SHARE) * done);
  }

  // `part`: how much of the run has passed
  draw(part) {
    const { sheet, pen, scale } = this;
    const { stage } = sheet;
    stage.at = stage.last * Math.min(1, part);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(this.still, 0, 0, this.canvas.width, this.canvas.height);
    sheet.places.forEach(({ view, x, y }, i) => {
      view.draw(false);
      for (const layer of this.layers[i]) pen.drawImage(layer, x * scale, y * scale);
    });
    pen.scale(scale, scale);
    pen.font = `600 15px ${MONO}`;
    pen.fillStyle = sheet.colors.ink;
    pen.fillText(sheet.whenText(), ...sheet.when);
    return this.canvas;
  }
}

// `report` is told how much is done, and throws where the clip is no longer wanted.
export async function makeGif(sheet, report) {
  const { GIFEncoder, quantize, applyPalette } = await import("./gifenc.js");
  const frames = new Frames(sheet, MAX_GIF_WIDTH);
  const { width, height } = frames.canvas;
  const reportFrames = await frames.prepare(report);
  const pixels = (part) => { frames.draw(part); return frames.pen.getImageData(0, 0, width, height).data; };
  // one palette for all: its colours are those of the end, where everything has been drawn, and of the middle
  const seen = new Uint8Array(8 * width * height);
  [1, 0.5].forEach((part, i) => seen.set(pixels(part), 4 * i * width * height));
  const palette = quantize(seen, 255);
  const same = palette.length; // the index of what is as it was in the frame before
  const table = [...palette, [0, 0, 0]];
  const gif = GIFEncoder();
  const count = SECONDS * GIF_RATE;
  let before;
  for (let i = 0; i <= count; i++) {
    const now = applyPalette(pixels(i / count), palette);
    const shown = before ? now.map((color, k) => (color === before[k] ? same : color)) : now;
    const delay = 1000 * (i < count ? 1 / GIF_RATE : LAST_SECONDS);
    gif.writeFrame(shown, width, height, { palette: before ? undefined : table, delay, transparent: Boolean(before), transparentIndex: same, dispose: 1 });
    before = now;
    await reportFrames((i + 1) / (count + 1));
  }
  gif.finish();
  return new Blob([gif.bytes()], { type: "image/gif" });
}

export async function makeVideo(sheet, report) {
  const { ArrayBufferTarget, Muxer } = await import("./webm-muxer.js");
  const frames = new Frames(sheet, MAX_WIDTH);
  const { width, height } = frames.canvas;
  const [settings, name] = await codec(width, height);
  const reportFrames = await frames.prepare(report);
  const muxer = new Muxer({ target: new ArrayBufferTarget(), video: { codec: name, width, height, frameRate: VIDEO_RATE } });
  let failed;
  const encoder = new VideoEncoder({ output: (...chunk) => muxer.addVideoChunk(...chunk), error: (error) => { failed = error; } });
  encoder.configure(settings);
  const [moving, count] = [SECONDS, SECONDS + LAST_SECONDS].map((seconds) => Math.round(seconds * VIDEO_RATE));
  try {
    for (let i = 0; i <= count; i++) {
      const frame = new VideoFrame(frames.draw(i / moving), { timestamp: (1e6 * i) / VIDEO_RATE, duration: 1e6 / VIDEO_RATE });
      encoder.encode(frame, { keyFrame: i % VIDEO_RATE === 0 });
      frame.close();
      do await reportFrames(i / count); while (encoder.encodeQueueSize > 3 && !failed);
      if (failed) throw failed;
    }
    await encoder.flush();
  } finally {
    if (encoder.state !== "closed") encoder.close();
  }
  muxer.finalize();
  return new Blob([muxer.target.buffer], { type: "video/webm" });
}

async function codec(width, height) {
  for (const [codec, name] of globalThis.VideoEncoder ? CODECS : []) {
    const settings = { codec, width, height, bitrate: BITS_PER_SECOND, framerate: VIDEO_RATE };
    if ((await VideoEncoder.isConfigSupported(settings).catch(() => ({}))).supported) return [settings, name];
  }
  throw Object.assign(new Error("This browser cannot record video. Take the GIF instead."), { told: true });
}
