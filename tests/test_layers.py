"""Imports point one way: streamlit_app.py and pages/ know ui/, ui/ knows engine/, and the engine knows only arrays."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "streamlit_app.py", *sorted(ROOT.glob("pages/*.py"))]
UI = sorted(ROOT.glob("ui/**/*.py"))
ENGINE = sorted(ROOT.glob("engine/**/*.py"))


def each(files):
    return [pytest.param(file, id=str(file.relative_to(ROOT))) for file in files]


def tree(file):
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imported(file):
    """The top-level names a file imports, anywhere in it; a relative import counts as its own package."""
    names = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0] if node.level == 0 else file.relative_to(ROOT).parts[0])
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module":
            names |= {part.value.split(".")[0] for part in node.args if isinstance(part, ast.Constant)}
    return names


def test_there_is_something_to_look_at():
    assert len(PAGES) > 1
    assert UI
    assert {"optimizers.py", "landscapes.py", "race.py"} <= {file.name for file in ENGINE}


@pytest.mark.parametrize("file", each(ENGINE))
def test_the_engine_knows_nothing_of_the_screen(file):
    assert not imported(file) & {"streamlit", "plotly", "pandas", "ui", "pages", "streamlit_app"}


@pytest.mark.parametrize("file", each(UI))
def test_what_the_pages_share_never_imports_a_page(file):
    assert not imported(file) & {"pages", "streamlit_app"}


@pytest.mark.parametrize("file", each(PAGES))
def test_a_page_imports_no_other_page(file):
    assert not imported(file) & {"pages", "streamlit_app"}


@pytest.mark.parametrize("file", each(PAGES))
def test_a_page_holds_no_mathematics(file):
    """A page is run again on every click: a loss made there would be compiled anew each time."""
    assert not imported(file) & {"jax", "jaxlib"}
    nodes = list(ast.walk(tree(file)))
    assert not [node.lineno for node in nodes if isinstance(node, ast.Lambda)], "a lambda on these lines"
    names = {getattr(node, "id", getattr(node, "attr", "")) for node in nodes}
    assert "partial" not in names
