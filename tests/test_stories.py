"""Stories: each can be followed by its links, its claims are so, and a broken file takes nothing down."""

import json
import logging
from dataclasses import replace
from functools import cache
from urllib.parse import parse_qs

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from visit import message, opened, past_the_question, shown, sound, texts

from engine import LANDSCAPES, parse
from engine.fair import fair_race
from engine.landscapes import evaluate_at
from engine.maps import basins
from engine.notebook import REPLAYS
from ui.gradients.differences import differences
from ui.linear_fit.data import points_of
from ui.linear_fit.run import run as fit
from ui.race.run import run as race_of
from ui.regression.run import run as regression
from ui.setup.codec import encode
from ui.setup.pages import SETUPS, WIDTHS
from ui.setup.presets import read_query
from ui.setup.questions.link import question_of
from ui.setup.stories import CHOICES, FOLDER, STEPS, Library, library, read

STORIES = library().stories
every_story = pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
every_step = pytest.mark.parametrize(
    ("story", "number"),
    [
        pytest.param(story, k, id=f"{name}-{k}")
        for name, story in STORIES.items()
        for k in range(1, len(story.steps) + 2)
    ],
)


# What a story is


def test_there_are_at_least_fourteen_in_the_order_of_their_files_and_none_is_broken():
    assert len(STORIES) >= 14
    assert library().faults == {}
    assert list(library().files.values()) == sorted(file.name for file in FOLDER.glob("*.toml"))


@every_step
def test_each_step_opens_without_a_note_and_its_link_reproduces_itself(story, number):
    page = story.steps[min(number, len(story.steps)) - 1].page
    setup, notes = read_query(page, story.query(number))
    assert notes == []
    assert (setup.story, setup.step) == (story.name, number)
    assert read_query(page, encode(setup)) == (setup, [])


@every_story
def test_each_question_has_exactly_one_right_choice_and_says_why(story):
    assert len(story.questions) == 3
    for question in story.questions:
        assert question.choices.count(question.right) == 1
        assert CHOICES[0] <= len(set(question.choices)) == len(question.choices) <= CHOICES[1]
        assert question.question.endswith("?")
        assert question.why.endswith(".")


@every_story
def test_the_right_choice_is_not_always_in_the_same_place(story):
    assert len({question.choices.index(question.right) for question in story.questions}) > 1


@every_story
def test_a_story_speaks_in_whole_sentences(story):
    assert STEPS[0] <= len(story.steps) <= STEPS[1]
    for step in story.steps:
        assert step.look.endswith((".", "?"))
        assert step.try_next.endswith((".", "?"))
        assert "!" not in step.look + step.try_next
    assert story.misconception.endswith(".")


def test_no_two_stories_have_the_same_title_and_every_page_is_visited():
    assert len({story.title for story in STORIES.values()}) == len(STORIES)
    assert {step.page for story in STORIES.values() for step in story.steps} == SETUPS.keys()


# What each claims


def setup_of(name, number):
    step = STORIES[name].steps[number - 1]
    setup, notes = read_query(step.page, step.query)
    assert not notes
    return setup


@cache
def raced(name, number):
    """The paths and losses of a step's racers, in their order: the lists of (recorded, 2) and (recorded,)."""
    traces, _ = race_of(setup_of(name, number))
    return [trace.positions[0] for trace in traces.values()], [trace.losses[0] for trace in traces.values()]


@cache
def fitted(name, number):
    setup = setup_of(name, number)
    return fit(setup, points_of(setup, None))


def test_gradient_the_path_starts_at_right_angles_to_the_iso_line_and_not_towards_the_minimum():
    (path,), _ = raced("gradient", 3)
    booth = LANDSCAPES["Booth"]
    first, way = path[1] - path[0], np.array(booth.minima[0]) - path[0]
    sideways = 1e-2 * np.array([-first[1], first[0]]) / np.linalg.norm(first)
    up, down = np.asarray(evaluate_at(booth.loss, np.float32([path[0] + sideways, path[0] - sideways])))
    assert abs(up - down) < 0.1 * abs(np.diff(np.asarray(evaluate_at(booth.loss, np.float32(path[:2])))))
    assert first @ way / np.linalg.norm(first) / np.linalg.norm(way) < 0.9


def test_finite_differences_errors_fall_and_grow_as_it_says():
    of = {h: k for k, h in enumerate(WIDTHS)}
    errors = differences(parse("sin x", ("x",)), 1.0).errors
    forward, central = errors["forward"], errors["central"]
    assert forward[of[1.0]] > forward[of[0.1]] > forward[of[0.01]]
    assert forward[of[0.1]] / central[of[0.1]] > 10 * forward[of[1.0]] / central[of[1.0]] * 0.5
    assert forward[of[1e-7]] > forward[of[0.1]]
    assert central[of[1e-7]] > central[of[0.1]]
    straight = differences(parse("4x", ("x",)), 2.3).errors
    assert straight["forward"][of[1.0]] == straight["central"][of[1.0]] == 0
    assert straight["forward"][of[1e-7]] > 0


def test_learning_rate_each_is_the_share_of_the_limit_that_it_says_and_does_so():
    slow, once, under, over = (fitted("learning-rate", k) for k in (1, 2, 3, 4))
    rates = [setup_of("learning-rate", k).rate / slow.curvature.limit for k in (1, 2, 3, 4)]
    np.testing.assert_allclose(rates, [0.0033, 0.5, 0.98, 1.02], rtol=0.01)
    assert slow.run.positions[100, 0] < 2
    assert once.run.positions[1, 0] == pytest.approx(4, abs=1e-2)
    gaps = under.run.positions[:20, 0] - 4
    np.testing.assert_allclose(gaps[1:] / gaps[:-1], -0.957, atol=5e-3)
    assert (np.diff(over.run.losses) > 0).all()


def test_ravine_each_racer_is_where_it_says():
    (slow,), _ = raced("ravine", 1)
    assert abs(slow[10, 1]) < 0.01
    assert slow[150, 0] == pytest.approx(-3.8, abs=0.05)
    (quick,), _ = raced("ravine", 2)
    assert quick[150, 0] == pytest.approx(-0.42, abs=0.005)
    assert (np.sign(quick[1:20, 1]) != np.sign(quick[:19, 1])).all()
    (_, wild), _ = raced("ravine", 3)
    np.testing.assert_allclose(np.abs(wild[1:, 1] / wild[:-1, 1]), 1.05, atol=1e-3)
    assert (np.diff(np.abs(wild[:, 0])) < 0).all()


def test_momentum_swings_where_a_larger_learning_rate_does_not():
    (sgd, momentum), _ = raced("momentum", 1)
    assert momentum[5, 0] < 0 < sgd[5, 0]
    assert sgd[5, 0] == pytest.approx(2.36, abs=0.005)
    (large, _), (_, losses) = raced("momentum", 2)
    np.testing.assert_allclose(large[1:], 0, atol=1e-6)
    assert (np.diff(np.sign(np.diff(losses))) > 0).sum() >= 2
    _, (small, diverged, heavy) = raced("momentum", 3)
    assert diverged[-1] > 1e6
    assert heavy[-1] < small[-1]


def test_turned_ravine_sgd_is_the_same_and_the_coordinate_wise_lose_their_advantage():
    _, (sgd, rmsprop, adam) = raced("turned-ravine", 1)
    _, (sgd_turned, rmsprop_turned, adam_turned) = raced("turned-ravine", 2)
    assert max(rmsprop[-1], adam[-1]) < sgd[-1] / 100
    np.testing.assert_allclose(sgd_turned, sgd, rtol=2e-3)
    assert min(rmsprop_turned[-1], adam_turned[-1]) > sgd_turned[-1]
    _, losses = raced("turned-ravine", 3)
    assert min(losses, key=lambda loss: loss[-1]) is losses[1]


def test_adams_first_step_is_the_learning_rate_in_each_coordinate():
    (adam, sgd), _ = raced("adams-first-step", 1)
    np.testing.assert_allclose(np.abs(adam[1] - adam[0]), 0.5, rtol=1e-4)
    across, along = np.abs(sgd[1] - sgd[0])[::-1]
    assert across / along == pytest.approx(50, rel=1e-3)
    (adam, lion), _ = raced("adams-first-step", 2)
    np.testing.assert_allclose(adam[1], lion[1], atol=1e-5)
    np.testing.assert_allclose(np.abs(lion[2] - lion[1]), 0.5, rtol=1e-4)
    assert (np.abs(np.abs(adam[2] - adam[1]) - 0.5) > 1e-3).all()
    (adam, _), _ = raced("adams-first-step", 3)
    np.testing.assert_allclose(np.abs(adam[1] - adam[0]), 0.5, rtol=1e-3)


def test_bias_correction_without_it_the_first_step_is_too_long_or_too_short():
    (corrected, plain), _ = raced("bias-correction", 1)
    firsts = [abs(path[1, 0] - path[0, 0]) for path in (corrected, plain)]
    np.testing.assert_allclose(firsts, [0.1, 0.1 * 0.1 / np.sqrt(0.001)], rtol=1e-3)
    assert plain[10, 0] < 0 < corrected[10, 0]
    (corrected, plain), _ = raced("bias-correction", 2)
    firsts = [abs(path[1, 0] - path[0, 0]) for path in (corrected, plain)]
    np.testing.assert_allclose(firsts, [0.1, 0.1 * 0.1 / np.sqrt(0.1)], rtol=1e-3)
    (corrected, plain), _ = raced("bias-correction", 3)
    assert (plain[1:, 0] < corrected[1:, 0]).all()


def test_saddles_none_leaves_the_line_and_beside_it_adam_is_first():
    for path in raced("saddles", 1)[0]:
        assert (path[:, 1] == 0).all()
        assert abs(path[-1, 0]) < 0.05
    (sgd, _, adam), _ = raced("saddles", 2)
    np.testing.assert_allclose(sgd[1:, 1] / sgd[:-1, 1], 1.2, rtol=1e-3)
    assert sgd[10, 1] == pytest.approx(0.006, abs=5e-4)
    assert adam[10, 1] == pytest.approx(0.92, abs=5e-3)
    _, (crawling, _) = raced("saddles", 3)
    assert crawling[30] > 0 > crawling[50]


def test_kink_the_jumps_stay_and_grow_with_the_learning_rate():
    (smooth,), _ = raced("kink", 1)
    assert np.linalg.norm(np.diff(smooth, axis=0), axis=1)[-1] < 1e-4
    paths, losses = raced("kink", 2)
    jumps = [np.linalg.norm(np.diff(path, axis=0), axis=1)[-20:].mean() for path in paths]
    assert jumps[0] > 5 * jumps[1] > 25 * jumps[2] > 0
    assert jumps[1] == pytest.approx(0.01 * 2.8, rel=0.4)
    assert losses[0][-1] > losses[1][-1] > losses[2][-1]
    (sgd, adagrad), _ = raced("kink", 3)
    jumps = [np.linalg.norm(np.diff(path, axis=0), axis=1) for path in (sgd, adagrad)]
    assert jumps[0][-20:].mean() == pytest.approx(jumps[0][80:100].mean(), rel=0.1)
    assert jumps[1][-20:].mean() < 0.7 * jumps[1][80:100].mean()


def test_mini_batches_wander_the_less_the_larger_the_batch_and_the_smaller_the_rate():
    whole, four, one, careful = (fitted("mini-batches", k).run for k in (1, 2, 3, 4))
    assert (np.diff(whole.losses[:20]) < 0).all()
    assert whole.losses[-1] == pytest.approx(98.07, abs=0.005)
    wander = [run.positions[-len(run.positions) // 3 :, 0].std() for run in (whole, careful, four, one)]
    assert wander[0] < 1e-3 < wander[1] < wander[2] < wander[3]
    assert four.positions[-100:, 0].mean() == pytest.approx(2.6, abs=0.1)
    few = setup_of("mini-batches", 5)
    for batch, moves in ((few.batch, True), (0, False)):
        for trace in regression(replace(few, batch=batch)).traces.values():
            assert (np.abs(np.diff(trace.positions[0, -20:], axis=0)).max() > 0.01) == moves


def test_rmsprop_memory_makes_the_first_step_long_and_adagrad_never_forgets():
    (without,), _ = raced("rmsprop-memory", 1)
    np.testing.assert_allclose(np.abs(np.diff(without[:, 0])), 0.1, rtol=1e-2)
    paths, _ = raced("rmsprop-memory", 2)
    firsts = [abs(path[1, 0] - path[0, 0]) for path in paths]
    np.testing.assert_allclose(firsts, [0.1 / np.sqrt(0.1), 0.1 / np.sqrt(0.01)], rtol=1e-3)
    (rmsprop, adagrad), _ = raced("rmsprop-memory", 3)
    assert adagrad[-1, 0] == pytest.approx(2.3, abs=0.05)
    assert np.abs(rmsprop[-1]).max() < 0.01


def test_leaked_variable_the_notebooks_run_is_a_straight_line_and_the_mended_one_stays():
    (plain, leaked), (_, losses) = raced("leaked-variable", 1)
    assert leaked.shape[0] > 399
    assert np.abs(leaked[399]).max() < 0.01 < np.abs(leaked[398]).max()
    assert np.abs(leaked[:, 0] - leaked[:, 1]).max() < 0.01
    assert (np.diff(losses) > 0).any()
    assert np.abs(plain[-1] - 4).max() < 0.1
    (_, leaked), (plain_losses, _) = raced("leaked-variable", 2)
    assert {*np.sign(np.diff(plain_losses))} == {-1, 1}  # it goes to and fro over the bottom of its dent
    np.testing.assert_allclose(np.diff(leaked, axis=0), -0.01, rtol=1e-2)
    assert REPLAYS["Adam"].pull == pytest.approx(166.6, abs=0.05)
    gradient = jax.grad(LANDSCAPES["Ackley"].loss)(jnp.array([4.0, 4.0]))
    np.testing.assert_allclose(gradient, 0.9, atol=0.005)
    (mended,), _ = raced("leaked-variable", 4)
    np.testing.assert_allclose(mended[-1], 3.9, atol=0.05)


def test_leaked_variable_the_gradient_that_it_swamps_is_small():
    axis = np.linspace(0, 4, 401, dtype=np.float32)
    losses = np.asarray(evaluate_at(LANDSCAPES["Ackley"].loss, np.stack([axis, axis], axis=1)))
    assert np.abs(np.diff(losses) / np.diff(axis)).max() < 2 * 7  # along the diagonal: of both coordinates together


def test_fair_race_the_winner_depends_on_the_common_rate_and_on_tuning():
    def winners(number):
        setup = setup_of("fair-race", number)
        rules = [type(racer) for racer in setup.racers]
        fair = fair_race(setup.chosen_landscape, rules, setup.steps, setup.shared_rate)
        return [dict(zip(fair.optimizers, term.mean(axis=0), strict=True)) for term in fair.wins]

    same, *_ = winners(1)
    assert same["Momentum"] > 0.5
    assert same["Adam"] < 0.05
    same, *_ = winners(2)
    assert same["RMSProp"] > 0.5
    assert same["SGD"] == 0
    _, own, tuned = winners(3)
    assert max(own, key=own.get) == "SGD"
    assert max(tuned, key=tuned.get) == "Adam"


def test_tuning_adam_the_smallest_rate_hardly_moves_and_the_largest_ends_lowest():
    paths, losses = raced("tuning-adam", 1)
    ends = [loss[-1] for loss in losses]
    assert ends == sorted(ends, reverse=True)
    assert np.linalg.norm(paths[0][-1] - paths[0][0]) < 0.3
    setup = setup_of("tuning-adam", 2)
    largest = tuple(replace(racer, learning_rate=1.0) for racer in setup.racers)
    traces, _ = race_of(replace(setup, racers=largest))
    assert [trace.stopped_at[0] >= 0 for trace in traces.values()] == [False, True]  # Adam, SGD
    setup = setup_of("tuning-adam", 3)
    (adam,), rates = setup.racers, question_of(setup).stops(setup)
    ends = {
        rate: float(trace.losses[0, -1])
        for rate in rates
        for trace in race_of(replace(setup, racers=(replace(adam, learning_rate=rate),)))[0].values()
    }
    assert len(rates) == 31
    assert min(ends, key=ends.get) > 100 * adam.learning_rate
    assert ends[adam.learning_rate] > 1000 * min(ends.values())
    assert ends[1.0] > 10 * min(ends.values())


def test_which_minimum_all_three_rest_in_a_local_one_and_four_end_apart():
    paths, losses = raced("which-minimum", 1)
    for path, loss in zip(paths, losses, strict=True):
        np.testing.assert_allclose(path[-1], paths[0][-1], atol=0.05)
        assert loss[-1] == pytest.approx(-50, abs=0.2)
    setup = setup_of("which-minimum", 2)
    sgd, momentum = (basins(setup.chosen_landscape, racer, 32, setup.steps).nearest for racer in setup.racers)
    assert (sgd != momentum).mean() > 0.05
    assert {*sgd.flat} >= {0, 1, 2, 3}
    paths, _ = raced("which-minimum", 3)
    assert [bool(np.abs(path[-1]).max() < 0.1) for path in paths] == [False, False, False, True]
    assert np.linalg.norm(paths[0][-1] - paths[0][0]) < 1.5


# What is broken


SOUND = (FOLDER / library().files[next(iter(STORIES))]).read_text(encoding="utf-8")


def changed(before, after):
    assert before in SOUND
    return SOUND.replace(before, after, 1)


BROKEN = {
    "no TOML": ("03-a.toml", "title = ", "It is not TOML"),
    "no UTF-8": ("03-a.toml", SOUND.encode("utf-16"), "Save it with that encoding"),
    "a name without number": ("a.toml", SOUND, "two digits"),
    "a key is missing": ("03-a.toml", changed("minutes", "# minutes"), "The file has no minutes"),
    "a key is misspelt": ("03-a.toml", changed("look =", "lok ="), "step 1 has no look"),
    "a key is not known": ("03-a.toml", changed("title", 'author = "me"\ntitle'), "'author', which is not known"),
    "a number is a text": ("03-a.toml", changed("minutes = 6", 'minutes = "6"'), "minutes is '6'. Expected a whole"),
    "a text is a number": ("03-a.toml", changed('page = "Gradients"', "page = 4"), "step 1: page is 4"),
    "a text is empty": ("03-a.toml", "title = ''\n" + SOUND.split("\n", 1)[1], "title is ''"),
    "a text is too long": ("03-a.toml", f"title = '{'x' * 99}'\n" + SOUND.split("\n", 1)[1], "99 characters"),
    "no such page": ("03-a.toml", changed('"Gradients"', '"Gradient"'), "Expected one of: 2D Regression"),
    "no link": ("03-a.toml", changed('link = "', 'link = "https://a.org/Gradients?'), "behind the ?"),
    "a link with a story": ("03-a.toml", changed('link = "', 'link = "story=a&'), "Leave that out"),
    "a link that is not read": ("03-a.toml", changed("f=x²", "f=x³"), "step 1: link: f `x³` is not one of"),
    "one step": ("03-a.toml", SOUND.replace("[[step]]", "[step]", 1), "It is not TOML"),
    "six steps": (
        "03-a.toml",
        SOUND.replace("[[question]]", "\n".join(3 * ["[[step]]" + SOUND.split("[[")[1][6:]]) + "[[question]]", 1),
        "It has 6 [[step]]. Expected 2 to 5",
    ),
    "two questions": ("03-a.toml", SOUND.rpartition("[[question]]")[0], "It has 2 [[question]]. Expected 3"),
    "no right choice": ("03-a.toml", changed('right = "', 'right = "not '), "Expected one of the choices"),
    "twice a choice": (
        "03-a.toml",
        changed('choices = ["To the left"', 'choices = ["To the right"'),
        "no two the same",
    ),
    "a name that is taken": ("02-sound.toml", SOUND, "is that of 01-sound.toml too"),
}


def folder_with(tmp_path, file, content) -> Library:
    """The stories of a folder that holds a sound one and another file."""
    (tmp_path / "01-sound.toml").write_text(SOUND, encoding="utf-8")
    (tmp_path / file).write_bytes(content.encode() if isinstance(content, str) else content)
    found = read(tmp_path)
    found.check_links()
    return found


@pytest.mark.parametrize(("file", "content", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named_with_its_reason_and_the_others_are_there(file, content, reason, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        found = folder_with(tmp_path, file, content)
    assert list(found.stories) == ["sound"]
    assert list(found.faults) == [file]
    assert reason in found.faults[file]
    assert "\n" not in found.faults[file].rstrip(".")
    assert [f"ui/stories/{file} is left out: {found.faults[file]}" in r.getMessage() for r in caplog.records] == [True]


def test_home_lists_the_stories_in_order_and_names_a_broken_file(tmp_path, monkeypatch):
    found = folder_with(tmp_path, "02-broken.toml", "title = ")
    for stories in (library(), found):
        monkeypatch.setattr("ui.home.story_list.library", lambda stories=stories: stories)
        sent = json.loads(message(opened("Home"), "story-list").json)
        assert [story["name"] for story in sent["stories"]] == list(stories.stories)
        assert len(sent["faults"]) == len(stories.faults)
        for fault, (file, why) in zip(sent["faults"], stories.faults.items(), strict=True):
            assert fault == f"{file} is left out: {why}"


def test_a_new_file_is_all_that_a_story_needs(tmp_path):
    found = folder_with(tmp_path, "02-new-one.toml", SOUND.replace("title = ", "title = ", 1))
    assert list(found.stories) == ["sound", "new-one"]


# On the pages


def test_home_links_to_each_step_by_a_relative_address():
    for story in json.loads(message(opened("Home"), "story-list").json)["stories"]:
        for number, link in enumerate(story["links"], start=1):
            page, _, query = link.partition("?")
            setup, notes = read_query(page.replace("_", " "), parse_qs(query, keep_blank_values=True))
            assert (setup.story, setup.step, notes) == (story["name"], number, [])


def test_a_step_says_what_to_look_at_and_what_to_try_and_leads_on():
    name, story = next(iter(STORIES.items()))
    for number in (1, len(story.steps), len(story.steps) + 1):
        page = story.steps[min(number, len(story.steps)) - 1].page
        app = opened(page, story.query(number))
        links = [link.proto for link in app.main.get("page_link") if link.proto.query_string]
        labels = [link.label.strip("*") for link in links]
        asked = json.loads(message(app, "story-questions").json)
        assert (asked["story"], asked["step"]) == (name, number)
        if number > len(story.steps):
            assert labels == ["Back"]
            assert [question["question"] for question in asked["questions"]] == [q.question for q in story.questions]
            continue
        assert labels == (["Next"] if number == 1 else ["Back", "Next"])
        assert parse_qs(links[-1].query_string, keep_blank_values=True) == story.query(number + 1)
        answered = texts(past_the_question(app))
        assert story.steps[number - 1].look in answered
        assert story.steps[number - 1].try_next in answered
        assert asked["questions"] == []


def test_a_page_without_a_story_has_no_bar():
    app = shown(SETUPS["Gradients"]())
    assert not [c for c in app.get("bidi_component") if c.proto.id.endswith("-story-questions")]


def test_a_story_that_is_gone_is_said_and_the_page_opens(monkeypatch):
    setup, notes = read_query("Gradients", {"f": ["x²"], "story": ["gone"], "step": ["2"]})
    assert (setup.story, setup.step, setup.f) == ("", 1, "x²")
    (note,) = notes
    assert "`gone` is not the name of a story" in note


def test_the_next_preset_is_in_no_story():
    app = shown(replace(setup_of("momentum", 1), story="momentum", step=1, lecture=True))
    (button,) = (one for one in app.button if one.label == "Next preset")
    app = sound(button.click().run())
    assert "story" not in app.query_params
    assert not [words for words in texts(app) if "Often thought" in words]
    assert "lecture" in app.query_params
