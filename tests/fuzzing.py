"""How often the laws of tests/fuzz are tried, and from which seeds.

``pytest`` tries each a few times, in the profile "suite". All of it is::

    pytest tests/fuzz --hypothesis-profile=deep --hypothesis-show-statistics -o faulthandler_timeout=0

The statistics say how many there were, and of the formulas how many took long. Both profiles try the same inputs
each time. ``--hypothesis-seed=7`` tries others, those of that seed.
"""

from hypothesis import HealthCheck, Phase, settings

SUITE, DEEP = "suite", "deep"


def register_profiles(config):
    """Make both profiles known to hypothesis, and use that of the suite unless the command names another."""
    fixed = config.getoption("--hypothesis-seed") is None
    for name in (SUITE, DEEP):
        settings.register_profile(
            name,
            derandomize=fixed,
            database=None,
            deadline=None,  # how long anything takes is for the benchmarks
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            print_blob=False,
        )
    settings.load_profile(SUITE)


def is_deep():
    """Whether everything is tried."""
    return settings.get_current_profile_name() == DEEP


def fuzz(*, deep: int, suite: int):
    """A law that hypothesis tries so often in each profile."""
    return settings(max_examples=deep if is_deep() else suite)
