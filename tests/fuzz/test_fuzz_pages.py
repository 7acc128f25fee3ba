"""Pages that are opened by links that nobody thought of."""

import pytest
from drawn_setups import queries
from fuzzing import fuzz, is_deep
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest
from visit import opened, sound

from ui.setup.pages import SETUPS
from ui.setup.presets import read_query


def follow(app: AppTest, query):
    """Open a link in a tab that has the page open already."""
    for name in list(app.query_params):
        del app.query_params[name]
    for name, values in query.items():
        app.query_params[name] = values
    return sound(app.run())


def said(app: AppTest):
    """What the address bar says."""
    return {name: values if isinstance(values, list) else [values] for name, values in app.query_params.items()}


# in the suite not those that compile what a link names: test_pages.py opens them by links enough
@pytest.fixture(scope="module", params=SETUPS if is_deep() else ["Gradients", "Linear Fit"])
def tab(request):
    """A page, and a tab that has it open."""
    return request.param, opened(request.param)


@fuzz(deep=2000, suite=6)
@given(data=st.data())
def test_a_page_opens_from_any_link_and_says_what_of_it_could_not_be_used(tab, data):
    """2,000 links on every page."""
    page, app = tab
    query = data.draw(queries(page))
    setup, notes = read_query(page, query)
    follow(app, query)
    assert [warning for warning in app.warning if "of the link" in warning.value] == [] if not notes else True
    assert read_query(page, said(app)) in ((setup, []), (setup, notes))
