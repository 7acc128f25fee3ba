"""Links that nobody thought of: whatever an address says, the page opens, and its own link opens the same page."""

import math
from urllib.parse import parse_qs, urlencode

import numpy as np
import pytest
from drawn_setups import hostile, numbers, queries
from fuzzing import fuzz
from hypothesis import given
from hypothesis import strategies as st

from ui.numbers import format_plain
from ui.setup.codec import MAX_NOTES, decode, encode, param_name
from ui.setup.pages import SETUPS
from ui.setup.plain import JOINER
from ui.setup.presets import read_query
from ui.setup.racers import MAX_RACERS, racer_names
from ui.setup.stops import stops

every_page = pytest.mark.parametrize("page", SETUPS)


def reopened(page, setup):
    """What the set-up's own link says, as a browser passes it on."""
    return read_query(page, parse_qs(urlencode(encode(setup), doseq=True), keep_blank_values=True))


@every_page
@fuzz(deep=2000, suite=60)
@given(st.data())
def test_any_query_is_a_set_up_whose_own_link_is_the_same_one(page, data):
    """2,000 queries on every page."""
    setup, notes = read_query(page, data.draw(queries(page)))
    assert reopened(page, setup) == (setup, [])
    notes = [note.replace(JOINER, "") for note in notes]  # beside a colon, which Streamlit would read otherwise
    assert all(note.isprintable() and note.endswith((".", "?")) and len(note) < 1200 for note in notes)
    for kind, value in ((kind, getattr(setup, name)) for name, kind in setup.settings().items()):
        assert kind.many or kind.decode(kind.encode(value)) == value
    racers = getattr(setup, "racers", ())
    assert len({*racer_names(racers)}) == len(racers) <= MAX_RACERS
    assert all(knob.low <= getattr(racer, knob.name) <= knob.high for racer in racers for knob in racer.knobs())
    for number in (value for value in vars(setup).values() if isinstance(value, float)):
        assert math.isfinite(number)


@every_page
@fuzz(deep=2000, suite=60)
@given(st.data())
def test_a_value_that_does_not_fit_is_as_if_it_were_not_given_and_is_said(page, data):
    """2,000 queries on every page."""
    query, kinds = data.draw(queries(page, broken=False)), SETUPS[page].settings()
    name = data.draw(st.sampled_from(list(kinds)))
    kind, param, text = kinds[name], param_name(name, kinds[name]), data.draw(hostile)
    if kind.many or kind.decode(text) is not None or kind.decode(kind.clean_handwritten(param, text, [])) is not None:
        return
    # people leave something out; where nothing is, a formula's blanks are those of ``encode``
    usual_ones = [other for other in encode(SETUPS[page]()) if other != param]
    without = {other: values for other, values in query.items() if other not in (param, usual_ones[0])}
    usual, _ = decode(without, SETUPS[page]())
    setup, notes = decode({**without, param: [text]}, SETUPS[page]())
    assert setup == usual
    assert any(note.startswith(f"{param} ") for note in notes) or len(notes) > MAX_NOTES


@fuzz(deep=5000, suite=100)
@given(numbers(1e-9, 1e3), st.sampled_from([1e-9, 1e-5, 1.0]), st.sampled_from([1.0, 0.4, 1e3]))
def test_the_stops_of_a_slider_read_differently_and_what_the_link_says_is_one_of_them(chosen, low, high):
    for value in (chosen, float(np.nextafter(stops(low, high)[0], 0)), float(f"{chosen:.1g}") * (1 - 1e-12)):
        found = stops(low, high, value)
        assert value in found
        assert found == sorted(found)
        assert len({format_plain(stop) for stop in found}) == len(found)
