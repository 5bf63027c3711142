"""What an installation holds."""

import re
import tomllib
from pathlib import Path

import patternc
from patternc import resources

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
KINDS = Path(__file__).with_suffix(".txt")
DATA_ROOMS = {"patternc.codegen", "patternc.examples", "patternc.grammar"}


def files_of_the_wheel() -> set[str]:
    """What the wheel holds by pyproject.toml, beside its metadata."""
    found: set[str] = set()
    for package in SETUPTOOLS["packages"]:
        folder = ROOT / SETUPTOOLS["package-dir"].get(package, package.replace(".", "/"))
        patterns = ["*.py", *SETUPTOOLS["package-data"].get(package, [])]
        files = [path for pattern in patterns for path in folder.glob(pattern) if path.is_file()]
        found |= {f"{package.replace('.', '/')}/{path.relative_to(folder)}" for path in files}
    return found


def _kinds() -> str:
    """The folders of the wheel, with the kinds of files in each."""
    kinds: dict[str, set[str]] = {}
    for file in map(Path, files_of_the_wheel()):
        kinds.setdefault(str(file.parent), set()).add(file.suffix or file.name)
    return "".join(f"{folder}: {' '.join(sorted(kinds[folder]))}\n" for folder in sorted(kinds))


def test_the_wheel_holds_these_kinds_of_files():
    """`python -m tests.test_packaging` writes the list; `make package` compares the wheel."""
    assert _kinds() == KINDS.read_text(encoding="utf-8")


def test_every_extra_that_pages_name_exists():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), ROOT / "grammar" / "README.md"]
    named = {
        extra
        for page in pages
        for extra in re.findall(r"patternc\[(\w+)\]", page.read_text(encoding="utf-8"))
    }
    assert "lsp" in named
    assert named <= set(PROJECT["project"]["optional-dependencies"])


def test_every_package_is_installed():
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "patternc").rglob("__init__.py")
    }
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found | DATA_ROOMS


def test_data_rooms_are_found_with_all_that_is_installed_at_their_top():
    for package in DATA_ROOMS:
        folder = resources.room(package.removeprefix("patternc."))
        patterns = PROJECT["tool"]["setuptools"]["package-data"][package]
        installed = {path for pattern in patterns for path in folder.glob(pattern)}
        assert installed
        assert not [path for path in installed if path.is_dir()]


def test_the_package_names_what_it_exports():
    for name in patternc.__all__:
        assert getattr(patternc, name) is not None
    assert not hasattr(patternc, "no_such_name")


def test_the_pinned_versions_are_within_the_ranges_we_ask_for():
    from packaging.requirements import Requirement

    pinned = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    for text in PROJECT["project"]["dependencies"]:
        requirement = Requirement(text)
        (version,) = (v for name, v in pinned.items() if name.lower() == requirement.name)
        assert requirement.specifier.contains(version), text


if __name__ == "__main__":
    KINDS.write_text(_kinds(), encoding="utf-8")
