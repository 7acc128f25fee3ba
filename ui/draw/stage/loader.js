// Fetches the stage once per page and hands it each new message. Kept small: Streamlit sends it along with every one.
const found = (file) => new URL(file, document.baseURI).href;
// all at once: a browser would else learn of each script only from the one before it
for (const file of IMPORTED_FILES) fetchAhead({ rel: "modulepreload", href: found(file) });
fetchAhead({ rel: "preload", as: "script", href: found("PLOTLY_FILE") });
const stage = import(found("STAGE_FILE"));

function fetchAhead(link) {
  document.head.append(Object.assign(document.createElement("link"), link));
}

export default function (component) {
  stage.then((module) => module.show(component)).catch((error) => {
    const note = component.parentElement.querySelector(".note");
    if (note) note.textContent = `The figures cannot be drawn (${error.message}). Reload the page.`;
  });
  return () => stage.then((module) => module.leave(component.parentElement));
}
