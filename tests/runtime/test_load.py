"""Where the code of generated modules is kept, and who may write there."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from patternc.runtime.load import load_module, module_path

_SOURCE = "VALUE = 41\n"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERNC_CACHE_DIR", str(tmp_path))


@pytest.fixture
def fresh_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "modules", dict(sys.modules))


@pytest.mark.usefixtures("fresh_modules")
def test_modules_are_kept_in_a_folder_of_the_user_alone(tmp_path: Path) -> None:
    assert load_module(_SOURCE).VALUE == 41
    assert stat.S_IMODE((tmp_path / "modules").stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules").chmod(mode)
    with pytest.raises(PermissionError, match="set PATTERNC_CACHE_DIR"):
        module_path("any")


@pytest.mark.usefixtures("fresh_modules")
def test_a_file_of_the_same_name_with_other_text_is_written_anew() -> None:
    name = load_module(_SOURCE).__name__
    del sys.modules[name]
    module_path(name).write_text("VALUE = 0\n")
    assert load_module(_SOURCE).VALUE == 41
