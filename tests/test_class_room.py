"""A class: what its store keeps to, whatever comes in, and what the pages of a teacher and of students show."""

import json
import random
import re
import sys
import threading
from dataclasses import replace
from html import escape
from math import inf, nan
from subprocess import run

import pytest
from test_questions import ASKED, every_question, outcome_of
from visit import FILES, ROOT, address, opened, shown, sound, stage, texts

import ui.class_room.member
from ui.ask.asking import Asking, Together
from ui.class_room import classes, posing, results
from ui.class_room.board import announced
from ui.class_room.classes import (
    CLASSES,
    LASTS,
    MAX_CLASSES,
    MAX_SEATS,
    UNWATCHED,
    ClassError,
    Classes,
    Counts,
    Posed,
)
from ui.class_room.given import given
from ui.class_room.link import qr
from ui.class_room.results import Results
from ui.setup.codec import decode, encode
from ui.setup.controls import Controls
from ui.setup.kinds import CODE_LETTERS, ClassCode
from ui.setup.pages import CSV, SETUPS, FitSetup, GradientsSetup, RaceSetup
from ui.setup.presets import opening
from ui.setup.questions.link import question_of
from ui.setup.questions.own import Own
from ui.setup.questions.question import is_right
from ui.setup.stories import library
from ui.take_home.captions import labels as captions
from ui.take_home.captions import settings

YES_NO = Posed("Ackley Race", "pages/4_Ackley_Race.py", None, {}, ("yes", "no"))
PLACE = replace(YES_NO, choices=(), numbers=2)
FIT = FitSetup(data="4x", rate=0.0312, steps=40, tolerance=0.0, theta=0.0, ask="ends")
RACE = RaceSetup(racers=RaceSetup().racers[:3], landscape="Ravine", steps=40, ask="lowest")


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return Classes(clock)


@pytest.fixture(autouse=True)
def _empty():
    yield
    CLASSES.__init__()  # of the whole process


# ---- the store


def test_a_code_has_four_letters_that_nobody_mistakes_and_is_not_given_again_at_once(store, monkeypatch):
    seen = set()
    for _ in range(300):
        code, key = store.open(YES_NO)
        assert len(code) == 4
        assert set(code) <= set(CODE_LETTERS)
        assert ClassCode().decode(code.lower()) == code
        seen.add(code)
        store.end(code, key)
    assert len(seen) == 300
    assert not set(CODE_LETTERS) & set("AEIOUYLQ0123456789")
    monkeypatch.setattr(classes, "CODE_LETTERS", "BC")  # of the 16 codes of these, all are found before one comes twice
    few = Classes()
    codes = [few.open(YES_NO) for _ in range(8)]
    for code, key in codes:
        few.end(code, key)
    assert len({code for code, _ in codes} | {few.open(YES_NO)[0] for _ in range(8)}) == 16


def test_a_seat_answers_a_question_once_and_the_first_answer_counts(store):
    code, key = store.open(YES_NO)
    store.answer(code, "a", 1, "yes")
    with pytest.raises(ClassError, match="first answer counts"):
        store.answer(code, "a", 1, "no")
    assert store.answer_of(code, "a") == (True, "yes")
    assert store.counts(code) == Counts(1, 1)
    store.ask(code, key, YES_NO)
    assert store.answer_of(code, "a") == (False, None)
    assert store.counts(code) == Counts(1, 0)
    store.answer(code, "a", 2, None)
    with pytest.raises(ClassError, match="first answer counts"):
        store.answer(code, "a", 2, "no")
    assert store.answer_of(code, "a") == (True, None)


@pytest.mark.parametrize(
    ("posed", "good", "bad"),
    [
        (YES_NO, ["yes", "no", None], ["", "maybe", "yes ", 1.0, (1.0,), ["yes"], b"yes", ("yes",)]),
        (PLACE, [(0.0, -1e9), None], [(1.0,), (1.0, nan), (inf, 1.0), (1.0, 1e300), (1.0, "1"), "yes", [1.0, 2.0], ()]),
    ],
)
def test_only_answers_to_the_question_are_counted(store, posed, good, bad):
    code, key = store.open(posed)
    for answer in bad:
        with pytest.raises(ClassError, match="no answer to the question"):
            store.answer(code, "seat", 1, answer)
    for i, answer in enumerate(good):
        store.answer(code, f"seat {i}", 1, answer)
    store.reveal(code, key)
    assert sorted(store.answers(code), key=repr) == sorted(good, key=repr)


def test_nobody_gets_the_answers_before_they_are_revealed_and_then_without_who_gave_them(store):
    code, key = store.open(YES_NO)
    order = [random.Random(3).choice(["yes", "no"]) for _ in range(40)]
    for i, answer in enumerate(order):
        store.answer(code, f"seat {i}", 1, answer)
    assert store.answers(code) == []
    store.reveal(code, key)
    assert store.answers(code) == sorted(order)


def test_a_question_is_closed_while_it_is_paused_once_it_is_revealed_and_once_another_is_asked(store):
    code, key = store.open(YES_NO)
    store.pause(code, key)
    with pytest.raises(ClassError, match="paused"):
        store.answer(code, "a", 1, "yes")
    store.pause(code, key, False)
    store.answer(code, "a", 1, "yes")
    store.reveal(code, key)
    with pytest.raises(ClassError, match="closed"):
        store.answer(code, "b", 1, "yes")
    store.ask(code, key, YES_NO)
    with pytest.raises(ClassError, match="closed"):  # a form that was drawn for the question before
        store.answer(code, "b", 1, "yes")
    store.answer(code, "b", 2, "yes")


def test_with_each_change_the_version_is_another_and_with_answers_it_is_not(store):
    code, key = store.open(YES_NO)
    versions = [store.look(code).version]
    for act in (store.pause, lambda *who: store.pause(*who, False), store.reveal, lambda *who: store.ask(*who, PLACE)):
        act(code, key)
        versions.append(store.look(code).version)
    assert len(set(versions)) == 5
    store.answer(code, "a", 2, (1.0, 2.0))
    assert store.look(code).version == versions[-1]


def test_only_whoever_opened_a_class_can_lead_it(store):
    code, key = store.open(YES_NO)
    other = store.open(YES_NO)[1]
    before = store.look(code)
    for wrong in ("", other, key[:-1], "ключ", "\ud800", key + "x"):
        assert not store.is_teacher(code, wrong)
        for act in (store.reveal, store.pause, store.end, lambda *who: store.ask(*who, PLACE)):
            with pytest.raises(ClassError, match="Only whoever opened"):
                act(code, wrong)
    assert store.look(code) == before
    assert store.is_teacher(code, key)


def test_a_class_ends_after_four_hours_or_when_its_teacher_says_and_leaves_nothing(store, clock):
    code, key = store.open(YES_NO)
    store.answer(code, "a", 1, "yes")
    clock.now += LASTS - 1
    assert store.look(code)
    clock.now += 1
    assert store.look(code) is None
    second, key = store.open(YES_NO)
    store.end(second, key)
    for gone in (code, second):
        assert store.look(gone) is None
        assert not store.is_teacher(gone, key)
        assert store.answer_of(gone, "a") == (False, None)
        store.leave(gone, "a")
        assert (store.counts(gone), store.answers(gone)) == (Counts(0, 0), [])
        for act in (lambda c: store.enter(c, "a"), lambda c: store.answer(c, "a", 1, "no")):
            with pytest.raises(ClassError, match=f"No class {gone} is held here"):
                act(gone)
    assert not store._classes


def test_there_is_room_for_so_many_classes_and_one_without_its_teacher_makes_room(store, clock):
    codes = [store.open(YES_NO) for _ in range(MAX_CLASSES)]
    with pytest.raises(ClassError, match="Try again"):
        store.open(YES_NO)
    clock.now += UNWATCHED
    for code, key in codes[1:]:
        store.counts(code, key)
    store.counts(codes[0][0], "not the key")
    store.open(YES_NO)
    assert [store.look(code) is None for code, _ in codes] == [True] + [False] * (MAX_CLASSES - 1)
    with pytest.raises(ClassError, match="Try again"):
        store.open(YES_NO)
    clock.now += LASTS
    store.open(YES_NO)
    assert len(store._classes) == 1


def test_a_class_has_so_many_seats_and_who_is_in_it_stays_in_it(store):
    code, _ = store.open(YES_NO)
    for i in range(MAX_SEATS):
        store.enter(code, f"seat {i}")
        store.enter(code, f"seat {i}")
    for act in (lambda: store.enter(code, "late"), lambda: store.answer(code, "late", 1, "yes")):
        with pytest.raises(ClassError, match="full"):
            act()
    store.answer(code, "seat 7", 1, "yes")
    store.leave(code, "seat 7")  # has answered
    store.leave(code, "seat 8")
    assert store.counts(code) == Counts(MAX_SEATS - 1, 1)
    store.enter(code, "late")
    with pytest.raises(ClassError, match="Join the class again"):
        store.enter(code, "x" * 1000)


def test_students_who_answer_at_the_same_moment_are_all_counted_once(store):
    code, key = store.open(YES_NO)
    refused = []

    def student(first):
        for i in range(first, first + 100):
            try:
                store.answer(code, f"seat {i % MAX_SEATS}", 1, "yes")
            except ClassError as why:
                refused.append(str(why))

    threads = [threading.Thread(target=student, args=(50 * k,)) for k in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.counts(code) == Counts(MAX_SEATS, MAX_SEATS)
    assert len(refused) == 12 * 100 - MAX_SEATS
    store.reveal(code, key)
    assert len(store.answers(code)) == MAX_SEATS


def test_home_knows_the_classes_without_the_engine():
    code = "import sys, ui.class_room.join; sys.exit('engine' in sys.modules or 'jax' in sys.modules)"
    run([sys.executable, "-c", code], cwd=ROOT, check=True)


# ---- what is asked, and how what came is shown


@every_question
def test_what_a_class_is_asked_comes_back_from_its_link(setup):
    (page,) = (title for title, kind in SETUPS.items() if isinstance(setup, kind))
    assert not posing.problem(setup)
    posed = posing.pose(page, replace(setup, lecture=True, story="momentum", class_code="BBBB"))
    read, notes = decode(posed.query, SETUPS[page]())
    assert not notes
    assert posing.is_same(posed, page, read)
    assert posing.is_same(posed, page, replace(read, class_code="BKMT", lecture=True))
    assert not {"class", "story", "lecture"} & posed.query.keys()
    question = question_of(setup)
    assert (posed.choices, posed.numbers) == (tuple(question.choices(setup)), len(question.numbers(setup)))


def test_where_nothing_can_be_asked_it_says_why():
    assert "file" in posing.problem(FitSetup(data=CSV))
    assert "no question" in posing.problem(GradientsSetup(part="loss"))
    assert "f has no one slope" in posing.problem(GradientsSetup(f="own", own="sign(x)", low=-5.0, high=5.0, x0=99.0))
    assert not posing.problem(RaceSetup())


def test_the_next_question_of_a_story_is_that_of_its_next_step_that_asks():
    for story in library().stories.values():
        asks = [number for number, step in enumerate(story.steps, 1) if "ask" in step.query]
        for number, step in enumerate(story.steps, 1):
            setup = replace(SETUPS[step.page](), story=story.name, step=number)
            for before, posed in {0: posing.pose("Linear Fit", FIT), **dict(posing.in_story(story.name))}.items():
                following = posing.next_in_story(setup, posed)
                left = [later for later in asks if later >= number and later != before]
                assert (following and following[0]) == next(iter(left), None)
    assert posing.next_in_story(RaceSetup(), posing.pose("Linear Fit", FIT)) is None


@every_question
def test_every_answer_is_in_one_bar_and_the_right_ones_are_marked(setup):
    rng = random.Random(11)
    question, outcome = question_of(setup), outcome_of(setup)
    choices = list(question.choices(setup))
    if choices:
        answers = [rng.choice(choices) for _ in range(200)]
    elif outcome.right is None:  # a try: of several points, of one of the slider's stops, or of a line
        stops, many, most = question.stops(setup), len(question.numbers(setup)), max(1, question.budget(setup))
        points = [tuple(rng.gauss(0, 9) for _ in range(many * rng.randint(1, most))) for _ in range(200)]
        answers = [(rng.choice(stops),) for _ in range(200)] if stops else points
    else:
        right = list(zip(outcome.right, outcome.reach, strict=True))
        answers = [
            tuple(c + rng.choice([0, 0.5, 1.5, 1e6]) * rng.gauss(0, reach) for c, reach in right) for _ in range(200)
        ]
    given = Results([*answers, None, None])
    bars = given.bars(question, setup, outcome)
    assert sum(bar.count for bar in bars) == 200
    assert sum(bar.count for bar in bars if bar.right) == sum(is_right(answer, outcome) for answer in answers)
    assert any(bar.right for bar in bars) == (outcome.right is not None)
    assert given.places == ([] if choices or len(question.numbers(setup)) == 1 else [one[-2:] for one in answers])
    assert sum(bar.count for bar in Results([]).bars(question, setup, outcome)) == 0


def test_a_label_of_a_bar_is_text_and_nothing_else():
    bar = results.Bar("<img src=x onerror=alert(1)> & co", 1, False)
    for drawn in (results.row(bar, 1), results.column(bar, 1)):
        assert "<img" not in drawn
        assert "&lt;img" in drawn


def test_a_teachers_own_question_is_counted_and_its_words_are_shown_as_they_are():
    words = "*Which* one <wins>?"
    setup = replace(RACE, ask=Own.link_text(words, ["SGD_1", "<b>Adam</b>", "none"]))
    code, key = CLASSES.open(posing.pose("Ackley Race", setup))
    student = student_of(code)
    assert student.radio[0].options
    student.radio[0].set_value("2")
    press(student, "Commit")
    CLASSES.reveal(code, key)
    sound(student.run())
    (bars,) = (part.proto.body for part in student.get("html") if '<div class="class-bars"' in part.proto.body)
    assert "&lt;b&gt;Adam&lt;/b&gt;" in bars
    assert "SGD_1" in bars
    assert "data-right" not in bars
    assert "Right." not in texts(student)
    assert "Not so." not in texts(student)


def test_a_screen_reader_is_told_of_quarters_and_not_of_each_answer():
    said = [announced(Counts(300, answered)) for answered in range(301)]
    assert len(set(said)) == 5
    assert said[0] == ""
    assert said[-1] == "All of the class answered."
    assert announced(Counts(0, 0)) == ""


def test_the_qr_code_is_black_on_white_in_any_theme():
    drawn = qr("http://example.org/?class=BKMT")
    assert "%23fff" in drawn
    assert "%23000" in drawn
    assert "currentColor" not in drawn


# ---- the pages


def press(app, label):
    (button,) = (button for button in app.button if button.label == label)
    return sound(button.click().run())


def teacher_of(setup):
    """A teacher's page with a class on a set-up, and the class's code."""
    app = shown(setup)
    open_menu(app)
    press(app, "Hold a class")
    sound(app.run())
    return app, app.query_params["class"] if isinstance(app.query_params["class"], str) else app.query_params["class"][
        0
    ]


def open_menu(app):
    (key,) = (key for key in ("race-teach", "fit-teach", "slope-teach", "regression-teach") if key in app.session_state)
    app.session_state[key] = True
    return sound(app.run())


def student_of(code):
    return opened("Home", {"class": [code]})


def htmls(app):
    return "\n".join(part.proto.body for part in app.get("html"))


def labels(app):
    return [button.label for button in app.button]


@pytest.mark.parametrize("setup", [RACE, replace(FIT, ask="")], ids=["with a question", "without one"])
def test_a_class_from_start_to_end(setup):
    page = next(title for title, kind in SETUPS.items() if isinstance(setup, kind))
    key = "race-stage" if isinstance(setup, RaceSetup) else "fit-stage"
    teacher, code = teacher_of(setup)
    assert "held" in stage(teacher, key)
    assert {"Reveal", "Pause", "Show large", "End the class"} <= set(labels(teacher))
    student, other = student_of(code), student_of(code.lower())
    asked = replace(address(teacher, page), class_code=code)
    for app in (student, other):
        assert address(app, page) == asked
        assert "held" in stage(app, key)
        assert labels(app) == ["Commit", "Skip the question", "Leave"]
        assert not app.sidebar.selectbox
    assert CLASSES.counts(code) == Counts(2, 0)
    student.radio[0].set_value(list(question_of(asked).choices(asked))[-1])
    press(student, "Commit")
    assert "It is counted" in texts(student)
    assert "held" in stage(student, key)
    press(other, "Skip the question")
    assert CLASSES.counts(code) == Counts(2, 2)
    press(teacher, "Reveal")
    for app in (teacher, sound(student.run()), sound(other.run())):
        assert "held" not in stage(app, key)
        assert "**The outcome.**" in texts(app)
        assert any("class-bars" in part.proto.body for part in app.get("html"))
    assert "You said" in texts(student)
    assert "You did not answer." in texts(other)
    press(teacher, "Ask again")
    assert "Commit" in labels(sound(student.run()))
    press(teacher, "End the class")
    assert CLASSES.look(code) is None
    assert "class" not in teacher.query_params
    assert f"No class {code} is held here" in texts(sound(student.run()))
    press(student, "Go on by yourself")
    assert "class" not in student.query_params
    assert "No class" not in texts(student)


def test_what_a_student_changes_is_set_back_until_it_is_revealed_and_then_the_page_is_theirs():
    code, key = CLASSES.open(posing.pose("Ackley Race", RACE))
    student = student_of(code)
    before = address(student, "Ackley Race")
    student.query_params["steps"] = "77"
    assert address(sound(student.run()), "Ackley Race") == before
    CLASSES.reveal(code, key)
    sound(student.run())
    student.select_slider(key="race-steps").set_value(
        "70" if "70" in student.select_slider(key="race-steps").options else 70
    )
    sound(student.run())
    assert address(student, "Ackley Race").steps == 70
    assert "held" not in stage(student)
    assert "The next question comes by itself" in texts(student)
    CLASSES.ask(code, key, posing.pose("Linear Fit", FIT))
    sound(student.run())
    assert address(student, "Linear Fit") == replace(FIT, class_code=code)


def test_what_is_hidden_stays_hidden_for_the_class():
    setup = replace(RACE, hide=("landscape",), lock=("steps",), title="Which one?")
    code, key = CLASSES.open(posing.pose("Ackley Race", setup))
    student = student_of(code)
    assert address(student, "Ackley Race") == replace(setup, class_code=code)
    CLASSES.reveal(code, key)
    sound(student.run())
    assert "Landscape" not in [box.label for box in student.selectbox]
    CLASSES.ask(code, key, posing.pose("Ackley Race", replace(RACE, steps=50)))
    assert address(sound(student.run()), "Ackley Race") == replace(RACE, steps=50, class_code=code)


@every_question
def test_while_a_question_is_asked_teacher_and_student_read_what_runs(setup):
    (page,) = (title for title, kind in SETUPS.items() if isinstance(setup, kind))
    code, key = CLASSES.open(posing.pose(page, setup))
    student = student_of(code)
    told = given(Asking(Controls(page, "x"), setup, question_of(setup), None, together=Together(True, print)))[0]
    assert bool(told) != question_of(setup).blind
    for part in (*settings(setup), *captions(setup).values()) if told else ():
        assert f"<span>{escape(part)}</span>" in told
    assert (told in htmls(student)) if told else ('class-given"' not in htmls(student))
    CLASSES.reveal(code, key)
    assert 'class="class-given"' not in htmls(sound(student.run()))


def test_the_teachers_board_says_what_runs_while_it_is_held():
    teacher, _ = teacher_of(FIT)
    assert "learning rate α = 0.0312" in htmls(teacher)
    press(teacher, "Reveal")
    assert 'class="class-given"' not in htmls(teacher)


@pytest.mark.parametrize("way", ["hide", "lock"])
@pytest.mark.parametrize("setup", [RaceSetup(landscape="Ravine", steps=40), replace(FIT, ask="")], ids=["race", "fit"])
def test_a_class_is_held_where_the_question_is_hidden_or_locked(setup, way):
    teacher, code = teacher_of(replace(setup, **{way: ("ask",)}))
    page = next(title for title, kind in SETUPS.items() if isinstance(setup, kind))
    prefix = "race" if isinstance(setup, RaceSetup) else "fit"
    for number in (1, 2):
        assert "Reveal" in labels(teacher)
        assert "held" in stage(teacher, f"{prefix}-stage")
        assert posing.is_same(CLASSES.look(code).posed, page, address(teacher, page))
        assert CLASSES.look(code).number == number
        if number == 1:
            teacher.select_slider(key=f"{prefix}-steps").set_value(50)
            sound(teacher.run())
            press(teacher, "Ask this one")


@pytest.mark.parametrize("view", ["usual", "wide"])
def test_a_place_is_judged_by_the_map_that_the_class_was_asked_on_whatever_each_page_shows(view):
    asked = replace(RACE, ask="where~SGD~20", start=(5.0, 1.0), view=view)
    teacher, code = teacher_of(asked)
    right, reach = outcome_of(asked).right, outcome_of(asked).reach
    for k, share in enumerate((0.75, 1.5)):  # right on the one map, and wrong on the other
        CLASSES.answer(code, f"seat {k}", 1, (right[0] + share * reach[0], right[1]))
    student = student_of(code)
    press(student, "Skip the question")
    for app in (teacher, student):
        app.query_params["view"] = "wide" if view == "usual" else "usual"
        sound(app.run())
        CLASSES.look(code).revealed or press(teacher, "Reveal")
        drawn = htmls(sound(app.run()))
        assert ">near enough" in drawn
        assert [int(n) for n in re.findall(r"</i><b>(\d+)</b></li>", drawn)] == [1, 1]


def test_a_paused_class_takes_no_answers_and_says_so():
    code, key = CLASSES.open(posing.pose("Ackley Race", RACE))
    student = student_of(code)
    CLASSES.pause(code, key)
    press(student, "Skip the question")  # the form was drawn before
    assert "The class is paused" in texts(student)
    assert [button.disabled for button in student.button] == [True, True, False]  # but that to leave
    CLASSES.pause(code, key, False)
    sound(student.run())
    assert labels(student) == ["Commit", "Skip the question", "Leave"]
    assert not any(button.disabled for button in student.button)
    assert CLASSES.counts(code) == Counts(1, 0)


def test_a_pause_leaves_half_an_answer_as_it_is_and_another_question_does_not():
    place = posing.pose("Ackley Race", replace(RACE, ask="where~SGD~20"))
    code, key = CLASSES.open(place)
    student = student_of(code)
    student.number_input(key="race-ask-number-0").set_value(3.5)
    press(student, "Commit")
    for paused in (True, False):
        CLASSES.pause(code, key, paused)
        assert sound(student.run()).number_input(key="race-ask-number-0").value == 3.5
    assert CLASSES.counts(code) == Counts(1, 0)
    CLASSES.ask(code, key, place)
    assert sound(student.run()).number_input(key="race-ask-number-0").value is None


def test_a_student_leaves_and_is_not_taken_back_by_the_address():
    code, _ = CLASSES.open(posing.pose("Ackley Race", RACE))
    student = student_of(code)
    press(student, "Leave")
    assert "class" not in student.query_params
    assert CLASSES.counts(code) == Counts(0, 0)
    assert address(student, "Ackley Race") == RACE
    assert "Leave" not in labels(sound(student.run()))


def test_whoever_leaves_and_comes_back_has_the_same_seat_and_no_second_answer():
    codes = [CLASSES.open(posing.pose("Ackley Race", RACE))[0] for _ in range(2)]
    student = student_of(codes[0])
    press(student, "Skip the question")
    for _ in range(3):
        for code in (codes[1], codes[0]):  # by another class, and then by home
            press(student, "Leave")
            student.query_params.clear()
            student.query_params["class"] = [code]
            sound(student.switch_page(FILES["Home"]).run())
            assert ("Commit" in labels(student)) == (code == codes[1])
        assert [CLASSES.counts(code) for code in codes] == [Counts(1, 1), Counts(0, 0)]


def test_whoever_opens_another_page_is_first_asked_who_they_are_and_then_sent_to_the_question():
    code, _ = CLASSES.open(posing.pose("Linear Fit", FIT))
    link = replace(RACE, class_code=code)
    came = shown(link)
    assert address(came, "Ackley Race") == link
    assert "The question opens" in texts(came)
    assert "held" in stage(came)
    assert "Commit" not in labels(came)
    (kept,) = (part.proto for part in came.get("bidi_component") if "class-keep" in part.proto.id)
    assert json.loads(kept.json)["waits"]
    assert address(sound(came.run()), "Linear Fit") == replace(FIT, class_code=code)


def test_the_teacher_asks_about_another_set_up_and_comes_back():
    teacher, code = teacher_of(RACE)
    first = CLASSES.look(code).posed
    teacher.select_slider(key="race-steps").set_value(50)
    sound(teacher.run())
    assert "not what the class is asked now" in texts(teacher)
    press(teacher, "Back to the question")
    assert posing.is_same(first, "Ackley Race", address(teacher, "Ackley Race"))
    teacher.select_slider(key="race-steps").set_value(50)
    sound(teacher.run())
    press(teacher, "Ask this one")
    state = CLASSES.look(code)
    assert (state.number, state.posed.setup.steps) == (2, 50)
    assert "Reveal" in labels(teacher)
    assert "held" in stage(teacher)


def test_after_it_is_revealed_the_teacher_turns_a_knob_and_the_run_is_shown():
    teacher, code = teacher_of(RACE)
    press(teacher, "Reveal")
    for steps in (50, 60):
        teacher.select_slider(key="race-steps").set_value(steps)
        sound(teacher.run())
        assert "held" not in stage(teacher)
        assert "Commit" not in labels(teacher)
        assert {"Ask this one", "Back to the question"} <= set(labels(teacher))
    for name, values in {**encode(replace(RACE, landscape="Himmelblau", ask="lowest")), "class": [code]}.items():
        teacher.query_params[name] = values
    sound(teacher.run())  # a whole set-up with a question of its own
    assert "held" in stage(teacher)
    press(teacher, "Ask this one")
    assert "Reveal" in labels(teacher)


def test_in_a_story_the_next_question_is_one_click():
    story = next(s for s in library().stories.values() if sum("ask" in step.query for step in s.steps) > 1)
    first, second = [n for n, step in enumerate(story.steps, 1) if "ask" in step.query][:2]
    teacher = opened(story.steps[first - 1].page, story.query(first))
    open_menu(teacher)
    press(teacher, "Hold a class")
    sound(teacher.run())
    press(teacher, "Reveal")
    press(teacher, "Next question")
    code = address(teacher, story.steps[second - 1].page).class_code
    assert address(teacher, story.steps[second - 1].page).step == second
    state = CLASSES.look(code)
    assert state.number == 2
    student = student_of(code)
    assert "Commit" in labels(student)
    assert not address(student, story.steps[second - 1].page).story


def test_back_at_the_question_the_page_is_laid_out_as_before_and_the_story_goes_on():
    story = next(s for s in library().stories.values() if sum("ask" in step.query for step in s.steps) > 1)
    first, second = [n for n, step in enumerate(story.steps, 1) if "ask" in step.query][:2]
    teacher = opened(story.steps[first - 1].page, {**story.query(first), "lecture": ["1"]})
    open_menu(teacher)
    press(teacher, "Hold a class")
    sound(teacher.run())
    page, asked = story.steps[first - 1].page, address(teacher, story.steps[first - 1].page)
    press(teacher, "Reveal")
    teacher.query_params.clear()
    for name, values in {**story.query(second), "lecture": ["1"], "class": [asked.class_code]}.items():
        teacher.query_params[name] = values
    sound(teacher.switch_page(FILES[story.steps[second - 1].page]).run())
    assert "not what the class is asked now" in texts(teacher)
    press(teacher, "Back to the question")
    assert address(teacher, page) == asked
    sound(teacher.switch_page(FILES[page]).run())  # which AppTest, unlike a browser, does not do by itself
    press(teacher, "Next question")
    assert address(teacher, story.steps[second - 1].page).step == second


def test_neither_the_key_nor_a_seat_is_in_what_another_gets_or_in_an_address():
    teacher, code = teacher_of(RACE)
    student, other = student_of(code), student_of(code)
    key = teacher.session_state[ui.class_room.member.KEY].key
    seats = {app: app.session_state[ui.class_room.member.KEY].seat for app in (student, other)}
    assert key not in str(teacher.query_params)
    for app, seat in seats.items():
        assert key not in str(app._tree)
        assert all(strange == seat or strange not in str(app._tree) for strange in seats.values())
        assert seat not in str(app.query_params)
        assert seat not in str(teacher._tree)


def test_the_navigation_keeps_a_teacher_and_a_student_in_their_class():
    teacher, code = teacher_of(RACE)
    student = student_of(code)
    for app in (teacher, student):
        app.query_params.clear()
        sound(app.switch_page(FILES["Gradients"]).run())
    assert address(teacher, "Gradients") == replace(opening("Gradients"), class_code=code)
    assert "not what the class is asked now" in texts(teacher)
    assert address(student, "Ackley Race") == replace(RACE, class_code=code)  # where its question is


@pytest.mark.parametrize("typed", ["", "AB", "ABCD1", "<b>x</b>", "BKMT"])
def test_a_code_that_is_none_is_answered_in_one_sentence(typed):
    home = opened("Home")
    home.text_input[0].set_value(typed)
    press(home, "Join")
    (said,) = [part.value for part in home.markdown if ":material/error:" in part.value]
    assert "code" in said
    assert typed == "BKMT" or "<" not in said


def test_a_code_that_is_typed_at_home_opens_the_question():
    code, _ = CLASSES.open(posing.pose("Linear Fit", FIT))
    home = opened("Home")
    home.text_input[0].set_value(f" {code[:2]}-{code[2:].lower()} ")
    press(home, "Join")
    assert address(home, "Linear Fit") == replace(FIT, class_code=code)


def test_a_link_to_a_class_that_is_over_opens_the_page_and_says_so():
    app = opened("Ackley Race", {**encode(RACE), "class": ["BKMT"]})
    assert "No class BKMT is held here" in texts(app)
    assert "Commit" in labels(app)  # its own question
    app = opened("Home", {"class": ["BKMT"]})
    assert "No class BKMT is held here" in texts(app)


def test_a_page_without_a_class_draws_nothing_of_it():
    assert not [part for part in shown(RaceSetup(steps=20)).get("bidi_component") if "class" in part.proto.id]
    assert not ASKED["ends, race"].class_code
