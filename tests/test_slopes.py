"""Slopes: by JAX, by finite differences, and as typed; and what is said where there is none."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine import parse
from engine.problems import mean_squared_error, mean_squared_error_by_hand, notebook_grid
from engine.slopes import (
    check,
    curve,
    differences,
    finite_differences,
    jumps,
    kink,
    loss_slopes,
    most_accurate,
    one_sided_limits,
    points,
)

SMOOTH = ["4x", "4x^3+3", "x^2", "sin x", "exp(-x^2)", "x^3-3x^2+3x-1", "x|x|", "ln(x+10)", "cos(3x)+x"]
# where, left, right, and what jax.grad says (jax 0.10)
CORNERS = {
    "|x|": (0.0, -1.0, 1.0, 1.0),
    "max(x,0)": (0.0, 0.0, 1.0, 0.5),
    "relu(x)": (0.0, 0.0, 1.0, 0.0),
    "|x-0.1|": (0.1, -1.0, 1.0, 1.0),
    "|x-1000|": (1000.0, -1.0, 1.0, 1.0),
    "max(x^2,x)": (1.0, 1.0, 2.0, 1.5),
    "|x|+1000x^2": (0.0, -1.0, 1.0, 1.0),
}


def f(text):
    return parse(text, ("x",))


def test_the_points_are_the_notebooks():
    np.testing.assert_allclose(points(0, 10), notebook_grid(), rtol=3e-7)  # its are added up in 32 bits


@pytest.mark.parametrize(("low", "high"), [(-5, 5), (-3, 3), (-0.3, 0.7), (-1000, 1000), (-6, 6)])
def test_a_corner_at_zero_is_met_at_zero_and_not_beside_it(low, high):
    x = points(low, high)
    assert len(np.unique(x)) == 100
    assert x[0] == np.float32(low)
    assert x[-1] < high
    assert (x == 0).sum() == 1
    assert not np.signbit(x[x == 0])


def test_the_first_rows_are_the_notebooks():
    x = points(0, 10)
    values, slopes = curve(f("4x"), x)
    np.testing.assert_allclose(values[:5], [0.0, 0.4, 0.8, 1.2, 1.6], rtol=1e-6)
    np.testing.assert_array_equal(slopes, np.full(100, 4.0))


def test_where_a_function_has_no_value_it_has_no_slope():
    values, slopes = curve(f("ln x"), np.array([-1.0, 0.0, 1.0]))
    assert np.isnan(values[:2]).all()
    assert np.isnan(slopes[:2]).all()  # jax.grad alone says a finite -1 at -1
    assert (values[2], slopes[2]) == (0, 1)
    values, slopes = curve(f("sqrt x"), np.array([0.0]))
    assert values[0] == 0
    assert np.isnan(slopes[0])


@pytest.mark.parametrize("text", CORNERS)
def test_a_corner_is_found_with_its_two_slopes_and_what_jax_says_there(text):
    x, left, right, convention = CORNERS[text]
    found = kink(f(text), x)
    assert found is not None
    assert (found.left, found.right) == pytest.approx((left, right), rel=1e-2)
    assert found.convention == convention


@pytest.mark.parametrize("text", SMOOTH)
def test_a_smooth_function_has_no_corner(text):
    assert [x for x in points(-5, 5) if kink(f(text), float(x))] == []


@pytest.mark.parametrize("text", CORNERS)
def test_beside_its_corner_a_function_has_none(text):
    x = CORNERS[text][0]
    assert kink(f(text), x + 0.01 * max(1, abs(x))) is None


@pytest.mark.parametrize(("text", "x"), [("floor x", 2.0), ("sign x", 0.0), ("ceil(10x)", 0.3), ("|x|/x+x", 0.0)])
def test_a_leap_is_found_and_is_no_corner(text, x):
    assert jumps(f(text), x)
    assert not jumps(f(text), x + 0.05)
    assert kink(f(text), x) is None


@pytest.mark.parametrize("text", [*SMOOTH, *CORNERS, "cbrt x", "5"])
def test_an_unbroken_function_does_not_leap(text):
    assert not any(jumps(f(text), float(x)) for x in points(-5, 5)[::5])


LEVEL = ["|x|^(4/3)", "|x|^1.25", "|x|^1.01", "x^(4/3)", "x|x|", "max(x,0)^2", "(x^4)^(1/3)", "cbrt(x)^4"]


@pytest.mark.parametrize("text", [*LEVEL, "softplus(50x)", "tanh(1e9x)", "|x-1e-3|"])
def test_where_there_is_a_slope_no_corner_and_no_leap_is_claimed(text):
    found = one_sided_limits(f(text), 0.0)
    assert not found.corner
    assert not found.jumps
    if text in LEVEL:
        assert (found.left, found.right) == pytest.approx((0, 0), abs=1e-9)
        assert curve(f(text), np.array([0.0]))[1][0] == 0


@pytest.mark.parametrize("text", ["sqrt(x^2)", "|sin x|", "|x|+|x|^1.1", "(x^2)^(1/2)", "max(-x,x)"])
def test_a_corner_is_one_however_it_is_written(text):
    found = kink(f(text), 0.0)
    assert (found.left, found.right) == pytest.approx((-1, 1), abs=1e-6)


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("cbrt x", np.inf, np.inf),
        ("x^(1/3)", np.inf, np.inf),
        ("-x^(1/5)", -np.inf, -np.inf),
        ("x^(2/3)", -np.inf, np.inf),
        ("sqrt|x|", -np.inf, np.inf),
        ("|x|^0.9", -np.inf, np.inf),
        ("sqrt x", np.nan, np.inf),
        ("x ln|x| + x^2", -np.inf, -np.inf),
        ("x^x", np.nan, -np.inf),
        ("|x|^x", -np.inf, -np.inf),
    ],
)
def test_where_the_slope_grows_without_end_there_is_no_corner(text, left, right):
    found = one_sided_limits(f(text), 0.0)
    np.testing.assert_array_equal((found.left, found.right), (left, right))
    assert kink(f(text), 0.0) is None
    assert not found.jumps


def test_rounding_close_to_a_corner_is_no_slope_without_end():
    found = one_sided_limits(f("asin(sin x)"), 1.5707963)
    assert not np.isinf([found.left, found.right]).any()


def test_a_lone_value_is_a_leap():
    assert jumps(f("sign(x)^2"), 0.0)


def test_finite_differences_come_near_the_slope_and_the_central_one_nearer():
    h = np.array([0.1, 0.01])
    forward, central = finite_differences(f("sin x"), 1.0, h)
    np.testing.assert_allclose(forward - np.cos(1), -h / 2 * np.sin(1), rtol=0.1)
    np.testing.assert_allclose(central[0] - np.cos(1), -(h[0] ** 2) / 6 * np.cos(1), rtol=0.1)


def test_the_error_falls_with_h_and_rises_again():
    h = 10.0 ** -np.arange(0, 8)
    found = differences(f("sin x"), 1.0, h)
    for name, least, truncation in (("forward", (3, 4), 1), ("central", (2, 3), 2)):
        errors = found.errors[name]
        assert most_accurate(errors) in least
        assert np.log10(errors[0] / errors[1]) == pytest.approx(truncation, abs=0.25)
        assert errors[-1] > 100 * errors[most_accurate(errors)]


def test_a_straight_line_has_no_truncation():
    found = differences(f("4x"), 2.0, np.array([1.0, 0.1, 1e-3, 1e-6]))
    assert found.errors["forward"][0] == found.errors["central"][0] == 0
    assert found.errors["forward"][-1] > 1e-3


def test_where_one_of_the_two_points_has_no_value_there_is_no_difference():
    found = differences(f("ln x"), 0.5, np.array([1.0, 0.1]))
    assert np.isnan(found.errors["central"]).tolist() == [True, False]
    assert np.isfinite(found.errors["forward"]).all()


def test_the_best_width_is_no_lucky_rounding():
    assert most_accurate(np.array([3.0, 1.0, 0.5, 0.9, 4.0, 0.0, 6.0])) == 2
    assert most_accurate(np.zeros(4)) == 0
    assert most_accurate(np.full(3, np.nan)) is None


RIGHT = [
    ("x^2", "2*x"),
    ("x^2", "x+x"),
    ("4x^3+3", "12x²"),
    ("sin(x)^2", "sin(2x)"),
    ("|x|", "x/|x|"),
    ("|x|", "sign(x)"),
    ("ln x", "1/x"),
    ("1/x", "-x^-2"),
    ("5", "0"),
    ("x^3-3x^2+3x-1", "3(x-1)^2"),
    ("exp(x)", "e^x"),
    ("sin(pi x)", "3.1416cos(pi x)"),
    ("tan x", "1/cos(x)^2"),
    ("6.67e-11/x", "-6.67e-11/x^2"),
    ("5", "cosh(x)^2 - sinh(x)^2 - 1"),
    ("(x+1)^3-x^3-3x^2-3x-1", "0"),
    ("(x-1)^5", "5x^4-20x^3+30x^2-20x+5"),
    ("ln(e^x) - x", "0"),
    ("cbrt(x)", "1/(3x^(2/3))"),
    ("cbrt(x)", "1/3 x^(-2/3)"),
    ("tanh(4x)", "4sech(4x)^2"),  # of which 1 - tanh^2 has few digits left
    ("1.6*10^-19x^2", "3.2*10^-19x"),
    ("tan x", "sec^2 x"),
    # rounded, or cut off, after three digits or more
    ("sin(pi x)", "3.14cos(3.14x)"),
    ("pi x^2", "6.28x"),
    ("e^x", "2.718^x"),
    ("x^3/9", "0.333x^2"),
    ("x^3/4.5", "0.666x^2"),
    ("sqrt(2)x", "1.41"),
]
WRONG = [
    ("x^2", "x"),
    ("x^2", "2x + 0.1"),
    ("x^3", "3x^2+0.001"),
    ("x^3", "3x^2+0.00123"),
    ("x", "1.0009"),
    ("x", "0.999"),
    ("x^2", "2.002x"),
    ("x^2", "1.999x"),
    ("exp(x)", "exp(x)+0.0005"),
    ("x^3/9", "0.33x^2"),
    ("pi x", "3.13"),
    ("pi x", "22/7"),
    ("1/x", "-1/x^2 + 0.002"),
    ("sin x", "-cos x"),
    ("5", "0.001"),
    ("max(x,0)", "1"),
    ("exp(x)", "exp(x) + 0.01"),
    ("1e-10x^2", "3E-10x"),
    ("1.38*10^-23x^2", "2.77*10^-23x"),
    ("1.6*10^-19x", "0"),
    ("6.67e-11/x", "6.67e-11/x^2"),
    ("exp(-(x+10)^2)", "2(x+10)exp(-(x+10)^2)"),
]


@pytest.mark.parametrize(("text", "typed"), RIGHT)
@pytest.mark.parametrize(("low", "high"), [(-5.0, 5.0), (0.9, 1.1)])
def test_a_right_derivative_is_right_in_any_form(text, typed, low, high):
    assert check(f(text), f(typed), low, high).right.all()


@pytest.mark.parametrize(("text", "typed"), WRONG)
def test_a_wrong_derivative_is_wrong_where_it_departs_most(text, typed):
    found = check(f(text), f(typed), -5.0, 5.0)
    apart = np.abs(found.typed - found.true)
    assert not found.right[found.worst]
    assert apart[found.worst] == apart[~found.right].max()


@pytest.mark.parametrize(("text", "slope"), [("tanh x", "4e^(-2x)"), ("coth x", "-4e^(-2x)"), ("sigmoid x", "e^-x")])
def test_a_slope_is_exact_where_its_function_is_nearly_level(text, slope):
    x = np.array([19.0, 25.0, 33.0])  # further out than 64 bits tell the function from 1
    with jax.enable_x64(True):
        np.testing.assert_allclose(curve(f(text), x)[1], f(slope)(x), rtol=1e-7)
        np.testing.assert_allclose(curve(f(text), -x)[1], f(slope)(x), rtol=1e-7)


@pytest.mark.parametrize(
    ("text", "typed", "low"),
    [
        ("exp(-x^2)", "2x exp(-x^2)", 4.5),
        ("x^-20", "20x^-21", 4.5),
        ("1 - tanh(4x)", "0", 2.5),  # further out its slope may be the rounding of 1
        ("1 - sigmoid(9x)", "0", 2.5),
    ],
)
def test_a_wrong_derivative_of_what_is_nearly_level_is_wrong(text, typed, low):
    assert not check(f(text), f(typed), low, low + 0.5).right.any()


def test_checking_another_derivative_compiles_nothing(compiles):
    for pole in (0.1, 1.1, 2.2, 3.3):  # each is defined at fewer points
        check(f(f"sqrt(x - {pole})"), f(f"1/sqrt(x - {pole})"), -5.0, 5.0)
        seen = compiles()
    assert not seen


def test_an_answer_that_is_not_defined_where_the_slope_is_is_wrong_there():
    found = check(f("x^2"), f("2sqrt(x)^2"), -5.0, 5.0)
    assert np.isnan(found.typed[found.worst])
    assert found.x[found.worst] < 0
    assert found.right[found.x > 0].all()


def test_what_is_compared_is_only_where_the_function_itself_is_defined():
    assert (check(f("ln x"), f("1/x"), -5.0, 5.0).x > 0).all()
    assert check(f("ln(x-20)"), f("1"), -5.0, 5.0) is None


def test_the_loss_has_one_slope_in_three_ways():
    x = notebook_grid()
    thetas = np.round(np.arange(-2, 10.05, 0.1), 1)
    losses, by_hand, by_grad, by_difference = loss_slopes(thetas, x, 4 * x)
    two = int(np.flatnonzero(thetas == 2.0)[0])
    # printed in the notebook, twice
    assert {f"{slopes[two]:.3f}" for slopes in (by_hand, by_grad, by_difference)} == {"-131.340"}
    np.testing.assert_allclose(by_grad, by_hand, atol=5e-5)
    np.testing.assert_allclose(by_difference, by_hand, atol=2e-4)
    assert losses.argmin() == np.flatnonzero(thetas == 4.0)[0]
    assert f"{mean_squared_error_by_hand(2.0, x, 4 * x):.3f}" == "-131.340"
    assert losses[two] == pytest.approx(float(mean_squared_error(2.0, jnp.asarray(x), 4 * x)))
