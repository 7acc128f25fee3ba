// The entries of the menu that the browser makes. Kept small: Streamlit sends it along; what makes them is fetched when one is pressed.
const NAMES = { png: "the PNG", svg: "the SVG", webm: "the video", gif: "the GIF", html: "the page" };
const NO_STAGE = "There is no moving picture on the page now. Choose a tab that has one.";

export default function ({ data, parentElement }) {
  const menu = parentElement.querySelector(".take-home");
  const find = (selector) => menu.querySelector(selector);
  const stage = () => document.querySelector(".stage")?.stage;
  const tell = (text) => { find(".note").textContent = text; };

  const show = (job) => { // a job goes on while the menu is closed, and is shown again when it is opened
    for (const button of menu.querySelectorAll("[data-kind]")) button.disabled = Boolean(job?.running);
    find(".job").hidden = !job?.running;
    if (!job) return;
    find("progress").value = job.done;
    find(".doing").textContent = `Making ${NAMES[job.kind]}: ${Math.round(100 * job.done)} %`;
    if (!job.running) tell(job.problem || (job.cancelled ? "Cancelled." : `Done: ${NAMES[job.kind]} is among your downloads.`));
  };
  const ready = () => stage()?.root.dataset.drawn && stage().tracks;
  for (const button of menu.querySelectorAll("[data-kind]")) button.onclick = async () => {
    if (!ready()) return tell(NO_STAGE);
    tell("");
    try {
      const { take } = await import(new URL("TAKE_FILE", document.baseURI).href);
      await take(button.dataset.kind, stage(), data, { stage: "STAGE_FILE", html: "HTML_FILE" }, (job) => stage()?.shown?.(job));
    } catch (error) {
      tell(`The scripts for this could not be loaded (${error.message}). Reload the page.`);
    }
  };
  if (stage()) stage().shown = show;
  find(".cancel").onclick = () => { if (stage()?.taking) stage().taking.cancelled = true; };
  find(".description").value = data.description;
  find(".copy").onclick = async () => {
    try {
      await navigator.clipboard.writeText(data.description);
      tell("Copied.");
    } catch { // it may not, or the page did not come by https
      find("details").open = true;
      find(".description").select();
      tell(document.execCommand("copy") ? "Copied." : "This browser does not let a page copy. Press Ctrl+C to copy the selected text.");
    }
  };
  tell("");
  show(stage()?.taking?.running ? stage().taking : null);
}
