"""What may import what, and what may never be in the repository: enforced here, not remembered."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
SERVICES = {"tracking", "race_centre", "manage_centre", "edge_agent", "pages"}
STANDARD = set(sys.stdlib_module_names)

MAY_IMPORT = {
    # The model is read by everything, so it depends on nothing but its own checks; courses and keys have one parser.
    "infra/estate": {"infra.estate", "pydantic", "yaml", "cryptography", "tracking.course"},
    # Renderers are pure functions of the model: no engine, no network.
    "infra/render": {"infra.render", "infra.estate"},
    # What decides in a review is pure: two states in, a judgement out.
    **{
        f"infra/review/{part}.py": {"infra.review", "infra.estate.order"}
        for part in ("compare", "expected", "exposure", "renames", "risk", "rules", "values")
    },
    # Set-up runs before any environment exists.
    "tools": {"tools", "infra.workspace"},
    "infra/workspace.py": set(),
}
SIDE_EFFECTS = {"subprocess", "socket", "urllib", "http", "asyncio", "threading", "random", "time", "shutil"}


def _imports(file: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it, by its full name."""
    for node in ast.walk(ast.parse(file.read_text(), str(file))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute here"
            yield str(node.module)


def _python_files(place: str) -> list[Path]:
    path = CHECKOUT / place
    return [path] if path.suffix == ".py" else [file for file in path.rglob("*.py") if "node_modules" not in file.parts]


def _is_within(module: str, allowed: Iterable[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in allowed)


@pytest.mark.parametrize("place", MAY_IMPORT)
def test_a_room_imports_only_what_its_task_allows(place: str) -> None:
    """A model that imports an engine cannot be read without it, and has two truths soon after."""
    strangers = {
        f"{file.relative_to(CHECKOUT)} imports {module}"
        for file in _python_files(place)
        for module in _imports(file)
        if module.split(".")[0] not in STANDARD and not _is_within(module, MAY_IMPORT[place])
    }
    assert strangers == set()


@pytest.mark.parametrize("place", ["infra/estate", "infra/render"])
def test_the_pure_core_reaches_for_nothing_outside(place: str) -> None:
    """The same model must give the same estate at any time and anywhere."""
    found = {
        f"{file.relative_to(CHECKOUT)} imports {module}"
        for file in _python_files(place)
        for module in _imports(file)
        if module.split(".")[0] in SIDE_EFFECTS
    }
    assert found == set()


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_services_know_nothing_of_the_infrastructure(service: str) -> None:
    """They run on nodes that have neither infra/ nor its engines."""
    found = {
        f"{file.relative_to(CHECKOUT)} imports {module}"
        for file in _python_files(f"services/{service}")
        for module in _imports(file)
        if _is_within(module, ["infra", "tools", "tests", "pulumi", "ansible"])
    }
    assert found == set()


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return [CHECKOUT / name for name in listed.stdout.split("\0") if name and (CHECKOUT / name).is_file()]


def _lines_with(pattern: re.Pattern[str]) -> set[str]:
    found = set()
    for file in _tracked():
        try:
            text = file.read_text()
        except UnicodeDecodeError:
            continue
        found |= {f"{file.relative_to(CHECKOUT)}: {match[0]}" for match in pattern.finditer(text)}
    return found


def test_no_address_of_a_package_index_is_tracked() -> None:
    """A lock that names an index works only where that index is in reach."""
    indexes = "pypi", "pythonhosted", "npmjs", r"golang\.org", r"deb\.debian", "goproxy"
    assert _lines_with(re.compile(rf"https?://[^\s\"']*(?:{'|'.join(indexes)})[^\s\"']*")) == set()


def test_no_path_of_this_machine_is_tracked() -> None:
    """What works only where it was written works for nobody else."""
    places = {CHECKOUT, Path.home() / ".cache", Path.home() / ".local", Path.home() / ".pyenv"}
    on_nodes = {Path("/opt/etape")}
    here = "|".join(re.escape(f"{place}/") for place in places - on_nodes)
    assert _lines_with(re.compile(rf"(?<![\w.$}}-])(?:{here})[\w./-]*")) == set()


def test_nothing_large_or_built_is_tracked() -> None:
    """Binaries and archives make every clone slower for ever; set-up makes them."""
    assert {str(file) for file in _tracked() if file.stat().st_size > 2 * 2**20} == set()
    built = {".pyc", ".so", ".gz", ".xz", ".whl", ".zip", ".parquet"}
    assert {str(file) for file in _tracked() if file.suffix in built} == set()
