// The stories in their order. A story that was begun goes on where it was left; one that is done begins anew.

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".story-list");
  const progress = readProgress();
  const list = document.createElement("ol");
  for (const { name, title, minutes, says, links } of data.stories) {
    const { step = 0, done = false } = progress[name] ?? {};
    const steps = links.length - 1;
    const at = done || step > steps + 1 ? 1 : Math.max(1, step);
    const link = part("a", title);
    link.href = new URL(links[at - 1], document.baseURI);
    link.title = says;
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // in a tab or window of its own
      event.preventDefault();
      setTriggerValue("open", { story: name, step: at });
    };
    const reached = done ? "✓ done" : step ? `${Math.min(step, steps)} of ${steps}` : "";
    const item = document.createElement("li");
    item.append(link, part("span", reached, "reached"), part("span", `${minutes} min`, "minutes"));
    list.append(item);
  }
  root.replaceChildren(list, ...data.faults.map((fault) => part("p", fault, "fault")));
}

function part(kind, text, name = "") {
  const element = document.createElement(kind);
  element.textContent = text;
  element.className = name;
  return element;
}
