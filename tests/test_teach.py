"""What is handed out: what a link hides is not there, what it locks stays, and a teacher's own words are only words."""

import json
import random
import re
from dataclasses import replace
from html import escape, unescape
from urllib.parse import parse_qs, urlencode

import pytest
from streamlit.testing.v1 import AppTest
from visit import FILES, ROOT, address, sound, stage, tracks

from engine import OPTIMIZERS
from ui.frame import PAGES
from ui.linear_fit.data import read_upload
from ui.setup.codec import decode, encode
from ui.setup.controls import LOCKED, Controls
from ui.setup.kinds import Choice
from ui.setup.pages import (
    RACE_TABS,
    REGRESSION_TABS,
    SETUPS,
    THETAS,
    WIDTHS,
    FitSetup,
    GradientsSetup,
    RaceSetup,
    RegressionSetup,
)
from ui.setup.plain import on_one_line, plain, unescaped
from ui.setup.presets import presets
from ui.setup.questions.link import Ask, question_of, read
from ui.setup.questions.own import MAX_CHOICE, MAX_QUESTION, Own
from ui.setup.stories import library
from ui.teach.hand_out import HEIGHTS, handed_out, iframe, link, questions
from ui.teach.handout import contents
from ui.teach.outcome import facts_of

TABLE = b"a,b\n" + b"".join(b"%d,%d\n" % (i, 2 * i + 1) for i in range(20))
FEW = {"racers": (OPTIMIZERS["SGD"](learning_rate=0.1), OPTIMIZERS["Adam"]()), "steps": 20}
# together they draw every control that the pages have
SETUPS_TO_LIMIT = {
    **{f"race, {tab}": RaceSetup(show=tab, points=16, **FEW) for tab in RACE_TABS if tab != "rates"},
    "race, two parameters of many": RaceSetup(show="many", plane="first", random_starts="8", **FEW),
    "race, own landscape": RaceSetup(landscape="own", own="x^2 + y^2", **FEW),
    "race, landscape with knobs": RaceSetup(landscape="Quadratic", **FEW),
    "race, painted landscape": RaceSetup(landscape="painted", **FEW),
    **{f"regression, {tab}": RegressionSetup(below=tab, **FEW) for tab in ("ends", "batch")},
    "fit, noisy": FitSetup(data="noisy line", model="intercept", batch=8),
    "fit, file": FitSetup(data="CSV"),
    **{f"gradients, {part}": GradientsSetup(part=part, f="own", own="x^2") for part in ("slope", "differences")},
    **{f"gradients, {part}": GradientsSetup(part=part, f="x²") for part in ("check", "loss")},
}
PREFIXES = {"Gradients": "slope", "Linear Fit": "fit", "2D Regression": "regression", "Ackley Race": "race"}
every_set_up = pytest.mark.parametrize("setup", SETUPS_TO_LIMIT.values(), ids=SETUPS_TO_LIMIT)
every_page = pytest.mark.parametrize("page", SETUPS)
KINDS = (
    *("selectbox", "slider", "select_slider", "number_input", "toggle", "button", "button_group", "text_input"),
    *("file_uploader", "popover"),
)


def page_of(setup) -> str:
    return next(page for page, kind in SETUPS.items() if isinstance(setup, kind))


def shown(setup) -> AppTest:
    """A set-up on its page, with a file of the visitor's."""
    app = AppTest.from_file(str(ROOT / PAGES[0].file), default_timeout=120)
    for name, values in encode(setup).items():
        app.query_params[name] = values
    app.session_state["fit-upload"] = read_upload(TABLE)
    return sound(app.switch_page(FILES[page_of(setup)]).run())


def widgets(app: AppTest) -> dict[str, object]:
    """The page's widgets by their keys."""
    return {str(one.key): one for kind in KINDS for one in app.get(kind) if getattr(one, "key", None)}


@pytest.fixture
def drawn(monkeypatch):
    """The keys of the widgets that were drawn, or would have been, by the setting that they are of."""
    seen: dict[str, set[str]] = {}
    draw = Controls.draw

    def listen(self, name, widget, label, *options, part="", key="", **more):
        seen.setdefault(name, set()).add(key or self.key(name, part))
        return draw(self, name, widget, label, *options, part=part, key=key, **more)

    monkeypatch.setattr(Controls, "draw", listen)
    return seen


# ---- hidden and locked


@every_set_up
def test_what_is_hidden_is_not_there_and_the_rest_is(setup, drawn):
    free = widgets(shown(setup))
    keys = {name: held & free.keys() for name, held in drawn.items()}
    names = list(setup.controls())
    some = set(random.Random(3).sample(names, len(names) // 2))
    for hidden in (set(names), some, set(names) - some):
        drawn.clear()
        limited = replace(setup, hide=tuple(hidden))
        app = shown(limited)
        there = widgets(app).keys()
        gone = {name for name in keys if setup.link_name(name) in hidden}
        for name, held in keys.items():
            # entry numbers are new with every session, and are the racers' own
            assert (not held & there) if name in gone else (held <= there), name
        if "racers" in gone:
            assert not [key for key in there if key.split("-")[1].isdigit() or key.endswith("-add")]
        assert address(app, page_of(setup)) == limited  # what it is set to holds


@every_set_up
def test_what_is_locked_is_without_use_and_says_so(setup, drawn):
    limited = replace(setup, lock=tuple(setup.controls()))
    app = shown(limited)
    held = {key for keys in drawn.values() for key in keys}
    there = {key: one for key, one in widgets(app).items() if key in held}
    assert there
    for key, one in there.items():
        assert one.proto.disabled, key
        assert LOCKED in one.proto.help, key
    assert address(app, page_of(setup)) == limited


def test_every_setting_that_may_be_hidden_has_a_control(drawn):
    """But what takes a step apart, which is on the stage."""
    seen = {page: {"apart"} for page in SETUPS}
    for setup in SETUPS_TO_LIMIT.values():
        drawn.clear()
        app = shown(setup)
        page = page_of(setup)
        seen[page] |= drawn.keys()
        assert app.session_state[f"{PREFIXES[page]}-session"].drawn <= drawn.keys(), (
            "a widget of a setting is drawn by Controls.draw alone"
        )
    for page, kind in SETUPS.items():
        assert set(kind.controls().values()) - seen[page] == set()


@every_page
def test_no_part_is_called_as_a_setting_is(page):
    kind = SETUPS[page]
    assert not set(kind.parts) & set(kind.controls())


@every_page
def test_what_is_hidden_or_locked_stays_whatever_is_chosen(page):
    rng = random.Random(4)
    kind = SETUPS[page]
    names = list(kind.controls())
    prepared = [preset.setup for preset in presets(page).values()]
    for _ in range(60):
        setup, chosen = rng.choice(prepared), rng.choice(prepared)
        fixed = rng.sample(names, rng.randint(1, len(names)))
        cut = rng.randint(0, len(fixed))
        setup = replace(setup, hide=tuple(fixed[:cut]), lock=tuple(fixed[cut:]))
        kept = chosen.with_layout_of(setup).with_fixed_of(setup)
        assert (kept.hide, kept.lock) == (setup.hide, setup.lock)
        for name in fixed:
            field = kind.controls()[name]
            if field not in ("x0", "own"):  # x₀ moves to the nearest point of the interval, if that is free to change
                assert getattr(kept, field) == getattr(setup, field), name
        assert decode(encode(kept), kind()) == (kept, [])


@pytest.mark.parametrize(
    "made_from",
    [{"landscape": "Quadratic", "shape": (("angle", 30.0),)}, {"landscape": "painted", "painted": "B" * 1152}],
)
@pytest.mark.parametrize("fixed", ["hide", "lock"])
def test_what_a_fixed_landscape_is_made_from_stays_with_it(fixed, made_from):
    setup = replace(RaceSetup(**made_from), **{fixed: ("landscape",)})
    for preset in presets("Ackley Race").values():
        kept = preset.setup.with_layout_of(setup).with_fixed_of(setup)
        same = preset.setup.landscape == setup.landscape and fixed == "lock"  # then its knobs are free to change
        assert same or {name: getattr(kept, name) for name in made_from} == made_from
        assert decode(encode(kept), RaceSetup()) == (kept, [])


def test_knobs_that_are_locked_stay_with_their_landscape():
    setup = RaceSetup(landscape="Quadratic", shape=(("angle", 30.0),), lock=("shape",))
    other = setup.with_setting("landscape", "Booth").with_fixed_of(setup)
    assert (other.landscape, other.shape) == ("Booth", ())
    assert decode(encode(other), RaceSetup()) == (other, [])


def test_a_preset_and_a_reset_leave_alone_what_is_locked():
    setup = RaceSetup(landscape="Ravine", start=(-3.0, 2.0), **FEW, lock=("landscape", "start", "racer"))
    app = shown(setup)
    other = next(name for name, preset in presets("Ackley Race").items() if preset.setup.landscape != "Ravine")
    sound(app.selectbox("race-preset").set_value(other).run())
    after = address(app, "Ackley Race")
    assert (after.landscape, after.start, after.racers) == (setup.landscape, setup.start, setup.racers)
    assert after.steps == presets("Ackley Race")[other].setup.steps
    sound(app.button[[one.label for one in app.button].index("Reset to the first preset")].click().run())
    after = address(app, "Ackley Race")
    assert (after.landscape, after.start, after.racers) == (setup.landscape, setup.start, setup.racers)


# ---- parts


@every_page
def test_a_hidden_view_and_what_only_it_shows_is_not_sent(page):
    kind = SETUPS[page]
    views = [name for name, part in kind.parts.items() if part.stage == "stage"]
    key = f"{PREFIXES[page]}-stage"
    whole = stage(shown(kind()), key)
    for stays in views:
        hide = (*(name for name in views if name != stays), "table")
        app = shown(kind(hide=hide))
        sent = stage(app, key)
        assert [view["name"] for view in sent["views"]] == [kind.parts[stays].view]
        assert not sent["numbers"]
        (view,) = sent["views"]
        used = {*view["path"], *(view["line"] or ()), *((view["sheet"] or {}).get("weights", ()))}
        for values in tracks(app, key).values():
            assert values.keys() <= used
        assert len(str(sent["tracks"])) <= len(str(whole["tracks"]))
        assert not {one.proto.popover.label for one in app.get("popover")} & {"Take it home"}
        assert "Journal" not in str([one.label for one in app.expander])


@every_page
@pytest.mark.parametrize("part", ["preset", "look-for", "code", "results", "take-home", "teach"])
def test_a_hidden_part_is_not_drawn(page, part):
    def said(app):
        kinds = ("title", "markdown", "caption", "subheader", "latex", "expander", "dataframe", "selectbox", "button")
        texts = [str(getattr(one, "label", "") or one.value) for kind in kinds for one in getattr(app, kind)]
        return [*texts, *(one.proto.popover.label for one in app.get("popover"))]

    setup = SETUPS[page]()
    whole, without = said(shown(setup)), said(shown(replace(setup, hide=(part,))))
    assert len(without) < len(whole)
    assert not [text for text in without if text not in whole]


def test_a_click_on_the_map_does_not_move_a_locked_start():
    def clicks(setup, key):
        return [view["click"] for view in stage(shown(setup), key)["views"]]

    assert "start" in clicks(RaceSetup(**FEW), "race-stage")
    assert set(clicks(RaceSetup(**FEW, lock=("start",)), "race-stage")) == {None}
    assert set(clicks(GradientsSetup(hide=("x0",)), "slope-stage")) == {None}
    # but where it is the answer, it is one
    assert "start" in clicks(RaceSetup(**FEW, ask="where~1~5", lock=("start",)), "race-stage")


def test_what_takes_a_step_apart_can_be_hidden_and_locked():
    assert "apart" in stage(shown(RaceSetup(**FEW)))
    assert "apart" not in stage(shown(RaceSetup(**FEW, hide=("apart",))))
    assert "apart" not in stage(shown(RaceSetup(**FEW, lock=("apart",))))
    assert stage(shown(RaceSetup(**FEW, apart=True, lock=("apart",))))["apart"]["fixed"]


# ---- what is hidden is not told: not in words, not in what the browser is sent, not on a handout's first page

# each setting at a value that nothing else on a page has; some are looked for under another spelling
FEW_RACERS = (
    OPTIMIZERS["SGD"](learning_rate=0.012345),
    OPTIMIZERS["SGD"](learning_rate=0.023456, weight_decay=0.0654321),
    OPTIMIZERS["Adam"](learning_rate=0.34567, beta1=0.87654),
)
# as they are rounded, and 2/α
KNOBS = ("0.0123", "0.0234", "0.0235", "0.0654", "0.3456", "0.3457", "0.346", "0.876", "0.877", "162")
VALUES = {
    RaceSetup: {
        "landscape": ("Ravine", ["Ravine", r"x^2"]),
        "own": ("x^2/3 + 17.371 y^2", ["17.371"]),
        "shape": ((("angle", 41.3), ("condition_number", 137.9)), ["41.3", "137.9"]),
        "noise": (0.000718273, ["0.00072", "0.000718", "7.18"]),
        "seed": (7177, ["7177", "7,177"]),
        "racers": (FEW_RACERS, KNOBS),
        "points": (37, ["37"]),
        "shared_rate": (0.0345678, ["0.0345", "0.0346"]),
        "starts_seed": (7177, ["7177", "7,177"]),
    },
    RegressionSetup: {
        "examples": (83, ["83"]),
        "noise": (41.3717, ["41.37", "41.4"]),
        "seed": (7177, ["7177", "7,177"]),
        "batch": (13, ["13 examples", "13 of"]),
        "tolerance": (0.0713771, ["0.0714", "0.07138"]),
        "racers": (FEW_RACERS, KNOBS),
    },
    FitSetup: {
        "data": ("4x", ["points of"]),
        "slope": (3.77123, ["3.77"]),
        "intercept": (8.11345, ["8.11"]),
        "noise": (4.5321, ["4.53"]),
        "seed": (7177, ["7177", "7,177"]),
        "rate": (0.0112345, ["0.0112", "0.01123", "178"]),
        "tolerance": (7.713771, ["7.71", "7.714"]),
        "batch": (13, ["13 points", "13 of"]),
        "deal": (6133, ["6133", "6,133"]),
    },
    GradientsSetup: {
        "own": ("x^3 - 17 x", ["17 x", "17x"]),
        "answer": ("19 x^2", ["19 x", "19x"]),
    },
}
# where they stand: each tab, part and curve of a page
PLACES = {
    RaceSetup: [
        *({"show": tab} for tab in RACE_TABS),
        {"curve": "sharpness"},
        {"curve": "rate"},
        {"apart": True},
        {"landscape": "own"},
        {"landscape": "Quadratic"},
    ],
    RegressionSetup: [
        *({"below": tab} for tab in REGRESSION_TABS),
        *({"curve": curve} for curve in ("sharpness", "rate2")),
        {"apart": True},
        {"ask": "ends~2"},
        {"ask": "rate"},
    ],
    FitSetup: [{}, {"curve": "sharpness"}, {"curve": "rate"}, {"apart": True}, {"model": "slope"}, {"ask": "ends"}],
    GradientsSetup: [{"part": part} for part in ("slope", "differences", "check")],
}
USUAL = {
    RaceSetup: {"start": (5.0, 1.0), "steps": 20},
    RegressionSetup: {"steps": 20},
    FitSetup: {"data": "noisy line", "model": "intercept", "steps": 20},
    GradientsSetup: {"f": "own", "low": -5.0, "high": 5.0, "x0": 1.0},
}
# What the picture itself says, whatever is hidden: from where and how far runs go, on which axes, by which model, and
# where the tangent stands; and which run of the notebook is drawn, or which iteration of whose run is taken apart.
DRAWN = {
    RaceSetup: {"across", "up", "horizontal", "vertical", "painted", "start", "steps", "replay"},
    RegressionSetup: {"start", "steps", "moment", "whose"},
    FitSetup: {"theta0", "theta", "steps", "x", "y", "model"},
    GradientsSetup: {"f", "low", "high", "x0", "h", "theta", "lines"},
}


def told(app: AppTest) -> str:
    """All that a page sends to the browser, without packed numbers, and without the address that a message has."""
    sent = [str(one.proto) for one in app._tree if hasattr(one, "proto")]
    tables = [one.value.to_string() for one in app.dataframe]
    return re.sub(r"[\w+/=]{40,}|https?:\S+", " ", "\n".join([*sent, *tables]))


def spelled(value: str, text: str) -> list[str]:
    """Where a text has a value: a whole number by itself, another one with whatever digits come behind."""
    behind = r"(?!\w|\.\d)" if value.isdigit() else ""
    word = re.escape(value)
    # the value comes first in the pattern, for which Python looks fastest in a long text
    found = re.finditer(rf"{word}(?<![\w.\\]{word}){behind}", text)
    return [text[max(one.start() - 60, 0) : one.end() + 40] for one in found]


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        pytest.param(kind, place, id="-".join([kind.__name__, *map(str, place.values())]))
        for kind in VALUES
        for place in PLACES[kind]
    ],
)
def test_what_is_hidden_is_told_nowhere(kind, place):
    given = {name: value for name, (value, _) in VALUES[kind].items()} | USUAL[kind] | place
    setup, _ = decode(encode(kind(**given, hide=("preset", *map(kind.link_name, VALUES[kind])))), kind())
    words = told(shown(setup))
    first_page = contents(page_of(setup), setup, "")
    for part in ("outcome", "right", "ends"):
        del first_page[part]
    words += json.dumps(first_page, ensure_ascii=False)
    found = {(name, text): spelled(text, words) for name, (_, texts) in VALUES[kind].items() for text in texts}
    assert {one: where for one, where in found.items() if where} == {}


def test_every_setting_with_a_value_can_be_hidden_or_is_drawn():
    for kind, values in VALUES.items():
        settings = {name for name in kind.controls().values() if name not in kind.layout()}
        numbers = {name for name in settings if not isinstance(kind.settings()[name], Choice | Ask)}
        assert numbers | {"landscape"} & settings <= values.keys() | DRAWN[kind]


@every_page
def test_what_is_not_hidden_is_told(page):
    """So that the values are spelled as they would be."""
    kind = SETUPS[page]
    seen = ""
    for place in PLACES[kind]:
        setup = kind(**({name: value for name, (value, _) in VALUES[kind].items()} | USUAL[kind] | place))
        seen += told(shown(setup)) + json.dumps(contents(page, setup, ""), ensure_ascii=False)
    for name, (_, spellings) in VALUES[kind].items():
        if name not in ("data", "landscape"):
            assert any(spelled(spelling, seen) for spelling in spellings), name


# ---- the link


@every_page
def test_a_name_that_a_page_does_not_know_gets_a_note_with_the_nearest(page):
    kind = SETUPS[page]
    for word, names in {"hide": [*kind.controls(), *kind.parts], "lock": list(kind.controls())}.items():
        for name, slip in [(one, slip) for one in names for slip in (f"{one}q", one.upper())]:
            setup, notes = decode({word: [f"{name}~{slip}"]}, kind())
            assert getattr(setup, word) == (name,)
            assert len(notes) == 1
            assert f"`{slip}`" in notes[0]
            assert "meant?" in notes[0] or len(name) < 3
    part = next(iter(kind.parts))
    (note,) = decode({"lock": [part]}, kind())[1]
    assert "hide it instead" in note


@every_page
def test_of_the_views_of_a_picture_the_first_stays_and_all_else_can_be_hidden(page):
    kind = SETUPS[page]
    others = [name for name, part in kind.parts.items() if not part.stage]
    for picture in {part.stage for part in kind.parts.values()} - {""}:
        first, *rest = (name for name, part in kind.parts.items() if part.stage == picture)
        for hidden in (rest, [*rest, *others]):
            setup, (note,) = decode({"hide": ["~".join([first, *hidden])]}, kind())
            assert setup.hide == tuple(hidden)
            assert f"one view of the picture stays, {first}." in note


def test_a_link_without_any_of_it_is_as_it_was():
    for page, kind in SETUPS.items():
        assert not {"hide", "lock", "title"} & encode(kind()).keys()
        setup = kind(hide=("preset",), lock=("lecture",), title="Überholt <b>sie</b> & wie?")
        assert decode(parse_qs(urlencode(encode(setup), doseq=True)), kind()) == (setup, []), page


def test_the_tabs_of_a_page_are_those_that_are_tested():
    assert {"race", "basins", "fair"} <= RACE_TABS.keys()
    assert {"ends", "batch"} <= REGRESSION_TABS.keys()


def test_with_the_presets_hidden_the_rest_can_still_be_set():
    app = shown(RaceSetup(**FEW, hide=("preset", "racer")))
    for steps in (30, 40):
        sound(app.select_slider("race-steps").set_value(steps).run())
        assert address(app, "Ackley Race").steps == steps
        assert len(tracks(app)["SGD"]["loss"]) == steps + 1


# ---- a teacher's own words

NASTY = (
    "**bold** _it_ `code` $x^2$ [link](https://example.org) ![p](https://a.org/p.png) <b>html</b> &amp; :red[red]",
    ":material/home: :smile: www.example.org https://example.org a@example.org | # - + ~~gone~~ \\ \u202eturned",
)
OWN = Own.link_text("Which one turns *first*?", ["Adam :smile:", "www.example.org", "neither"])


@pytest.mark.parametrize("text", NASTY)
def test_plain_words_are_shown_letter_for_letter(text):
    assert unescaped(plain(text)) == on_one_line(text)
    bare = plain(text).replace("\\\\", "")
    # no punctuation is left that Markdown reads, and no address, icon or emoji that is looked for afterwards
    assert not re.search(r"(?<!\\)[*_`$\[\]<>&#|~]", bare)
    assert not re.search(r"https?:|www\.|:[\w-]+:|\w@\w", bare.replace("\\", ""))
    assert on_one_line(text).isprintable()


@every_page
def test_a_question_in_own_words_holds_the_run_and_then_stands_beside_it(page):
    app = shown(replace(presets(page)[next(iter(presets(page)))].setup, ask=OWN))
    (radio,) = app.radio
    assert [unescaped(choice) for choice in radio.options] == ["Adam :smile:", "www.example.org", "neither"]
    assert "Which one turns *first*?" in unescaped(radio.label)
    assert stage(app, f"{PREFIXES[page]}-stage")["held"]
    radio.set_value("2")
    sound(app.button[[one.label for one in app.button].index("Commit")].click().run())
    assert "held" not in stage(app, f"{PREFIXES[page]}-stage")
    said = [unescaped(one.value) for one in app.markdown]
    assert any("You said “www.example.org”." in words for words in said)
    assert any("Compare it with the run." in words for words in said)
    assert not any("Right." in words or "Not so." in words for words in said)


@pytest.mark.parametrize("part", ["differences", "check", "loss"])
def test_a_question_in_own_words_hides_the_other_parts_of_gradients_too(part):
    app = shown(GradientsSetup(part=part, f="x²", ask=OWN))
    assert app.radio
    assert not [one for one in app.get("bidi_component") if one.proto.id.endswith(("-widths", "-thetas"))]
    assert not app.text_input


def test_a_question_in_own_words_is_bounded_and_needs_different_choices():
    assert read(OWN) == Own("Which one turns *first*?", ("Adam :smile:", "www.example.org", "neither"))
    good = ["q" * MAX_QUESTION, *(c * MAX_CHOICE for c in "abcdef")]
    assert read(Own.link_text(good[0], good[1:]))
    for words, choices in (
        ("", ["a", "b"]),
        ("q" * (MAX_QUESTION + 1), ["a", "b"]),
        ("q?", []),
        ("q?", ["a"]),
        ("q?", ["a", "a"]),
        ("q?", ["a", ""]),
        ("q?", list("abcdefg")),
        ("q?", ["a", "b" * (MAX_CHOICE + 1)]),
    ):
        assert read(Own.link_text(words, choices)) is None
        assert decode({"ask": [Own.link_text(words, choices)]}, RaceSetup())[1]
    assert Own.link_text("a~b?", ["1~2", "3"]).count("~") == 3


def test_a_title_is_shown_as_words_alone():
    title = "<img src=x onerror=alert(1)> **a** & b"
    (html,) = (one.value for one in shown(RaceSetup(**FEW, title=title)).get("html") if "<h2" in one.value)
    assert escape(title) in html
    assert "<img" not in html
    assert not [one for one in shown(RaceSetup(**FEW)).get("html") if "<h2" in one.value]


@every_set_up
def test_a_stage_leaves_room_for_the_title_in_every_part_of_a_page(setup):
    heights = [one.value for one in shown(replace(setup, title="A")).get("html") if "--stage-top:" in one.value]
    assert heights
    assert all("var(--teacher-title, 0rem)" in one for one in heights)


# ---- the menu

HANDED = {
    "race": RaceSetup(**FEW),
    "race, fair": RaceSetup(**FEW, show="fair"),
    "regression": RegressionSetup(**FEW),
    "fit": FitSetup(model="intercept"),
    "gradients": GradientsSetup(f="sin x", low=-5, high=5, x0=1.0),
    "gradients, loss": GradientsSetup(part="loss"),
    "gradients, differences": GradientsSetup(part="differences", f="x²"),
}
every_handed = pytest.mark.parametrize("setup", HANDED.values(), ids=HANDED)


@every_page
def test_the_menu_is_on_every_page_once_and_empty_until_it_is_opened(page):
    for setup in (SETUPS[page](), SETUPS[page](ask=OWN), SETUPS[page](lecture=True)):
        (menu,) = [block for block in shown(setup).get("popover") if block.proto.popover.label == "Teach"]
        assert not menu.children


@every_handed
def test_a_link_that_is_handed_out_says_what_was_chosen_and_nothing_else(setup):
    rng = random.Random(7)
    names = [*setup.controls(), *(name for name, part in setup.parts.items() if not part.view)]
    for ask in [*questions(setup), OWN, ""]:
        hide, lock = rng.sample(names, 4), rng.sample(list(setup.controls()), 3)
        before = replace(setup, lecture=True)
        handed, notes = handed_out(before, hide, lock, " A  title\n", ask)
        assert notes == []
        given = {"hide": tuple(hide), "lock": tuple(lock), "title": "A title", "ask": ask}
        assert handed == replace(setup, **given)
        (address, shown_in) = link(page_of(setup), handed), iframe(page_of(setup), handed)
        assert decode(parse_qs(address.partition("?")[2], keep_blank_values=True), type(setup)()) == (handed, [])
        source = re.search('src="([^"]*)"', shown_in)
        assert unescape(source[1]) == f"{address}&embed=true"
        assert int(re.search('height="([0-9]+)"', shown_in)[1]) >= HEIGHTS[page_of(setup)]


def test_a_title_cannot_leave_its_place_in_the_frame():
    frame = iframe("Ackley Race", RaceSetup(title='"><script>alert(1)</script>'))
    assert frame.count("<") == frame.count(">") == 2
    assert frame.count('"') == 10


@every_handed
def test_a_handout_has_the_outcome_that_the_run_has(setup):
    for ask in [*questions(setup), OWN]:
        asked = replace(setup, ask=ask)
        words = contents(page_of(asked), asked, "the link")
        question, facts = question_of(asked), facts_of(asked)
        outcome = question.outcome(asked, facts)
        assert words["question"] == unescaped(question.text(asked))
        assert words["outcome"] == unescaped(outcome.words)
        assert len(words["choices"]) == len(question.choices(asked))
        right = [list(question.choices(asked))[place] for place in words["right"]]
        assert set(right) == (set(outcome.right) if isinstance(outcome.right, frozenset) else set())
        assert [row[0] for row in words["ends"]] == list(facts.runs)
        assert words["settings"]
        assert json.dumps(words)
    assert contents(page_of(setup), setup, "")["question"] == ""


@pytest.mark.parametrize("formula", ["abs(x)", "max(x, 0)", "sign(x)", "x^"])
def test_where_there_is_no_one_slope_no_slope_is_asked_in_what_is_handed_out(formula):
    setup = GradientsSetup(f="own", own=formula, low=-5.0, high=5.0, x0=0.0, ask="slope")
    assert questions(setup) == []
    assert "slope" in questions(replace(setup, own="x^2"))


@every_page
def test_what_was_handed_out_is_what_the_menu_begins_with(page):
    kind = SETUPS[page]
    setup = kind(hide=("look-for",), lock=("ask",), title="Which one turns?", ask=OWN)
    app = shown(setup)
    app.session_state[f"{PREFIXES[page]}-teach"] = True
    (address,) = (one.value for one in sound(app.run()).code if "<iframe" not in one.value)
    handed, notes = decode(parse_qs(address.partition("?")[2], keep_blank_values=True), kind())
    assert (handed, notes) == (setup, [])


def test_where_the_map_is_hidden_no_place_on_it_is_asked_for():
    for setup, name in (
        (RaceSetup(**FEW), "map"),
        (RegressionSetup(**FEW), "map"),
        (FitSetup(model="intercept"), "valley"),
    ):
        asked = replace(setup, ask="where~1~5")
        assert handed_out(asked, (), (), "", asked.ask) == (asked, [])
        handed, (note,) = handed_out(asked, (name,), (), "", asked.ask)
        assert handed.ask == ""
        assert "The map is hidden" in note
        assert not [ask for ask in questions(replace(setup, hide=(name,))) if ask.startswith("where")]


@every_handed
def test_a_handouts_first_picture_stands_where_the_set_up_does(setup):
    first = contents(page_of(setup), setup, "")["first"]
    if isinstance(setup, GradientsSetup):
        place = {"slope": "x0", "loss": "theta", "differences": "h"}[setup.part]
        stops = {"slope": setup.places(), "loss": THETAS, "differences": WIDTHS}[setup.part]
        assert stops[first["at"]] == getattr(setup, place)
    else:
        assert first == {"at_start": True}


def test_the_next_step_of_a_story_leaves_alone_what_is_locked():
    """A step on another page has other settings, and is as it is."""
    for name, story in library().stories.items():
        page = story.page(1)
        setup, _ = decode(story.query(1), SETUPS[page]())
        kind = type(setup)
        limited = replace(setup, lock=("steps",), hide=("teach",)) if "steps" in kind.controls() else None
        if limited is None or story.page(2) != page:
            continue
        (following,) = (one for one in shown(limited).get("page_link") if one.proto.label == "**Next**")
        step, notes = decode(parse_qs(following.proto.query_string, keep_blank_values=True), kind())
        assert notes == []
        assert (step.lock, step.hide, step.steps) == (limited.lock, limited.hide, limited.steps)
        assert (step.story, step.step) == (name, 2)
        break
    else:
        raise AssertionError("no story has two steps on one page")
