// The button that makes a handout. What makes it is fetched once it is pressed.
const NO_STAGE = "There is no moving picture on the page now, so the handout has none.";

export default function ({ data, parentElement }) {
  const [button, note] = ["button", "p"].map((name) => parentElement.querySelector(`.handout ${name}`));
  button.title = "Two pages to print: the picture, the question and space for the answer; then the solution";
  button.onclick = async () => {
    const stage = document.querySelector(".stage")?.stage;
    const ready = stage?.root.dataset.drawn && stage.tracks;
    button.disabled = true;
    note.textContent = "Making the handout.";
    try {
      const { makeHandout } = await import(new URL("HANDOUT_FILE", document.baseURI).href);
      const page = await makeHandout(ready ? stage : null, data);
      const link = document.createElement("a");
      Object.assign(link, { href: URL.createObjectURL(page), download: data.file }).click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser may take a while to read it
      const held = ready && stage.message.held !== undefined;
      note.textContent = `Done: the handout is among your downloads. ${!ready ? NO_STAGE : held ? data.without_end : ""}`;
    } catch (error) {
      note.textContent = `The handout could not be made (${error.message}). Reload the page and try again.`;
    }
    button.disabled = false;
  };
}
