"""Functions that landscapes are made of, in few of the operations that take a processor long.

Each is wrong by no more than the last digits of a float32, and can be differentiated more than once.
"""

import jax
import jax.numpy as jnp

# sine and cosine of up to a quarter of a turn, in powers of the square of the turns; those of the sine times the turns
SINE = (6.283185307, -41.34170212, 81.60522621, -76.70428138, 42.00980619, -14.39413547)
COSINE = (1.0, -19.73920855, 64.93934656, -85.45356831, 60.14395329, -24.98183634)
# (exp(x) - 1) / x near 0, in powers of x
EXPM1 = (1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040, 1 / 40320)


def polynomial(coefficients, x):
    """The sum of ``coefficients`` times 1, x, x², …"""
    value = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        value = value * x + coefficient
    return value


def sine(turns):
    """The sine of at most a quarter of a turn."""
    return turns * polynomial(SINE, turns**2)


def cosine(turns):
    """The cosine of at most a quarter of a turn."""
    return polynomial(COSINE, turns**2)


@jax.custom_jvp
def cos_turns(x):
    """The cosine of ``x`` full turns, cos(2 pi x): quicker than ``jnp.cos``, and more exact, as no pi is rounded."""
    rest = x - jnp.round(x)  # exact
    return sine(0.25 - jnp.abs(rest))


@cos_turns.defjvp
def cos_turns_slope(primals, tangents):
    """The derivative of ``cos_turns`` for JAX, with its value: -2 pi sin(2 pi x), from half the angle."""
    (x,), (dx,) = primals, tangents
    half = (x - jnp.round(x)) / 2
    return cos_turns(x), -4 * jnp.pi * (sine(half) * cosine(half)) * dx


@jax.custom_jvp
def quick_expm1(x):
    """exp(x) - 1, as exact near 0 as ``jnp.expm1``, but without a division."""
    return jnp.where(jnp.abs(x) < 0.35, x * polynomial(EXPM1, x), jnp.exp(x) - 1)


@quick_expm1.defjvp
def quick_expm1_slope(primals, tangents):
    """The derivative of ``quick_expm1`` for JAX, with its value."""
    (x,), (dx,) = primals, tangents
    return quick_expm1(x), jnp.exp(x) * dx
