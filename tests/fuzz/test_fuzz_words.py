"""What teachers and students type, and what a class sends: shown letter for letter, counted once, or refused."""

import re
import string
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from drawn_setups import characters, hostile, slips, words
from fuzzing import fuzz, is_deep
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from visit import opened, sound

from engine import LANDSCAPES
from engine.paths import path_trace
from ui.class_room.classes import LASTS, MAX_NUMBER, MAX_SEATS, ClassError, Classes, Posed
from ui.draw.yours import YOU, Yours
from ui.race.run import facts, run
from ui.setup.codec import MAX_TITLE, decode, encode
from ui.setup.kinds import SEPARATOR
from ui.setup.pages import SETUPS, RaceSetup
from ui.setup.plain import on_one_line, plain, unescaped
from ui.setup.questions.link import question_of, read
from ui.setup.questions.own import MAX_CHOICE, MAX_QUESTION, Own
from ui.setup.questions.tries import MAX_BUDGET
from ui.setup.stories import FOLDER, StoryError, link_faults, read_file
from ui.teach.hand_out import handed_out, iframe, link

typed = st.one_of(hostile, st.text(characters, max_size=200))


# ---- a teacher's words


@fuzz(deep=5000, suite=100)
@given(typed)
def test_typed_words_are_shown_letter_for_letter(text):
    shown = plain(text)
    assert unescaped(shown) == on_one_line(text)
    assert not set(re.sub(r"\\[!-/:-@\[-`{-~]", "", shown)) & set(string.punctuation)
    assert on_one_line(text).isprintable()


@fuzz(deep=2000, suite=50)
@given(typed, st.lists(st.one_of(words, typed), max_size=8))
def test_a_question_in_ones_own_words_is_asked_in_them_or_not_at_all(question, offered):
    text = Own.link_text(question, offered)
    asked = read(text)
    lines = [on_one_line(line.replace(SEPARATOR, "∼")) for line in (question, *offered)]
    fits = 2 <= len(offered) <= 6 and len({*lines[1:]}) == len(offered) and all(map(bool, lines))
    fits = fits and len(lines[0]) <= MAX_QUESTION and max(map(len, lines[1:])) <= MAX_CHOICE
    assert (asked is not None) == fits
    if asked:
        setup = RaceSetup(ask=text)
        assert decode(encode(setup), RaceSetup()) == (setup, [])
        assert unescaped(asked.text(setup)) == lines[0]
        assert [unescaped(choice) for choice in asked.choices(setup).values()] == lines[1:]
        assert all(asked.describe(answer, setup) for answer in asked.choices(setup))


@pytest.mark.parametrize("page", SETUPS)
@fuzz(deep=500, suite=15)
@given(data=st.data())
def test_what_is_handed_out_says_what_was_chosen_and_its_title_stays_in_its_place(page, data):
    kind = SETUPS[page]
    some = lambda names: st.lists(st.sampled_from(names), unique=True, max_size=5)  # noqa: E731
    hide, lock = data.draw(some([*kind.controls(), *kind.parts])), data.draw(some(list(kind.controls())))
    title = data.draw(typed)
    handed, notes = handed_out(kind(), hide, lock, title, "")
    assert handed.title in ("", on_one_line(title))
    assert bool(notes) <= (len(on_one_line(title)) > MAX_TITLE or {*hide} != {*handed.hide})
    assert decode(parse_qs(link(page, handed).partition("?")[2], keep_blank_values=True), kind()) == (handed, [])
    frame = iframe(page, handed)
    assert (frame.count("<"), frame.count(">"), frame.count('"')) == (2, 2, 10)
    assert unescape(re.search('title="([^"]*)"', frame)[1]) == (handed.title or page)


# ---- stories' files

STORIES = [file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.toml"))[:3]]
lines_of = st.sampled_from(sorted({line for story in STORIES for line in story.splitlines()}))
edits = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 2), st.one_of(lines_of, slips(lines_of), hostile)), max_size=3
)


@fuzz(deep=2000, suite=60)
@given(st.sampled_from(STORIES), edits)
def test_a_storys_file_is_a_story_or_is_refused_in_one_line(tmp_path_factory, text, edits):
    lines = text.splitlines()
    for at, many, line in edits:
        lines[at : at + many] = [line]
    file = Path(tmp_path_factory.getbasetemp()) / "07-typed.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    try:
        faults = list(link_faults(read_file(file)))
    except StoryError as error:
        faults = [str(error)]
    for fault in faults:
        assert fault.isprintable()
        assert fault.endswith((".", "?"))
        assert len(fault) < 1500


# ---- steps by hand

numbers = st.one_of(
    st.floats(-10, 10, allow_subnormal=False), st.sampled_from([0.0, -0.0, 1e4, 1e12, -1e19, 1e30, 3e38])
)


@fuzz(deep=1000, suite=30)
@given(st.data())
def test_any_steps_by_hand_are_scored_in_a_sentence(data):
    name = data.draw(st.sampled_from(list(LANDSCAPES)[: None if is_deep() else 2]))
    points = data.draw(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=MAX_BUDGET))
    setup = RaceSetup(landscape=name, steps=60, racers=RaceSetup().racers[:1], ask=f"steps~{MAX_BUDGET}")
    path = path_trace(LANDSCAPES[name].loss, np.array([setup.start, *points]))
    yours = Yours(paths={YOU: path})
    outcome = question_of(setup).outcome(setup, facts(setup, run(setup, yours)[0], yours))
    with np.errstate(all="ignore"):  # far out they overflow
        losses = [float(LANDSCAPES[name].loss(np.array(point, np.float32))) for point in (setup.start, *points)]
    better = [i for i, loss in enumerate(losses) if loss < losses[0]]
    assert outcome.right is None
    assert ("None of your" in outcome.words) == (not better)
    assert outcome.words.endswith(".")
    assert not re.search(r"\b(nan|inf)\b", outcome.words)


# ---- a class

codes = st.one_of(st.text("bkmtBKMT -", max_size=6), hostile)


@fuzz(deep=60, suite=2)
@given(text=codes)
def test_any_code_that_no_class_has_is_answered_in_a_sentence(text):
    app = opened("Home") if not APPS else APPS[0]
    APPS[:] = [app]
    app.text_input(key="join-class").set_value(text[:12])
    (join,) = [button for button in app.button if button.label == "Join"]
    sound(join.click().run())
    assert [one.value for one in app.markdown if one.value.startswith(":material/error:") and "class" in one.value]


APPS = []
CHOICES = Posed("Ackley Race", "", None, {}, ("yes", "no"))
NUMBERS = Posed("Ackley Race", "", None, {}, (), numbers=2, points=2)
answers = st.one_of(
    st.sampled_from([None, "yes", "no", "perhaps", "", 1, True, (), ("1", "2"), [1.0, 2.0]]),
    st.lists(st.one_of(st.floats(allow_subnormal=False), st.integers(0, 3)), max_size=5).map(tuple),
)


class AnyClass(RuleBasedStateMachine):
    """Classes that are opened, asked, answered and ended in any order, by whoever has a key and whoever has not."""

    opened = Bundle("opened")  # the code and the key of each

    def __init__(self):
        super().__init__()
        self.now, self.classes, self.known, self.said = 0.0, Classes(lambda: self.now), {}, "."

    def attempt(self, act, *args):
        """What the class answers, or None where it refuses in words."""
        try:
            return act(*args) or True
        except ClassError as error:
            self.said = str(error)
            return None

    @rule(target=opened, posed=st.sampled_from([CHOICES, NUMBERS]))
    def open(self, posed):
        found = self.attempt(self.classes.open, posed)
        if not found:
            return multiple()
        self.known[found[0]] = {}
        return found

    @rule(one=opened, seat=st.text("abc", max_size=2), answer=answers, number=st.integers(0, 3))
    def answer(self, one, seat, answer, number):
        state, had = self.classes.look(one[0]), self.classes.answer_of(one[0], seat)
        if self.attempt(self.classes.answer, one[0], seat, number, answer):
            assert state
            assert number == state.number
            assert seat
            assert not state.paused
            assert not state.revealed
            assert not had[0]
            assert answer is None or (answer in state.posed.choices if state.posed.choices else reaches(answer))
            assert self.classes.answer_of(one[0], seat) == (True, answer)
        else:
            assert self.classes.answer_of(one[0], seat) == had

    @rule(one=opened, seat=st.text("abc", max_size=2), come=st.booleans())
    def come_or_go(self, one, seat, come):
        before = self.classes.answer_of(one[0], seat)
        self.attempt(self.classes.enter if come else self.classes.leave, one[0], seat)
        assert self.classes.answer_of(one[0], seat) == before

    @rule(one=opened, key=st.sampled_from(["", "key", "ключ"]), what=st.sampled_from(["reveal", "pause", "end"]))
    def act_without_the_key(self, one, key, what):
        state = self.classes.look(one[0])
        assert not self.attempt(getattr(self.classes, what), one[0], key)
        assert self.classes.look(one[0]) == state

    @rule(one=opened, what=st.sampled_from(["reveal", "pause"]))
    def act(self, one, what):
        self.attempt(getattr(self.classes, what), *one)

    @rule(one=opened, posed=st.sampled_from([CHOICES, NUMBERS]))
    def ask(self, one, posed):
        if self.attempt(self.classes.ask, *one, posed):
            assert self.classes.counts(one[0]).answered == 0

    @rule(one=consumes(opened))
    def end(self, one):
        self.attempt(self.classes.end, *one)
        assert self.classes.look(one[0]) is None

    @rule(seconds=st.sampled_from([1.0, 700.0, LASTS]))
    def wait(self, seconds):
        self.now += seconds

    @invariant()
    def what_is_refused_is_refused_in_a_sentence(self):
        assert self.said.isprintable()
        assert self.said.endswith(".")

    @invariant()
    def no_more_answers_than_seats_and_none_before_they_are_revealed(self):
        for code in self.known:
            counts, state = self.classes.counts(code), self.classes.look(code)
            assert 0 <= counts.answered <= counts.joined <= MAX_SEATS
            assert len(self.classes.answers(code)) == (counts.answered if state and state.revealed else 0)


def reaches(answer):
    """Whether these are the numbers of one place or two."""
    return len(answer) in (2, 4) and all(type(x) is float and abs(x) <= MAX_NUMBER for x in answer)


TestAnyClass = AnyClass.TestCase
TestAnyClass.settings = settings(fuzz(deep=500, suite=20), stateful_step_count=30)
