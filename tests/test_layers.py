"""Imports point one way: from the pages down to what draws, to what a page can be set to, and to the engine."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "streamlit_app.py", *sorted(ROOT.glob("pages/*.py"))]
UI = sorted(ROOT.glob("ui/**/*.py"))
ENGINE = sorted(ROOT.glob("engine/**/*.py"))


# each may import what stands to its right, and itself
FLOORS = ("page", "draw", "ask", "setup", "admission", "memo", "numbers")
TOP = ("frame", "process", "warm_up")  # around every page; of these a page knows none


# what the methods of their subclasses are for, they say
BASES = {"Optimizer", "MadeOptimizer", "Schedule", "Transformer", "Kind", "Text", "Question"}

# what is offered beside every page's picture: only a page's page.py imports it, and it may import what pages compute
BESIDE = ("head", "take_home", "stories", "teach", "class_room")


def floor(module):
    """Where a part of ui/ stands: ``ui.draw.stage.stage`` in ``draw``, ``ui.race.run`` in ``page``."""
    part = module.split(".")[1]
    return part if part in (*FLOORS, *TOP) else "page"


def imported_from_ui(file):
    """The modules of ui/ that a file imports, anywhere in it."""
    return {
        node.module if node.module != "ui" else f"ui.{alias.name}"
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "ui"
        for alias in node.names
    }


def each(files):
    return [pytest.param(file, id=str(file.relative_to(ROOT))) for file in files]


def named(*nodes):
    """Every name in these parts of a file."""
    return {part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name)}


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
    assert {"optimizers", "landscapes.py", "race.py"} <= {file.relative_to(ROOT).parts[1] for file in ENGINE}


@pytest.mark.parametrize("file", each(ENGINE))
def test_the_engine_knows_nothing_of_the_screen(file):
    assert not imported(file) & {"streamlit", "plotly", "pandas", "ui", "pages", "streamlit_app"}


@pytest.mark.parametrize("file", each(UI))
def test_what_the_pages_share_never_imports_a_page(file):
    assert not imported(file) & {"pages", "streamlit_app"}


PARTS = [file for file in UI if file.parent.name not in ("ui", "pictures")] + [
    ROOT / "ui/admission.py",
    ROOT / "ui/memo.py",
    ROOT / "ui/numbers.py",
]


@pytest.mark.parametrize("file", each(PARTS))
def test_what_is_drawn_and_set_up_knows_no_page_and_no_page_knows_another(file):
    parts = file.relative_to(ROOT).with_suffix("").parts
    here = floor(".".join(parts))
    below = FLOORS[FLOORS.index(here) + 1 :]
    for module in imported_from_ui(file):
        if module.split(".")[1] in BESIDE and parts[1] not in BESIDE:
            assert parts[-1] == "page", f"{module} is for a page's own page.py"
        elif parts[1] in BESIDE and floor(module) == "page":
            assert not module.endswith(".page"), f"{module} imports what stands beside it"
        elif here == "page" and floor(module) == "page":
            assert module.split(".")[1] == parts[1], f"{module} belongs to another page"
        else:
            assert floor(module) in (here, *below), f"{module} does not stand below"


@pytest.mark.parametrize("file", each(PAGES[1:]))
def test_a_page_in_the_navigation_is_one_call(file):
    """The frame first, to be read while the page's own module is imported."""
    _, frame, page = tree(file).body
    assert frame.module == "ui.frame"
    (show, call) = page.body
    assert [alias.name for alias in show.names] == [call.value.func.id] == ["show"]


@pytest.mark.parametrize("file", each([*UI, *ENGINE]))
def test_a_file_is_short_enough_to_be_read(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("file", each([*UI, *ENGINE]))
def test_what_a_module_offers_says_what_it_does(file):
    """What the methods of an optimizer, the tree's builder, a setting or a question are for, their base class says."""
    nodes = [node for node in tree(file).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    for node in [*nodes]:
        if isinstance(node, ast.ClassDef) and not BASES & named(*node.bases):
            nodes += [method for method in node.body if isinstance(method, ast.FunctionDef)]
    public = [node for node in nodes if not node.name.startswith("_")]
    assert not [f"{node.name}, line {node.lineno}" for node in public if not ast.get_docstring(node)]


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
