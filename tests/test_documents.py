"""What README and CONTRIBUTING.md say is so: their examples are run, and the files that they name are there."""

import doctest
import inspect
import re

import jax.numpy as jnp
import numpy as np
import pytest
from visit import ROOT

from engine import OPTIMIZERS
from engine.optimizers import MODULES, base

DOCUMENTS = ("README.md", "CONTRIBUTING.md")


def blocks(name, language):
    """What stands in a document between its fences of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / name).read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_example_prints_what_is_written_below_it(name, subtests):
    runner, parser = doctest.DocTestRunner(), doctest.DocTestParser()
    for block in blocks(name, "pycon"):
        with subtests.test(block.splitlines()[0]):
            assert runner.run(parser.get_doctest(block, {}, name, name, 0)).failed == 0


def test_the_optimizer_that_contributing_adds_is_complete_and_moves_as_its_lines_in_numpy(monkeypatch, rng):
    rule_lines, numpy_lines = (
        "\n".join(line[1:] for line in block.splitlines()) for block in blocks("CONTRIBUTING.md", "diff")
    )
    monkeypatch.setattr(base, "OPTIMIZERS", dict(OPTIMIZERS))
    exec(rule_lines, {name: part for module in MODULES for name, part in vars(module).items()})
    (name,) = base.OPTIMIZERS.keys() - OPTIMIZERS.keys()
    in_numpy = {"np": np}
    exec(numpy_lines, in_numpy)
    racer = base.OPTIMIZERS[name]()
    (direction,) = (made for made in in_numpy.values() if inspect.isgeneratorfunction(made))
    moves, state, gradients = direction(vars(racer)), racer.init(jnp.zeros(2)), rng.normal(size=(9, 2))
    for gradient in jnp.float32(gradients):
        next(moves)
        move, state = racer.update(gradient, state, jnp.zeros(2))
        np.testing.assert_allclose(move, -racer.learning_rate * moves.send(np.asarray(gradient)), rtol=1e-6)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_file_that_is_named_is_there(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:engine|ui|tests|benchmarks|pages)/[\w/.-]*)`", text)) | set(
        re.findall(r"(?<=[a-z])\]\((?!http)([\w/.-]+)\)", text)
    )
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
