"""A rule that a visitor types: it is what its lines say, known rules among them, and what cannot be read is said."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from visit import address, opened, shown, sound, stage, texts, tracks

from engine import LANDSCAPES, OPTIMIZERS, ExpressionError, race
from engine.maps import basins
from engine.optimizers import memory
from engine.rule_known import text_of
from engine.rule_text import EXAMPLE, MAX_CHARACTERS, MAX_KNOBS, MAX_LINES, RATES, parse_rule
from engine.rules import NAME
from engine.steps import steps_along
from engine.symbols import name_of, symbol_of
from ui.draw import line_up
from ui.draw.apart import Apart
from ui.draw.journal import racer_changes
from ui.draw.rule_field import FROM, TEXT
from ui.race.controls import CONTROLS
from ui.setup.codec import decode, encode
from ui.setup.pages import RACE_TABS, REGRESSION_TABS, RaceSetup, RegressionSetup
from ui.setup.questions.link import other_questions
from ui.setup.racers import racer_names, rule_names
from ui.setup.session import Entry

BOWL, HIMMELBLAU = LANDSCAPES["Bowl"], LANDSCAPES["Himmelblau"]
KNOWN = {name: text for name in OPTIMIZERS if (text := text_of(name))}
BY_HAND = {  # as they stand in a paper: without knobs but the learning rate
    "SGD": "x = x - a g",
    "Momentum": "v = 0.9 v + g\nx = x - a v",
    "Nesterov": "v = 0.9v + g\nx = x - a(g + 0.9v)",
    "AdaGrad": "s = s + g^2\nx = x - a g/(sqrt(s) + 1e-10)",
    "RMSProp": "s = 0.99 s + 0.01 g²\nx ← x − a g / (√s + 1e-8)",
    "Adam": "m = 0.9 m + 0.1 g\nv = 0.999 v + 0.001 g ⊙ g\nmhat = m/(1 - 0.9^t)\nvhat = v/(1 - 0.999^t)\n"
    "x = x - a mhat / (sqrt(vhat) + 1e-8)",
    "Lion": "β₁ = 0.9\nx = x - a sign(β₁ m + (1 − β₁) g)\nm = 0.99 m + 0.01 g",
}
RULE = parse_rule(EXAMPLE)
# what a rule may have: no knob, no learning rate, no memory, a start, the loss, numbers across the coordinates
TEXTS = {
    "example": EXAMPLE,
    "no knob": "x = x - 0.01 g",
    "no rate": "b = 0.5 [-1, 1]  # how much\nm = b m + g\nx = x - 0.01 m",
    "across": "n0 = 1\nn = 0.9 n + 0.1 norm(g)^2\n"
    "c = min(dot(g, m), 0) / n\nx = x - a (g + c m) / sqrt(n)\nm = g + 0.5 m",
    "loss": "x = x - a f g / (norm(g)^2 + 1e-6)",
    "many": "m1_0 = 0.1\nm1 = 0.5 m1 + g\nm10 = 0.9 m10 + m1\nx = x - 0.02 m10",
    "before": "p0 = 0\nx = x - a (g + 0.1 (g - p))\np = g",
    "decay": "a0 = 0.5 [0, 1]\na = a0 / sqrt(t)\nx = x - a g",
    "no x on the right": "lambda = 0.1 [0, 1]\ny0 = x\ny = y - a g\nx = (1 - lambda) y",
}
ERRORS = {
    "": "Type a rule",
    "# a remark alone": "No line says what x becomes.",
    "m = 0.9 m + 0.1 g": "No line says what x becomes.",
    "theta = theta - a g": "Line 1: the point is called x here.",
    "x = x - a (g": "Line 1: A ')' is missing: it closes the bracket '(' at character 11",
    "m = 0.9 m + 0.1 g\n\nx = x - a * / m": "Line 3: Something is missing at character 13, after 'x - a *'",
    "x = x - a mhat\nmhat = 2g": "Line 1: mhat is used before line 2 sets it.",
    "x = x - a m": "Line 1: 'm' (character 11) is not set.",
    "m = 0.9m + g\nx = x - am": "Line 2: 'am' (character 9) is not set. For a product, write a blank between: a m.",
    "x = x - a grad": "Line 1: 'grad' (character 11) is not set. Is g meant?",
    "x = x - a nrom(g)": "Line 1: 'nrom' (character 11) is not set. Did you mean norm?",
    "x = x - a g_t": "Line 1: 'g_t' (character 11) has an index.",
    "x_{t+1} = x_t - a g_t": "Line 1: write x alone before the =",
    "x -= a g": "Line 1: write x = x - …",
    "x = x - a g(x)": "Line 1: write g for g(x)",
    "m = 0.9m + 0.1g(x)\nx = x - a m": "Line 1: write g for g(x)",
    "v = 0.9 v - a g(x + 0.9 v)\nx = x + v": "Line 1: g is the gradient at x alone, so there is no g(x + 0.9 v), at",
    "y = x + v\nv = 0.9 v - 2g(y)\nx = x + v": "Line 2: g is the gradient at x alone, so there is no g(y), at",
    "\n\nx = x - a q": "Line 3: 'q' (character 11) is not set.",
    "m̂ = g\nx = x - a m̂": "Line 1: before the = stands one name, such as m, m_hat or x, not 'm̂'.",
    "x = y = 3": "Line 1: there is a second = at character 7.",
    "x - a g": "Line 1: there is no =.",
    "x =": "Line 1: after x = something is missing.",
    "= g": "Line 1: the name before the = is missing.",
    "g = 2g\nx = x - g": "Line 1: g is the gradient.",
    "e = 2\nx = x - g": "Line 1: e is the name of a number.",
    "norm = 2\nx = x - g": "Line 1: norm is the name of a function.",
    "init = 2\nx = x - g": "Line 1: init has a meaning of its own here.",
    "L = 2\nx = x - g": "Line 1: L has a meaning of its own here.",
    "knob = 0.5 [0, 1]\nx = x - knob g": "Line 1: knob has a meaning of its own here.",
    "float = 0.5 float + g\nx = x - float": "Line 1: float has a meaning of its own here.",
    "b = 0 [0, 1e-310]\nx = x - b g": "Line 1: each number of a knob is 0, or at least 1e-30 in size.",
    "m0 = 1 [0, 2]\nm = m + g\nx = x - m": "Line 1: where m begins is no knob. Leave out the range",
    "m = g\nm = 2m\nx = x - m": "Line 2: m is set in line 1 already.",
    "m0 = 1\nx = x - g": "Line 1: m0 says where m begins, and no line sets m.",
    "x0 = 1\nx = x - g": "Line 1: x begins where the race starts.",
    "m0 = g\nm = m + g\nx = x - m": "Line 1: 'g' (character 6) is not set.",
    "a = 0.1 [1, 2]\nx = x - a g": "Line 1: a is 0.1, which is not from 1 to 2.",
    "a = 0.1 [2, 1]\nx = x - a g": "Line 1: a range goes from a lower number to a higher one",
    "a = 0.1 [0, 1e9]\nx = x - a g": "Line 1: a range goes from a lower number to a higher one",
    "a = 0.1 [0 1]\nx = x - a g": "Line 1: a knob is declared with its value and its range, such as a = 0.1 [1e-5, 1].",
    "b1 = 1\nb_1 = 2\nx = x - g": "b1 and b_1 would look the same in a formula.",
    "x = x - g  # ~": "Line 1: a rule cannot hold the character '~', at character 14.",
    "averyverylongname = 1\nx = x - g": "Line 1: the name averyverylongname has 17 letters.",
    "x = x - g\n" + "# line\n" * MAX_LINES: f"At most {MAX_LINES} fit.",
    "x = x - " + "g + " * MAX_CHARACTERS: f"At most {MAX_CHARACTERS} fit.",
    "\n".join([f"b{k} = 0.1 [0, 1]" for k in range(1, MAX_KNOBS + 2)] + ["x = x - g"]): f"At most {MAX_KNOBS} fit.",
    "x = x - __import__('os')": "Line 1: A formula cannot hold the character '_'",
    "aa = 1\naaa = 1\nx = x - " + "a" * 60 + "b": "Line 3: 'aaaaaaaaaaaaaaaaa…' (character 9) is not set. Add a line",
    "x = x - " + "a" * 700: "For a product, write a blank between: a a a a a a a a a….",
    "x = x - a ∇f(x)": "Line 1: write g for ∇, at character 11.",
    "x = x - a g / ||g||": "Line 1: write norm( ) for ||, at character 15.",
    "x = x - a g[0]": "Line 1: Write round brackets ( ) at character 12",
    "x == x - a g": "Line 1: write one = for ==, at character 3.",
    "θ_t = θ_t - a g": "Line 1: the point is called x here. Write x for θ_t.",
    "x = x - a clip(g, -1, 1)": "Line 1: 'clip' (character 11) is no function here.",
    "a0 = 0.1\na = a0 / t\nx = x - a g": "Line 2: a0 says where a begins, so no line can use it.",
    "m0 = 1\nm_0 = 2\nm = m + g\nx = x - m": "Line 2: where m begins is said in line 1 already.",
    "learning_rate = 0.1 [0, 1]\na = 1 [0.1, 1]\nx = x - g": "The range of learning_rate begins above 0",
    "x = x - a g if t > 1": "Line 1: 'if' (character 13) is not set.",
}


def runs(racers, start=(0.9, -0.6), steps=500, landscape=BOWL):
    return race(landscape.loss, racers, [start], steps, minima=landscape.minima)


# ---- what it is


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_rule_as_it_is_typed_is_that_rule(name):
    rule, typed = OPTIMIZERS[name], parse_rule(KNOWN[name])
    assert [typed.knobs()[0].name, rule.knobs()[0].name] == ["learning_rate"] * 2
    traces = runs({"known": rule(), "typed": typed()})
    np.testing.assert_allclose(traces["typed"].positions, traces["known"].positions, atol=1e-6)


@pytest.mark.parametrize("name", BY_HAND)
def test_as_it_stands_in_a_paper_it_is_that_rule_too(name):
    rule = OPTIMIZERS[name]
    racers = {"known": rule(), "typed": parse_rule(BY_HAND[name])(learning_rate=rule().learning_rate)}
    traces = runs(racers)
    # a number of the text is rounded by itself, 0.001 not as 1 - 0.999
    np.testing.assert_allclose(
        traces["typed"].positions, traces["known"].positions, atol=1e-6 if "v" not in BY_HAND[name] else 1e-4
    )


def test_every_rule_has_a_text_whose_formula_can_be_typed():
    assert set(BY_HAND) < set(KNOWN)
    untyped = (
        "[",
        r"{grad}",
        r"{Hess}",
        r"{backtrack}",
        r"{loss}",
        r"{orth}",
        r"{matrix}",
        r"\right\|_1",
    )  # a case, the loss elsewhere, a sum of all
    assert {name for name, rule in OPTIMIZERS.items() if not any(map(rule.formula.count, untyped))} == set(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_of_a_known_rule_it_remembers_the_same_and_has_the_same_symbols(name):
    typed = parse_rule(KNOWN[name])
    kept = {symbol.replace(r"\alpha", "a") for symbol in memory(typed)}
    assert kept <= {*memory(OPTIMIZERS[name])}
    assert all(symbol_of(name_of(symbol)) == symbol for symbol in kept)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_it_goes_down_a_bowl(text):
    trace = runs({"it": parse_rule(text)()}, steps=300)["it"]
    assert trace.losses[0, -1] < 0.1 * trace.losses[0, 0]
    assert not trace.diverged.any()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_alone_it_does_what_it_does_in_company(text):
    racer, others = parse_rule(text)(), {"Adam": OPTIMIZERS["Adam"](), "other": RULE(learning_rate=0.02)}
    alone, beside = runs({"it": racer}), runs({**others, "it": racer})
    np.testing.assert_array_equal(alone["it"].positions, beside["it"].positions)


def test_in_a_map_it_goes_where_it_goes_in_a_race():
    racer, steps = parse_rule(TEXTS["across"])(), 60  # its norms are of each run by itself
    found = basins(BOWL, racer, 3, steps)
    ends = race(BOWL.loss, {"it": racer}, [(-5.0, -5.0), (0.0, -5.0)], steps)["it"].positions[:, -1]
    np.testing.assert_allclose(found.ends[0, :2], ends, rtol=1e-4, atol=1e-5)


def test_its_steps_are_taken_again_as_they_were():
    for kind in ("across", "before"):
        racer = parse_rule(TEXTS[kind])()
        run = runs({"it": racer}, steps=20)["it"].run(0)
        found = steps_along(BOWL.loss, racer, run.positions, run.steps)
        np.testing.assert_allclose(found.points[:-1], run.positions[1:], rtol=1e-5, atol=1e-6)


def test_a_name_of_a_line_above_is_new_and_of_a_line_below_is_old():
    racer = parse_rule("m0 = 1\ny = m\nm = m + 1\nz = m\nw = x\nx = x - z\nu = x")()
    x, gradient = jnp.array([5.0, 7.0]), jnp.zeros(2)
    before = racer.init(x)
    move, after = racer.update(gradient, before, x)
    parts = racer.parts(gradient, before, x, after)
    assert (float(before.m), float(after.m), float(parts.y), float(parts.z)) == (1, 2, 1, 2)
    np.testing.assert_array_equal(move, [-2, -2])
    np.testing.assert_array_equal(parts.w, x)
    np.testing.assert_array_equal(parts.u, x - 2)


@pytest.mark.parametrize("arrow", ["=", ":=", "←", "⟵", "⇐", "<-"])
def test_whatever_papers_write_for_becomes_is_read(arrow):
    assert parse_rule(f"x {arrow} x - 0.1 g").lines == parse_rule("x = x - 0.1 g").lines


@pytest.mark.parametrize("product", ["g (x - 1)", "g*(x - 1)", "g(1 - a)", "g(0.5)", "log(x + 9) g", "norm(x) g"])
def test_what_stands_in_brackets_beside_the_gradient_may_be_a_factor(product):
    assert parse_rule(f"x = x - a {product}").knobs()


def test_norm_and_dot_are_one_number_of_all_coordinates_and_all_else_is_of_each():
    racer = parse_rule("n = norm(g)\nd = dot(g, x)\nr = sqrt(|g|)\nx = x - g / n")()
    x, gradient = jnp.array([2.0, 3.0]), jnp.array([3.0, -4.0])
    _, after = racer.update(gradient, racer.init(x), x)
    parts = racer.parts(gradient, racer.init(x), x, after)
    assert (float(parts.n), float(parts.d)) == (5, -6)
    np.testing.assert_allclose(parts.r, [3**0.5, 2])


def test_the_loss_and_the_step_are_those_of_where_the_step_begins():
    racer = parse_rule("s = 0 s + f\nn = 0 n + t\nx = x - 0.1 g")()
    run = runs({"it": racer}, steps=6)["it"].run(0)
    found = steps_along(BOWL.loss, racer, run.positions, run.steps)
    np.testing.assert_allclose(found.states.s[:-1], run.losses[:-1], rtol=1e-6)
    np.testing.assert_array_equal(found.states.n, np.arange(1, 8))


def test_in_a_tree_its_text_is_its_structure_and_its_knobs_are_its_leaves():
    other = parse_rule(EXAMPLE.replace("0.9", "0.8"))
    leaves, structure = jax.tree.flatten(RULE(learning_rate=0.3))
    assert leaves == [0.3]
    assert jax.tree.unflatten(structure, leaves) == RULE(learning_rate=0.3) != RULE()
    assert structure == jax.tree.structure(RULE())
    assert structure != jax.tree.structure(other())
    assert all(structure != jax.tree.structure(rule()) for rule in OPTIMIZERS.values())


def test_no_knob_compiles_anything_and_another_text_does(compiled):
    racer = parse_rule("b = 0.9 [0, 1]\nm = b m + g\nx = x - a m")
    runs({"it": racer()})
    compiled.clear()
    runs({"it": racer(learning_rate=0.02, b=0.5)}, start=(1.0, 1.0), steps=30)
    assert not compiled
    runs({"it": parse_rule("b = 0.9 [0, 1]\nm = b m - -g\nx = x - a m")()})
    assert len(compiled) == 1


def test_a_knob_says_how_it_is_turned():
    rule = parse_rule("a = 0.1 [1e-5, 1]\nb = 0.5 [-1, 1]\nx = x - a b g")
    rate, other = rule.knobs()
    assert (rate.name, rate.symbol, rate.log, other.name, other.log) == ("learning_rate", "a", True, "b", False)
    assert "line 2" in other.about
    (usual,) = parse_rule("x = x - a g").knobs()
    assert (usual.name, usual.low, usual.high) == ("learning_rate", rate.low, rate.high)
    assert not parse_rule("a = 0.1\nx = x - a g").knobs()


@pytest.mark.parametrize("name", RATES)
def test_a_learning_rate_need_not_be_declared_whatever_papers_call_it(name):
    (rate,) = parse_rule(f"m = 0.9m + g\nx = x - {name} m").knobs()
    assert rate.name == "learning_rate"
    assert rate.symbol == symbol_of(name)
    with pytest.raises(ExpressionError, match="is not set"):  # beside one that is declared it is a slip
        parse_rule(f"lr = 0.1 [1e-3, 1]\nη = 0.2 [1e-3, 1]\nx = x - {'alpha' if name != 'alpha' else 'α'} g")


@pytest.mark.parametrize(("text", "words"), ERRORS.items())
def test_what_is_no_rule_is_one_line_that_names_its_line_and_place(text, words):
    with pytest.raises(ExpressionError) as error:
        parse_rule(text)
    said = str(error.value)
    assert words in said
    assert said[-1] in ".?"
    assert "\n" not in said
    assert len(said) < 250


@pytest.mark.parametrize("end", ["\r\n", *"\r\v\f\x1c\x85\u2028"])
def test_whatever_ends_a_line_ends_a_line_of_a_rule(end):
    rule = parse_rule(f"m = g  # the\0 gradient{end}x = x - a m")
    assert rule.text == "m = g  # the gradient\nx = x - a m"
    assert rule.text.splitlines() == rule.text.split("\n")


def test_taken_apart_a_norm_keeps_its_symbol_as_no_coordinate_is_all_of_it():
    racer = parse_rule("n = norm(g) + |g|\nx = x - 0.1 n")()
    run = runs({"it": racer}, steps=3)["it"].run(0)
    told = Apart(BOWL.loss, {"it": racer}, {"it": run}, {"x": "x", "y": "y"}).message()["racers"]["it"]
    assert told["cells"]["n"]["numbers"].count('data-value="g"') == 1
    assert told["cells"]["n"]["formula"].count('data-symbol="g"') == 2
    assert told["code"].count('data-symbol="n"') == 2


def test_a_number_that_leaves_the_finite_ones_stops_the_run():
    trace = runs({"it": parse_rule("m = 2 m + exp(m)\nx = x - 0.01 g")()})["it"]
    assert 0 < trace.stopped_at[0] < 20


# ---- links


def setup_of(*texts, page=RaceSetup, **knobs):
    racers = (*(parse_rule(text)() for text in texts), OPTIMIZERS["Adam"]())
    return page(racers=racers, steps=20, **knobs)


@pytest.mark.parametrize("page", [RaceSetup, RegressionSetup])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_link_holds_the_text_and_the_knobs(text, page):
    rule = parse_rule(text)
    turned = rule(**{knob.name: 0.25 for knob in rule.knobs()})
    setup = page(racers=(rule(), turned, OPTIMIZERS["Adam"]()))
    assert decode(encode(setup), page()) == (setup, [])
    assert encode(setup)["racer"][0].startswith(f"{NAME}~")


@pytest.mark.parametrize("text", [text for text in ERRORS if "~" not in text])
def test_of_a_link_a_text_that_is_no_rule_is_said_and_the_rest_holds(text):
    good = setup_of(EXAMPLE, start=(1.0, 2.0))
    query = encode(good)
    query["racer"] = [f"{NAME}~{text}", *query["racer"]]
    setup, (note,) = decode(query, RaceSetup())
    assert setup == good
    assert note.startswith(f"{NAME} is left out.")
    assert len(note) < 500


def test_a_link_that_gives_no_text_has_the_example_and_one_knows_what_its_knobs_are_called():
    setup, notes = decode({"racer": [NAME, f"{NAME}~{EXAMPLE}~b~3~learning_rate~7"]}, RaceSetup())
    assert setup.racers == (RULE(), RULE())
    assert len(notes) == 2
    assert "learning_rate" in notes[0]


def test_in_the_journal_another_text_is_the_line_that_was_changed():
    before, after = RULE(), parse_rule(EXAMPLE.replace("0.999 v", "0.99 v"))()
    (change,) = racer_changes([before, before], [before, after]).values()
    assert change == f"{NAME}: v = 0.99 v + 0.001 g^2"


def test_two_rules_that_were_typed_are_told_apart_by_name():
    one, other = RULE(), parse_rule("x = x - a g")()
    assert racer_names([one, other, RULE(learning_rate=0.2)]) == [f"{NAME} 0.1", NAME, f"{NAME} 0.2"]
    assert racer_names([one, parse_rule("x = x - 2 a g")()]) == [NAME, f"{NAME} (2)"]
    assert [*rule_names([one, other, one]).values()] == [NAME, f"{NAME} (2)"]


# ---- on the pages


def field(app: AppTest, number=1, page="race"):
    return app.text_area(key=f"{page}-{number}-text")


def complaint(app: AppTest):
    return [one.value for one in app.markdown if "Until then the rule before is raced." in one.value]


def number_of(app: AppTest):
    (area,) = app.text_area
    return area.key.split("-")[1]


def test_a_rule_is_chosen_typed_raced_and_in_the_address():
    app = opened("Ackley Race", {"landscape": ["Booth"], "racer": ["SGD"], "steps": ["20"]})
    sound(app.selectbox(key="race-add").select(NAME).run())
    (area,) = app.text_area
    assert area.value == EXAMPLE
    sound(area.set_value("b = 0.5 [0, 1]\nx = x - a b g").run())
    assert not complaint(app)
    setup = address(app, "Ackley Race")
    rule = parse_rule("b = 0.5 [0, 1]\nx = x - a b g")
    assert setup.racers == (OPTIMIZERS["SGD"](), rule())
    expected = race(setup.chosen_landscape.loss, {"it": rule()}, [setup.start], 20)["it"]
    np.testing.assert_array_equal(tracks(app)[NAME]["x"], expected.positions[0, :, 0])


@pytest.mark.parametrize("text", ["x = x - a (g", "m = g"])
def test_what_cannot_be_read_is_one_line_and_the_picture_stays(text):
    setup = setup_of(EXAMPLE)
    app = shown(setup)
    before = stage(app)
    sound(app.text_area[0].set_value(text).run())
    (line,) = complaint(app)
    assert "\n" not in line
    assert app.text_area[0].value == text  # to be put right
    assert stage(app)["tracks"] == before["tracks"]
    assert address(app, "Ackley Race") == setup
    sound(app.text_area[0].set_value("x = x - a g").run())
    assert not complaint(app)
    assert address(app, "Ackley Race").racers[0].rule.text == "x = x - a g"


def test_a_knob_that_is_declared_as_before_stays_where_it_was_turned_to():
    app = shown(setup_of("b = 0.5 [0, 1]\nx = x - a b g"))
    number = number_of(app)
    sound(app.select_slider(key=f"race-{number}-learning_rate").set_value(0.5).run())
    sound(app.text_area[0].set_value("b = 0.6 [0, 1]\nx = x - 2 a b g").run())
    assert address(app, "Ackley Race").racers[0] == parse_rule("b = 0.6 [0, 1]\nx = x - 2 a b g")(learning_rate=0.5)


@pytest.mark.parametrize("name", [line_up.NAME, TEXT, FROM, "more", "drop"])
def test_no_knob_is_called_what_a_page_has_beside_the_knobs(name):
    with pytest.raises(ExpressionError, match="Choose another name"):
        parse_rule(f"{name} = 0.5 [0, 1]\nx = x - {name} g")


def test_the_mark_of_a_rule_stands_before_its_first_knob_be_its_letter_greek():
    racer = parse_rule("β = 0.5 [0, 1]\nx = x - β g")()
    assert line_up.mark_rule(CONTROLS, 1, Entry(racer, racer), "mark").startswith(".st-key-race-1-- label::before")


@pytest.mark.parametrize("name", ["Adam", "NAdam"])
def test_the_text_of_a_known_rule_is_filled_in(name):
    app = shown(setup_of(EXAMPLE))
    sound(app.selectbox(key=f"race-{number_of(app)}-from").select(name).run())
    assert app.text_area[0].value == KNOWN[name]
    assert address(app, "Ackley Race").racers[0] == parse_rule(KNOWN[name])()


@pytest.mark.parametrize("tab", RACE_TABS)
def test_every_tab_stands_with_rules_of_any_kind(tab):
    app = shown(setup_of(TEXTS["across"], TEXTS["no rate"], show=tab, points=16, apart=True))
    words = {word.strip("(),.*%") for word in texts(app).split()}
    assert "None" not in words
    assert not {word.lower() for word in words} & {"nan", "inf"}


def test_a_tab_that_turns_the_learning_rate_says_who_has_none():
    for tab in ("rates", "fair"):
        assert "is left out" in texts(shown(setup_of(TEXTS["no knob"], show=tab)))
        alone = RaceSetup(racers=(parse_rule(TEXTS["no knob"])(),), show=tab, steps=20)
        assert "is left out" in texts(shown(alone))


def test_nobody_is_asked_for_the_learning_rate_of_a_rule_without_one():
    setup = setup_of(TEXTS["no knob"])
    (note,) = decode({**encode(setup), "ask": [f"rate~{NAME}"]}, RaceSetup())[1]
    assert f"{NAME} has no learning rate." in note
    assert "rate" not in other_questions(setup)
    assert "rate" in other_questions(setup_of(EXAMPLE))
    assert decode({**encode(setup), "ask": ["rate~Adam"]}, RaceSetup())[1] == []


@pytest.mark.parametrize("below", REGRESSION_TABS)
def test_it_runs_on_mini_batches_and_stands_below_every_picture(below):
    setup = setup_of(TEXTS["loss"], TEXTS["no knob"], page=RegressionSetup, examples=20, below=below, apart=True)
    assert [*tracks(shown(setup), "regression-stage")] == [NAME, f"{NAME} (2)", "Adam"]


def test_where_the_line_up_is_hidden_its_text_is_told_nowhere():
    setup = setup_of("b = 0.123 [0, 1]\nx = x - a b g")
    app = shown(setup)
    sound(app.pills[0].set_value(NAME).run()) if app.pills else None
    assert "0.123" in texts(app) or "0.123" in str([one.value for one in app.code])
    hidden = shown(replace(setup, hide=("racer",)))
    assert not hidden.text_area
    assert "0.123" not in texts(hidden) + str([one.value for one in hidden.code])
