"""What an installation holds."""

import tomllib
from pathlib import Path

import patternc
from patternc import resources

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DATA_ROOMS = {"patternc.codegen", "patternc.examples", "patternc.grammar"}


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
