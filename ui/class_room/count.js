// How many have answered, in place: a screen reader is told only what "says" says, and only when that changes.

export default function ({ data, parentElement }) {
  const [shown, told] = parentElement.querySelectorAll(".class-count p");
  const { joined, answered, says } = data;
  shown.textContent = `${answered} answered · ${joined} joined`;
  if (told.textContent !== says) told.textContent = says;
}
