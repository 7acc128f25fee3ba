// Fetches the stage once per page and hands it each new message. Kept small: Streamlit sends it along with every one.
const stage = import(new URL("STAGE_FILE", document.baseURI).href);

export default function (component) {
  stage.then((module) => module.show(component)).catch((error) => {
    const note = component.parentElement.querySelector(".note");
    if (note) note.textContent = `The figures cannot be drawn (${error.message}). Reload the page.`;
  });
  return () => stage.then((module) => module.leave(component.parentElement));
}
