"""The fair race: the same terms for all, and a winner who is one."""

from dataclasses import replace

import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, race, sweep
from engine.fair import DRAWS, RATES, STARTS, TERMS, TUNING_STARTS, fair_race, random_starts, win_shares
from ui.draw.palette import STYLES
from ui.race.fair import TITLES, median_losses, numbers, panels
from ui.race.fair_words import sentences

HIMMELBLAU, BOWL, SADDLE = (LANDSCAPES[name] for name in ("Himmelblau", "Bowl", "Saddle"))
TWO = [OPTIMIZERS["SGD"], OPTIMIZERS["Adam"]]
SAME, OWN, TUNED = (TERMS.index(term) for term in ("same", "own", "tuned"))


@pytest.fixture(scope="module")
def fair():
    return fair_race(HIMMELBLAU, TWO, 60, 0.005)


def judging(landscape, draw):
    return random_starts(landscape, [draw, 1], STARTS)


def test_its_shapes_are_those_it_says(fair):
    assert fair.optimizers == ("SGD", "Adam")
    assert fair.rates.shape == fair.wins.shape == (len(TERMS), DRAWS, 2)
    assert fair.losses.shape == (len(TERMS), DRAWS, 2, STARTS)


@pytest.mark.parametrize("term", TERMS)
def test_each_loss_is_that_of_the_race_from_that_start_with_that_rate(fair, term):
    term = TERMS.index(term)
    for place, rule in enumerate(TWO):
        racer = rule(learning_rate=float(fair.rates[term, 2, place]))
        trace = race(HIMMELBLAU.loss, {"it": racer}, judging(HIMMELBLAU, 2), 60)["it"]
        lost = trace.stopped_at >= 0
        np.testing.assert_array_equal(np.isinf(fair.losses[term, 2, place]), lost)
        np.testing.assert_allclose(fair.losses[term, 2, place][~lost], trace.losses[~lost, -1], rtol=1e-2, atol=1e-3)


def test_the_terms_differ_in_the_learning_rate_as_they_say(fair):
    assert (fair.rates[SAME] == 0.005).all()
    for place, rule in enumerate(TWO):
        assert (fair.rates[OWN, :, place] == rule().learning_rate).all()


def test_tuning_keeps_the_best_of_all_rates_on_its_own_starts(fair):
    for place, rule in enumerate(TWO):
        (knob,) = (knob for knob in rule.knobs() if knob.name == "learning_rate")
        rates = np.geomspace(knob.low, knob.high, RATES)
        for draw in range(DRAWS):
            starts = random_starts(HIMMELBLAU, [draw, 0], TUNING_STARTS)
            found = sweep(HIMMELBLAU.loss, rule(), "learning_rate", rates, starts, 60)
            middle = np.median(np.where(found.diverged, np.inf, found.losses), axis=1)
            chosen = np.flatnonzero(rates == fair.rates[TUNED, draw, place])
            assert middle[chosen] == middle.min()


def test_it_is_tuned_on_other_starts_than_it_is_judged_on():
    starts = [random_starts(BOWL, [draw, purpose], STARTS) for draw in range(DRAWS) for purpose in (0, 1)]
    every = np.concatenate(starts)
    assert len(np.unique(every, axis=0)) == len(every)
    (low, high), _ = BOWL.domain
    assert every.min() >= low
    assert every.max() <= high


def test_the_lowest_end_wins_level_ends_share_and_who_diverges_cannot():
    before = np.array([[10.0, 10.0, 10.0, 10.0]])
    losses = np.array([[[[1.0, 1.0, np.inf, np.inf], [2.0, 1.001, np.inf, 1.0], [3.0, 5.0, np.inf, 9.0]]]])
    np.testing.assert_allclose(win_shares(losses, before)[0, 0], [(1 + 0.5) / 4, (0.5 + 1) / 4, 0])


def test_win_rates_are_shares_of_the_starts(fair):
    someone = np.isfinite(fair.losses).any(axis=2).mean(axis=-1)
    np.testing.assert_allclose(fair.wins.sum(axis=-1), someone)


def test_alone_an_optimizer_wins_wherever_it_does_not_diverge():
    alone = fair_race(BOWL, TWO[:1], 5, 0.1)
    assert (alone.wins == 1).all()
    assert "all win alike" not in " ".join(sentences(alone))


def test_it_says_how_far_it_is_and_ends_where_it_is_told_to():
    told = []
    fair_race(BOWL, TWO, 2, 0.1, told.append)
    assert told == [0.5, 1.0]

    def enough(share):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fair_race(BOWL, TWO, 2, 0.1, enough)


def test_turning_the_rate_or_the_steps_compiles_nothing(compiles):
    fair_race(BOWL, TWO, 2, 0.1)
    compiles()
    fair_race(BOWL, TWO, 77, 0.3)
    assert compiles() == 0


@pytest.mark.parametrize(("rules", "steps"), [([], 5), (TWO, 0)])
def test_what_cannot_be_raced_is_said(rules, steps):
    with pytest.raises(ValueError, match="at least 1 of each"):
        fair_race(BOWL, rules, steps, 0.1)


# ---- in words and pictures


def wins(fair, *terms):
    """The same fair race with other win rates, alike in every draw: one row for each of the terms."""
    return replace(fair, wins=np.repeat(np.array(terms, float)[:, None, :], DRAWS, axis=1))


def test_it_says_that_the_winner_changes_and_whom_tuning_helps(fair):
    said = sentences(wins(fair, [0.2, 0.8], [0.9, 0.1], [0.3, 0.7]))
    assert said[0] == "With one learning rate for all, **Adam** wins most, 80% of the starts."
    assert said[1] == "With the defaults of each, **SGD** wins most, 90% of the starts."
    assert "**SGD** has 90% with the defaults, and 30% once all are tuned" in said[3]
    assert "helps **Adam** most: from 10% to 70%" in said[3]


def test_it_says_who_leads_under_all_terms(fair):
    said = sentences(wins(fair, [0.2, 0.8], [0.1, 0.9], [0.1, 0.9]))
    assert said[3] == "**Adam** wins most all three times."


def test_where_all_diverge_under_all_terms_nothing_more_is_said(fair):
    assert len(sentences(wins(fair, [0, 0], [0, 0], [0, 0]))) == len(TERMS)


def test_it_says_where_all_win_alike_and_where_none_does(fair):
    said = sentences(wins(fair, [0, 0], [0.5, 0.5], [0.5, 0.5]))
    assert said[0] == "With one learning rate for all, none of them wins: all diverge."
    assert said[1] == "With the defaults of each, all win alike, 50% of the starts each."


def test_it_says_where_another_did_better_in_some_draws(fair):
    close = wins(fair, [0.4, 0.6], [0.4, 0.6], [0.4, 0.6])
    close.wins[OWN, 0] = 0.7, 0.3
    assert sentences(close)[1].endswith("though **SGD** did better in some repetitions.")


def test_it_says_where_the_best_rate_is_at_the_end_of_the_range():
    steep = fair_race(SADDLE, TWO[1:], 50, 0.1)
    assert sentences(steep)[-1] == "The best learning rate of Adam lies at the end of its range."


def test_the_table_has_a_row_for_each_optimizer_under_each_of_the_terms(fair):
    table = numbers(fair).set_index(["terms", "optimizer"])
    assert len(table) == len(TERMS) * 2
    for term, title in enumerate(TITLES.values()):
        for place, name in enumerate(fair.optimizers):
            row, lost = table.loc[title, name], np.isinf(fair.losses[term, :, place])
            assert row["wins"] == pytest.approx(100 * fair.wins[term, :, place].mean())
            assert row["diverge"] == pytest.approx(100 * lost.mean())
            middle = np.median(fair.losses[term, :, place])
            assert row["median loss"] == pytest.approx(middle) if np.isfinite(middle) else np.isnan(row["median loss"])


def test_bars_are_win_rates_and_whiskers_reach_to_the_outer_draws(fair):
    racer_styles = dict(zip(fair.optimizers, STYLES, strict=False))
    drawn = panels(fair, HIMMELBLAU.floor, racer_styles, "light")
    bars = [trace for trace in drawn.data if trace.type == "bar"]
    assert len(bars) == len(TERMS)
    for term, bar in enumerate(bars):
        won = 100 * fair.wins[term]
        np.testing.assert_allclose(bar.x, won.mean(axis=0))
        np.testing.assert_allclose(np.array(bar.x) + bar.error_x.array, won.max(axis=0))
        np.testing.assert_allclose(np.array(bar.x) - bar.error_x.arrayminus, won.min(axis=0), atol=1e-9)
    said = [note.text for note in drawn.layout.annotations].count("diverges")
    assert said == np.isinf(np.median(median_losses(fair), axis=1)).sum()


def test_a_loss_without_a_floor_is_drawn_without_an_axis_for_it(fair):
    racer_styles = dict(zip(fair.optimizers, STYLES, strict=False))
    assert {trace.type for trace in panels(fair, None, racer_styles, "dark").data} == {"bar"}
