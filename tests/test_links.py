"""Links: what a set-up says is read back the same, and what cannot be read falls back with a note."""

import json
import random
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from engine import LANDSCAPES, OPTIMIZERS
from engine.knobs import Knob
from engine.notebook import REPLAYS
from engine.schedules import SCHEDULES
from ui.setup.codec import MAX_NOTES, Setup, decode, encode, param_name
from ui.setup.kinds import SEPARATOR, Names, Number, Whole, quoted
from ui.setup.landscapes import VIEWS
from ui.setup.pages import (
    LOSS_AXES,
    MAX_POINTS,
    MAX_RACERS,
    RACE_TABS,
    SETUPS,
    Racers,
    RaceSetup,
)
from ui.setup.presets import opening, presets, read_query
from ui.setup.racers import racer_names

DEFAULT, PRESETS = SETUPS["Ackley Race"](), presets("Ackley Race")
RULES = list(OPTIMIZERS.values())
KNOBS = [(rule, knob) for rule in RULES for knob in rule.knobs()]
# differs from the default in every part, so that a part that falls back is seen
LINK = RaceSetup(
    racers=(RULES[0](), RULES[-1](), RULES[1]()),
    landscape=list(LANDSCAPES)[-1],
    view=VIEWS[-1],
    start=(1.5, -0.25),
    steps=77,
    loss=LOSS_AXES[-1],
    replay=list(REPLAYS)[-1],
    show=list(RACE_TABS)[-1],
    points=MAX_POINTS,
)
HOSTILE = {
    "nothing": "",
    "a space": " ",
    "control characters": "\x00\x07",
    "other scripts": "☃ñ漢字",
    "half a character": "\ud800",
    "turned around": "\u202etxet desrever",
    "lines": "a\nb\r\n- c",
    "backticks": "`code` ``more`` ```",
    "markdown": "**bold** _it_ # head",
    "a link": "[text](https://example.org)",
    "a picture": "![picture](https://example.org/a.png)",
    "HTML": "<img src=x onerror=alert(1)>",
    "Streamlit's marks": "$x$ :red[text] :material/home: :smile:",
    "quotes": "' \" ; DROP TABLE",
    "a long text": "x" * 5_000,
    "a long number": "9" * 500,
    "nan": "nan",
    "infinity": "-inf",
    "too large a number": "1e999",
    "hexadecimal": "0x10",
}
TEXTS = list(HOSTILE.values())
any_text = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


def named(pair: tuple) -> str:
    rule, knob = pair
    return f"{rule.name} {knob.name}"


def odd_value(rng: random.Random, knob: Knob) -> float | bool:
    if knob.is_switch:
        return rng.random() < 0.5
    share = rng.choice([0.0, 1.0, rng.random()])
    if knob.log:
        return min(max(knob.low * (knob.high / knob.low) ** share, knob.low), knob.high)
    return min(knob.low + share * (knob.high - knob.low), knob.high)


# What each preset's link and 28 made by hand (turned knobs, broken values, names that another page knows) gave in
# November 2026; a link of each optimizer, as it is, with all its knobs at their lowest and at their highest; and one of
# each landscape, without a start. People have such links in their notes: a set-up in here is never recorded anew, only
# added to.
RECORDED = json.loads((Path(__file__).parent / "recorded/links.json").read_text(encoding="utf-8"))


def spelled(setup: Setup) -> dict:
    """A set-up as it is recorded: its settings by their names in links, a racer as its optimizer and every knob."""
    racer = lambda r: {"optimizer": r.name, **{knob.name: getattr(r, knob.name) for knob in r.knobs()}}  # noqa: E731
    values = {param_name(name, kind): (kind, getattr(setup, name)) for name, kind in setup.settings().items()}
    plain = {link: [racer(r) for r in value] if kind.many else value for link, (kind, value) in values.items()}
    return json.loads(json.dumps(plain))


@pytest.mark.parametrize("recorded", RECORDED, ids=[f"{r['page']} {i}" for i, r in enumerate(RECORDED)])
def test_a_link_of_old_still_gives_the_set_up_that_it_gave(recorded):
    page, link = recorded["page"], recorded["link"]
    setup, _ = read_query(page, parse_qs(link, keep_blank_values=True))
    if not link:  # it says nothing, and opens what the page opens with; that was the default until November 2026
        assert setup == opening(page)
        return
    now = spelled(setup)
    # a knob or setting that is younger than the link is at its default
    racers = getattr(setup, "racers", ())
    for one, racer, then in zip(racers, now.get("racer", []), recorded["setup"].get("racer", []), strict=True):
        defaults = {knob.name: knob.default for knob in one.knobs()}
        younger = racer.keys() - then.keys()
        assert {name: racer.pop(name) for name in younger} == {name: defaults[name] for name in younger}
    assert {name: now[name] for name in recorded["setup"]} == recorded["setup"]
    assert {name: now[name] for name in now.keys() - recorded["setup"].keys()} == {
        name: spelled(SETUPS[page]())[name] for name in now.keys() - recorded["setup"].keys()
    }


def test_a_link_of_each_rule_and_schedule_and_of_each_ground_with_knobs_is_recorded():
    """As they are and at both ends of their knobs; ``spelled`` says how."""
    racers = [racer for one in RECORDED for racer in one["setup"].get("racer", [])]
    named = {name for racer in racers for name in [racer["optimizer"], racer["optimizer"].rpartition(", ")[2]]}
    assert {*OPTIMIZERS, *SCHEDULES} <= named
    shaped = {parse_qs(one["link"])["landscape"][0] for one in RECORDED if "shape=" in one["link"]}
    assert {name for name, landscape in LANDSCAPES.items() if landscape.knobs} <= shaped


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_its_link(name):
    setup = PRESETS[name].setup
    assert decode(encode(setup), LINK) == (setup, [])


@pytest.mark.parametrize("landscape", LANDSCAPES)
def test_a_link_without_a_start_starts_at_the_usual_place(landscape):
    setup, notes = decode({"landscape": [landscape]}, LINK)
    usual = LINK.start if landscape == LINK.landscape else next(iter(LANDSCAPES[landscape].places.values()))
    assert (setup.start, notes) == (usual, [])


def test_the_usual_race_starts_at_the_usual_place_of_its_landscape():
    assert DEFAULT.start == next(iter(DEFAULT.chosen_landscape.places.values()))


@pytest.mark.parametrize("page", SETUPS)
def test_every_setting_can_stand_in_a_link_at_its_default_and_a_number_says_its_range(page):
    setup = SETUPS[page]()
    for name, kind in setup.settings().items():
        if not kind.many:
            assert kind.decode(kind.encode(getattr(setup, name))) == getattr(setup, name), name
        if isinstance(kind, Number | Whole):
            assert kind.accepts.endswith(f"number from {kind.low:g} to {kind.high:g}"), name


def test_a_list_of_names_is_bounded_and_so_is_each_of_them():
    kind = Names()
    for text in ("x" * kind.max_length, SEPARATOR.join(map(str, range(kind.most)))):
        assert kind.decode(text) == tuple(text.split(SEPARATOR))
    for text in ("x" * (kind.max_length + 1), SEPARATOR.join(map(str, range(kind.most + 1)))):
        assert kind.decode(text) is None


def test_an_empty_link_is_the_usual_race():
    assert decode({}, LINK) == (LINK, [])


@pytest.mark.parametrize("rule", RULES, ids=OPTIMIZERS)
def test_a_link_says_only_the_knobs_that_were_turned(rule):
    knob = rule.knobs()[0]
    assert Racers().encode(rule()) == rule.name
    turned = Racers().encode(rule(**{knob.name: knob.low}))
    assert turned.startswith(f"{rule.name}{SEPARATOR}{knob.name}{SEPARATOR}")
    assert turned.count(SEPARATOR) == 2


BAD = {
    "landscape": ["Akley", *TEXTS],
    "view": ["narrow", *TEXTS],
    "loss": ["Log", *TEXTS],
    "replay": ["Lion", *TEXTS],
    "show": ["maps", *TEXTS],
    "points": ["15", "257", "96.5", *TEXTS],
    "steps": ["0", "2001", "1.5", "-5", "1e400", "nan", "ten", "1,5", *TEXTS],
    "start": ["nan~1", "1~inf", "1e999~0", "4", "4~4~4", "~", "a~b", "1001~0", "0~-1000.5", "4,4", *TEXTS],
}


@pytest.mark.parametrize("part", BAD)
def test_a_bad_part_falls_back_alone_and_the_note_says_to_what(part):
    default = replace(DEFAULT, start=next(iter(LINK.chosen_landscape.places.values())))
    for bad in BAD[part]:
        setup, notes = decode({**encode(LINK), part: [bad]}, DEFAULT)
        assert setup == replace(LINK, **{part: getattr(default, part)})
        (note,) = notes
        assert note.startswith(f"{part} {quoted(bad)} is not ")
        assert note.endswith(f"; {quoted(encode(default)[part][0])} is used.")
        assert "~" not in re.sub("`[^`]*`", "", note)  # Markdown would strike out what is between two


@pytest.mark.parametrize(
    "bad", ["Admam", "adam", "~", "~~", *TEXTS], ids=["typo", "small", "marks", "more marks", *HOSTILE]
)
def test_an_unknown_racer_is_left_out_and_the_others_run(bad):
    good = encode(LINK)
    setup, notes = decode({**good, "racer": [good["racer"][0], bad, *good["racer"][1:]]}, DEFAULT)
    assert setup == LINK
    (note,) = notes
    assert note.startswith(f"There is no optimizer {quoted(bad.split(SEPARATOR)[0])}; it is left out.")


@pytest.mark.parametrize(("rule", "knob"), KNOBS, ids=map(named, KNOBS))
def test_a_bad_knob_falls_back_alone_and_the_note_says_to_what(rule, knob):
    rng = random.Random(1)
    racer = rule(**{other.name: odd_value(rng, other) for other in rule.knobs() if other != knob})
    outside = ["2", "0.5", "-1", "true"] if knob.is_switch else [repr(knob.low - 0.001), repr(knob.high * 1.001)]
    for bad in [*outside, *TEXTS]:
        text = f"{Racers().encode(racer)}{SEPARATOR}{knob.name}{SEPARATOR}{bad}"
        setup, notes = decode({**encode(LINK), "racer": [text]}, DEFAULT)
        assert setup == replace(LINK, racers=(racer,))
        (note,) = notes
        fits = "0 or 1" if knob.is_switch else f"a number from {knob.low:g} to {knob.high:g}"
        assert note == f"{rule.name}: {knob.name} {quoted(bad)} is not {fits}; {float(knob.default):g} is used."


@pytest.mark.parametrize("rule", RULES, ids=OPTIMIZERS)
def test_an_unknown_knob_is_left_out(rule):
    setup, notes = decode({"racer": [f"{rule.name}~warmth~3"]}, LINK)
    assert setup.racers == (rule(),)
    (note,) = notes
    assert note.startswith(f"{rule.name} has no setting `warmth`; it is left out.")


@pytest.mark.parametrize("rule", RULES, ids=OPTIMIZERS)
def test_a_knob_without_a_value_keeps_its_default(rule):
    *given, last = rule.knobs()
    values = "".join(f"~{knob.name}~{knob.low!r}" for knob in given)
    setup, notes = decode({"racer": [f"{rule.name}{values}~{last.name}"]}, LINK)
    assert setup.racers == (rule(**{knob.name: knob.low for knob in given}),)
    assert notes == [f"{rule.name}: `{last.name}` has no value; its default is used."]


def test_of_a_part_given_twice_the_first_counts():
    other = replace(
        DEFAULT,
        landscape=LINK.landscape,
        view=LINK.view,
        loss=LINK.loss,
        replay=LINK.replay,
        steps=5,
        start=(1, 2),
    )
    for part, values in encode(other).items():
        if part == "racer":
            continue
        setup, notes = decode({**encode(LINK), part: [*encode(LINK)[part], *values]}, DEFAULT)
        assert setup == LINK
        assert notes == [f"{part} is given 2 times; the first, {quoted(encode(LINK)[part][0])}, is used."]


def test_of_a_knob_given_twice_the_first_counts():
    rule, knob = KNOBS[0]
    setup, notes = decode({"racer": [f"{rule.name}~{knob.name}~{knob.low!r}~{knob.name}~{knob.high!r}"]}, LINK)
    assert setup.racers == (rule(**{knob.name: knob.low}),)
    assert notes == [f"{rule.name}: {knob.name} is given again; `{knob.high!r}` is left out."]


@pytest.mark.parametrize("count", [MAX_RACERS, MAX_RACERS + 1, 300])
def test_of_too_many_racers_the_first_ones_run(count):
    texts = [Racers().encode(RULES[i % len(RULES)]()) for i in range(count)]
    setup, notes = decode({**encode(LINK), "racer": texts}, DEFAULT)
    assert [racer.name for racer in setup.racers] == texts[:MAX_RACERS]
    too_many = f"The link names {count} optimizers; the first {MAX_RACERS} are used."
    assert notes == ([too_many] if count > MAX_RACERS else [])


def test_a_link_whose_racers_are_all_unknown_gets_the_usual_line_up():
    setup, notes = decode({**encode(LINK), "racer": ["Admam", "SDG"]}, DEFAULT)
    assert setup == replace(LINK, racers=DEFAULT.racers)
    assert [note[:30] for note in notes[:2]] == ["There is no optimizer `Admam`;", "There is no optimizer `SDG`; i"]
    assert notes[2] == "No optimizer of the link could be read; those of the first preset are used."


def test_a_link_with_hundreds_of_faults_gets_a_short_answer():
    setup, notes = decode({**encode(LINK), "racer": ["Admam"] * 500, **{f"key{i}": [""] for i in range(500)}}, DEFAULT)
    assert setup == replace(LINK, racers=DEFAULT.racers)
    assert len(notes) == MAX_NOTES + 1
    assert re.fullmatch(r"And \d+ more\.", notes[-1])
    assert max(map(len, notes)) < 1000


@pytest.mark.parametrize("count", [MAX_NOTES, MAX_NOTES + 1, MAX_NOTES + 7])
def test_of_many_notes_the_first_are_given_and_the_others_counted(count):
    _, notes = decode({**encode(LINK), "racer": [RULES[0].name, *["Admam"] * count]}, DEFAULT)
    assert all("`Admam`" in note for note in notes[:MAX_NOTES])
    assert notes[MAX_NOTES:] == ([f"And {count - MAX_NOTES} more."] if count > MAX_NOTES else [])


@pytest.mark.parametrize("count", [1, 5, 6, 9])
def test_of_many_names_that_a_page_does_not_know_five_are_said_and_the_others_counted(count):
    names = [f"landscape{i}" for i in range(count)]
    _, (note,) = decode({name: ["1"] for name in names}, LINK)
    said = ", ".join(map(quoted, names[:5])) + (f" and {count - 5} more" if count > 5 else "")
    assert note.startswith(f"The link says {said}, which this page does not know.")


@any_text
def test_a_part_that_is_like_no_setting_changes_nothing(text):
    assert decode({**encode(LINK), text: ["1"]}, DEFAULT) == (LINK, [])


def test_streamlits_own_parts_are_let_pass():
    assert decode({**encode(LINK), "embed": ["true"], "embed_options": ["dark_theme"]}, DEFAULT) == (
        LINK,
        [],
    )


OURS = [name for page in SETUPS for name in encode(SETUPS[page]())]
# of mail, advertisements, social networks and search, as they come on the way to a page
TRACKERS = [
    "fbclid",
    "gclid",
    "gclsrc",
    "dclid",
    "msclkid",
    "yclid",
    "twclid",
    "ttclid",
    "li_fat_id",
    "wbraid",
    "gbraid",
    "gad_source",
    "gad_campaignid",
    "srsltid",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
    "utm_source_platform",
    "mc_cid",
    "mc_eid",
    "igshid",
    "igsh",
    "_ga",
    "_gl",
    "_gac",
    "_hsenc",
    "_hsmi",
    "__hstc",
    "__hssc",
    "hsCtaTracking",
    "ref",
    "ref_src",
    "ref_url",
    "si",
    "vero_id",
    "vero_conv",
    "mkt_tok",
    "_kx",
    "oly_enc_id",
    "epik",
    "pk_campaign",
    "mtm_source",
    "piwik_kwd",
    "matomo_cid",
    "ScCid",
    "rdt_cid",
    "irclickid",
    "s_kwcid",
    "ef_id",
    "spm",
    "share_id",
    "mibextid",
    "wt_mc",
    "cmpid",
    "__cf_chl_tk",
    "_openstat",
    "ns_mchannel",
    "trk",
    "trkCampaign",
    "sfnsn",
    "rb_clickid",
    "wickedid",
    "guccounter",
    "guce_referrer",
    # of kinds that no list knows
    "form",
    "cvid",
    "ved",
    "ei",
    "sca_esv",
    "oq",
    "client",
    "source",
    "sourceid",
    "campaign_id",
    "adgroupid",
    "network",
    "device",
    "placement",
    "keyword",
    "matchtype",
    "nonce",
    "session",
    "token",
    "lang",
    "locale",
    "hl",
    "from_search",
    "via",
    "xmt",
    "__tn__",
    "cft[0]",
    "utm-source",
    "dicbo",
    "tblci",
    "obOrigUrl",
    "_branch_match_id",
    "sr_share",
    "eId",
    "context",
    "usqp",
    "sxsrf",
    "date",
    "page",
    "user",
    "mail_id",
]


@pytest.mark.parametrize("page", SETUPS)
def test_what_others_add_to_a_link_on_the_way_is_no_fault_of_the_visitors(page):
    for tracker in TRACKERS:
        for name in (tracker, tracker.upper()):
            for texts in (["IwAR0x-abc"], ["1", "2"]):
                assert decode({**encode(SETUPS[page]()), name: texts}, SETUPS[page]()) == (SETUPS[page](), [])


@pytest.mark.parametrize("page", SETUPS)
def test_a_name_misspelt_or_of_another_page_is_still_said(page):
    own = {param_name(name, kind) for name, kind in SETUPS[page].settings().items()}
    slips = {"landscpae", "lanscape", "step", "strat", "racers", "Racer", "Steps", "learning-rate", "learningrate"}
    slips |= {
        "iteration",
        "iterration",
        "tolerence",
        "interceptt",
        "sharedrate",
        "nosie",
        "thetha",
        "exampels",
        "battch",
    }
    slips |= {"slop", "awnser", "seeds", "landscape "}
    wrong = slips | {name[:-1] for name in OURS if len(name) > 2} | {name.upper() for name in OURS} | set(OURS)
    for name in wrong - own:
        _, notes = decode({name: ["1"]}, SETUPS[page]())
        assert len(notes) == 1, name
        assert quoted(name) in notes[0]


def gradients(**texts: str) -> tuple[str, str, list[str]]:
    """What ``own`` and ``answer`` of a link by hand are taken for, typed as they stand in it."""
    query = "&".join(f"{name}={text}" for name, text in texts.items())
    setup, notes = decode(parse_qs(query, keep_blank_values=True), SETUPS["Gradients"]())
    return setup.own, setup.answer, notes


PLUSES = {  # as it stands in the address: what it can only mean
    "x^2+1": "x^2+1",
    "x^2+%2B+1": "x^2+1",
    "x^2%20+%201": "x^2+1",
    "3x^2+2x+1": "3x^2+2x+1",
    "sin+x+1": "sin x+1",
    "x^3-2x+5": "x^3-2x+5",
    "(x+1)(x+2)": "(x+1)(x+2)",
    "sin+x": "sin x",
    "2+cos+x": "2 cos x",
    "x%5E2-3x": "x^2-3x",
    "nonsense+here": "nonsense here",
    "x^2%20%2B%201": "x^2+1",
    "x%20-%201": "x - 1",
    "x^3+x^2+x+1": "x^3+x^2+x+1",
    "x^8+x^7+x^6+x^5+x^4+x^3+x^2+x+1": "x^8+x^7+x^6+x^5+x^4+x^3+x^2+x+1",
    "y+1": "y 1",
    "": "",
}


@pytest.mark.parametrize(("given", "meant"), PLUSES.items())
def test_a_plus_in_a_link_by_hand_is_a_plus_where_a_formula_is_meant(given, meant):
    for read in (gradients(f="own", own=given)[0], gradients(f="own", own="x", answer=given)[1]):
        assert read.replace(" + ", "+") == meant


@pytest.mark.parametrize("given", ["x^2%20%2B%201", "x%2B1", "x^2+1", "sin+x", "2%20*%20x", "x%20-%201"])
def test_a_link_that_can_be_read_in_one_way_gets_no_note(given):
    assert gradients(f="own", own=given)[2] == []


def test_a_formula_that_the_link_does_not_have_looked_at_is_said():
    for query in ({"own": ["x^2"]}, {"own": ["x^2"], "x0": ["3"]}):
        (note,) = decode(query, SETUPS["Gradients"]())[1]
        assert "f=own" in note
    for query in ({"own": ["x^2"], "f": ["own"]}, {"own": [""]}, encode(replace(SETUPS["Gradients"](), own="x^2"))):
        assert decode(query, SETUPS["Gradients"]())[1] == []


@pytest.mark.parametrize("given", ["x^2+x", "2+x", "x+sin+x"])
def test_a_blank_that_may_be_a_plus_or_not_is_taken_as_it_is_and_the_note_says_how_to_write_a_plus(given):
    own, _, notes = gradients(f="own", own=given)
    assert own == given.replace("+", " ")
    (note,) = notes
    assert "%2B" in note


def test_a_formula_with_too_many_blanks_to_try_each_is_read_with_plus_signs_and_the_note_says_so():
    given = max(PLUSES, key=len)
    own, _, (note,) = gradients(f="own", own=given)
    assert note.startswith(f"own is read as {quoted(own)};")
    assert "%2B" in note


@pytest.mark.parametrize("text", ["x^2 1", "x^2 x", "2 x", "sin x 1", "x + 1", " x "])
def test_a_blank_in_a_link_of_ours_stays_a_blank(text):
    setup = replace(SETUPS["Gradients"](), f="own", own=text, answer=text)
    assert decode(encode(setup), SETUPS["Gradients"]()) == (setup, [])


GIVEN_AS = {
    "a value": lambda text: {part: [text] for part in encode(LINK)},
    "a part misspelt": lambda text: {f"landscape{text[:1]}": [text]},
    "a knob": lambda text: {"racer": [f"{RULES[0].name}~{text}~1"]},
    "a knob's value": lambda text: {"racer": [f"{RULES[0].name}~{RULES[0].knobs()[0].name}~{text}"]},
    "a knob without value": lambda text: {"racer": [f"{RULES[0].name}~{text}"]},
    "given twice": lambda text: {part: [text, text] for part in encode(LINK)},
}


@pytest.mark.parametrize("part", GIVEN_AS)
@any_text
def test_a_visitors_text_is_short_and_plain_wherever_it_comes(text, part):
    _, notes = decode(GIVEN_AS[part](text), DEFAULT)
    assert notes
    for note in notes:
        spans = re.findall(r"`([^`]*)`", note)
        ours = re.sub(r"`[^`]*`", "", note)
        assert "`" not in ours
        assert all(len(span.removesuffix("…")) <= 40 for span in spans)
        # outside code spans nothing but our own words: no markup, no link, no line break
        assert re.fullmatch(r"[A-Za-z0-9 ,.;:~_()+'-]*", ours)
        assert note.isprintable()


def test_equal_racers_are_counted():
    racer = RULES[0]()
    assert racer_names([racer] * 3) == [racer.name, f"{racer.name} (2)", f"{racer.name} (3)"]


def test_racers_that_differ_by_less_than_a_name_says_are_counted():
    racers = [RULES[0](learning_rate=rate) for rate in (0.1, 0.1 + 1e-9, 0.1)]
    assert len(set(racer_names(racers))) == 3


@pytest.mark.parametrize(("rule", "knob"), KNOBS, ids=map(named, KNOBS))
def test_the_knob_that_tells_two_racers_apart_is_in_their_names(rule, knob):
    low, high = rule(**{knob.name: type(knob.default)(knob.low)}), rule(**{knob.name: type(knob.default)(knob.high)})
    for racer, name in zip((low, high), racer_names([low, high]), strict=True):
        at_default = getattr(racer, knob.name) == knob.default
        told = f"{getattr(racer, knob.name):g}" if not knob.is_switch else "" if at_default else knob.changed
        assert name.startswith(rule.name)
        assert name.endswith(told)
        assert (name == rule.name) == (not told)


def test_a_racer_alone_of_its_kind_has_its_optimizers_name():
    assert racer_names([rule() for rule in RULES]) == list(OPTIMIZERS)
