// The questions that end a story, one at a time; those that were missed are asked once more at the end.

const rounds = new Map(); // element -> the questions being asked: a rerun calls the function below again

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".story-questions");
  const { story, step, questions } = data;
  keepProgress(story, step, false);
  const asked = JSON.stringify([story, questions]);
  if (rounds.get(root)?.asked !== asked) rounds.set(root, new Round(root, story, step, questions, asked));
  return () => { rounds.delete(root); };
}

class Round {
  constructor(root, story, step, questions, asked) {
    Object.assign(this, { root, story, step, questions, asked, at: 0, right: 0 });
    this.order = questions.map((_, i) => i);
    root.replaceChildren();
    if (questions.length) this.ask();
  }

  ask() {
    const { question, choices } = this.questions[this.order[this.at]];
    const again = this.at >= this.questions.length;
    const title = made("p", `${again ? "Once more" : `Question ${this.at + 1} of ${this.questions.length}`}: ${question}`, "asked");
    const group = made("div", "", "choices");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", question);
    for (const choice of choices) {
      const button = made("button", choice);
      button.onclick = () => this.answer(choice, group);
      group.append(button);
    }
    this.said = made("p", "", "said");
    this.said.setAttribute("role", "status");
    const moved = this.root.contains(document.activeElement);
    this.root.replaceChildren(title, group, this.said);
    if (moved) group.firstChild.focus();
  }

  answer(choice, group) {
    const number = this.order[this.at];
    const { right, why } = this.questions[number];
    for (const button of group.children) {
      button.disabled = true;
      if (button.textContent === right) button.className = "right";
      else if (button.textContent === choice) button.className = "wrong";
    }
    if (choice === right) this.right += this.at < this.questions.length;
    else if (this.at < this.questions.length) this.order.push(number);
    this.said.textContent = `${choice === right ? "Right." : `Not quite: ${right}.`} ${why}`;
    this.at++;
    const last = this.at === this.order.length;
    const next = made("button", last ? "Finish" : "Next question", "next");
    next.onclick = () => (last ? this.finish() : this.ask());
    this.root.append(next);
    next.focus();
  }

  finish() {
    keepProgress(this.story, this.step, true);
    const words = `Done: ${this.right} of ${this.questions.length} right at the first try. The next story is on the page Home.`;
    const end = made("p", words, "done");
    end.tabIndex = -1;
    end.setAttribute("role", "status");
    this.root.replaceChildren(end);
    end.focus();
  }
}

function made(kind, text, name = "") {
  const element = document.createElement(kind);
  element.textContent = text;
  element.className = name;
  if (kind === "button") element.type = "button";
  return element;
}
