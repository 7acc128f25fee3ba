"""The first start of a server, and the address in a real browser."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ui.presets import opening

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path):
    """The project's own files and nothing that an app makes when it is started."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a clone: what belongs to the project cannot be told from what the app has made")
    place = tmp_path / "clone"
    for name in listed.stdout.decode().splitlines():
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
    return place


def environment(home: Path) -> dict[str, str]:
    return {**{k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}, "HOME": str(home)}


def warnings(log: Path) -> list[str]:
    """What the log warns of, but for the machine having no address that is seen from outside."""
    lines = log.read_text().splitlines()
    return [line for line in lines if any(w in line.lower() for w in ("warn", "error", "cannot", "traceback"))]


def opened(visitor, server):
    visitor.page.set_default_timeout(120_000)  # a page of a new server, with nothing compiled yet
    return visitor.open(opening("Gradients"), server=server)


def test_the_first_start_of_a_clone_warns_of_nothing(window, serving, clone, tmp_path):
    with serving(tmp_path / "log.txt", cwd=clone, env=environment(tmp_path)) as first:
        opened(window(), first)
    assert warnings(tmp_path / "log.txt") == []
    assert list((clone / "static").glob("plotly-*.js"))


# root may write everywhere, unless it lays that down
UNPRIVILEGED = ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"] if os.getuid() == 0 else []


def test_an_app_folder_that_cannot_be_written_to_is_said_once_and_every_figure_is_drawn(
    window, serving, clone, tmp_path
):
    if UNPRIVILEGED and not shutil.which(UNPRIVILEGED[0]):
        pytest.skip("run by root, who may write everywhere, and without setpriv")
    log = tmp_path / "log.txt"
    folders = [clone, *(path for path in clone.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    with serving(log, cwd=clone, env=environment(tmp_path), through=UNPRIVILEGED) as locked:
        for _ in range(2):
            opened(window(), locked)
    for folder in folders:
        folder.chmod(0o755)  # to be cleared away
    said = [line for line in warnings(log) if "cannot be written to" in line]
    assert [line.split(" cannot")[0].rpartition("/")[2] for line in said] == ["static", ".jax_cache"]
    assert warnings(log) == said
    assert [path.name for path in (clone / "static").iterdir()] == ["README"]
