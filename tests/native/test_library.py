"""The cache of the compiled C library: private, verified, locked; all that fails is one line."""

from __future__ import annotations

import ctypes
import fcntl
import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest

from patternc import Pattern
from tests.native.bench import Bench, runs

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")


CALL = """
import importlib.util, sys, torch
spec = importlib.util.spec_from_file_location("generated", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["generated"] = module
spec.loader.exec_module(module)
q, k, v = torch.randn(3, 1, 2, 200, 8).unbind(0)
torch.testing.assert_close(module.attention(q, k, v), module.reference(q, k, v))
"""


def test_a_first_call_says_that_it_compiles_and_files_share_what_it_made(quick: Bench) -> None:
    for text, count in [("local(9)", 1), ("local(7) + global([0])", 0)]:
        path = quick.folder / "generated.py"
        path.write_text(Pattern.parse(text).compile(backends=("cpu",), native=True))
        command, environment = (
            [sys.executable, "-c", CALL, str(path)],
            os.environ | quick.environment,
        )
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=300, check=True
        )
        lines = done.stderr.splitlines()
        assert ["compiling C" in line for line in lines] == [True] * count
    assert runs(quick) == 1


def test_the_folder_is_private_and_contains_a_library_and_a_lock(
    quick: Bench, module: ModuleType
) -> None:
    done, lines = quick.call(module, lambda: os.umask(0))
    assert (done, len(lines)) == ("compiled", 1)
    assert quick.call(module) == ("compiled", [])
    assert stat.S_IMODE(quick.native.stat().st_mode) == 0o700
    names = sorted(path.name for path in quick.native.iterdir())
    assert names == [quick.libraries()[0].name, "lock"]


def test_the_lines_can_be_silenced(quick: Bench, module: ModuleType) -> None:
    def silence() -> None:
        logging.getLogger("patternc").setLevel(logging.ERROR)

    assert quick.call(module, silence) == ("compiled", [])
    assert quick.call(module, silence, PATTERNC_CC="false") == ("torch", [])


def change_a_byte(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def replace_by_a_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nonexistent")


def replace_by_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGES: list[Callable[[Path], None]] = [
    lambda path: os.truncate(path, 5000),
    lambda path: os.truncate(path, 0),
    change_a_byte,
    replace_by_a_link,
    replace_by_a_directory,
    replace_by_a_pipe,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_library_is_compiled_again_once(
    damage: Callable[[Path], None], quick: Bench, module: ModuleType
) -> None:
    quick.call(module)
    damage(quick.libraries()[0])
    assert quick.call(module)[0] == "compiled"
    assert quick.call(module) == ("compiled", [])
    assert runs(quick) == 2
    assert len(quick.libraries()) == 1


def writable(native: Path) -> None:
    native.chmod(0o770)


def linked(native: Path) -> None:
    native.rename(native.with_name("other"))
    native.symlink_to("other")


def of_another_user(native: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives folders away")
    os.chown(native, 12345, -1)


def a_file(native: Path) -> None:
    shutil.rmtree(native)
    native.write_text("")


@pytest.mark.parametrize("change", [writable, linked, of_another_user, a_file])
def test_a_folder_that_others_may_write_to_is_not_used(
    change: Callable[[Path], None], quick: Bench, module: ModuleType
) -> None:
    quick.call(module)
    change(quick.native)
    done, lines = quick.call(module)
    assert (done, len(lines)) == ("torch", 1)
    assert str(quick.native) in lines[0]


def test_the_command_line_of_a_compiler_has_options_and_quotes(
    quick: Bench, module: ModuleType
) -> None:
    text = f'[ "$1" = "-DA=a b" ] && shift && exec {quick.environment["PATTERNC_CC"]} "$@"'
    path = quick.compiler(text, "a compiler")
    assert quick.call(module, PATTERNC_CC=f"'{path}' '-DA=a b'")[0] == "compiled"


@pytest.mark.parametrize("none", ["", "  "])
def test_no_compiler_is_silent(none: str, bench: Bench, module: ModuleType) -> None:
    assert bench.call(module, PATTERNC_CC=none) == ("torch", [])
    assert not bench.native.exists()


@pytest.mark.parametrize("command", ["false", "true", "/none/cc", "'", "cc -x", "cc -m31", "cp"])
def test_a_compiler_that_makes_no_library_is_one_line(
    command: str, bench: Bench, module: ModuleType
) -> None:
    done, lines = bench.call(module, PATTERNC_CC=command)
    assert done == "torch"
    assert ["runs without C" in line for line in lines] in ([True], [False, True])
    assert not [*bench.native.glob("work*"), *bench.native.glob("*.so")]


@pytest.mark.parametrize("content", [b"", b"no library"])
def test_what_is_no_library_is_one_line(content: bytes, quick: Bench, module: ModuleType) -> None:
    (quick.folder / "made.so").write_bytes(content)
    done, lines = quick.call(module)
    assert (done, len(lines)) == ("torch", 2)


NOWHERE = [
    {"PATTERNC_CACHE_DIR": "/proc/none"},
    {"PATTERNC_CACHE_DIR": "/dev/null"},
    {"PATTERNC_CACHE_DIR": "", "XDG_CACHE_HOME": "/dev/full/x"},
    {"PATTERNC_CACHE_DIR": "", "XDG_CACHE_HOME": "", "HOME": "relative"},
    {"PATTERNC_CACHE_DIR": "", "XDG_CACHE_HOME": "", "HOME": "/proc"},
]


@pytest.mark.parametrize("given", NOWHERE)
def test_without_a_cache_directory_torch_does_it_in_one_line(
    given: dict[str, str], quick: Bench, module: ModuleType
) -> None:
    done, lines = quick.call(module, **given)
    assert (done, len(lines)) == ("torch", 1)
    assert "runs without C" in lines[0]


def test_a_folder_that_forbids_execution_is_named_and_torch_does_it(
    quick: Bench, module: ModuleType
) -> None:
    def mounted_noexec() -> None:
        """What the loader says of a library on a file system mounted noexec."""
        opened = ctypes.CDLL

        def refused(path: str, *rest: object) -> ctypes.CDLL:
            if str(path).startswith(str(quick.native)):
                raise OSError(f"{path}: failed to map segment from shared object")
            return opened(path, *rest)

        ctypes.CDLL = refused

    done, lines = quick.call(module, mounted_noexec)
    assert (done, len(lines)) == ("torch", 2)
    assert "compiling C" in lines[0]
    done, lines = quick.call(module, mounted_noexec)
    assert (done, len(lines), runs(quick)) == ("torch", 1, 1)
    assert str(quick.native) in lines[0]
    assert "failed to map segment" in lines[0]
    assert "PATTERNC_CACHE_DIR" in lines[0]
    assert quick.call(module) == ("compiled", [])


def test_the_cache_is_the_users_unless_another_is_named(quick: Bench, module: ModuleType) -> None:
    home, xdg = str(quick.folder / "home"), str(quick.folder / "xdg")
    quick.call(module, PATTERNC_CACHE_DIR="", XDG_CACHE_HOME=xdg, HOME=home)
    quick.call(module, PATTERNC_CACHE_DIR="", XDG_CACHE_HOME="", HOME=home)
    for folder in ("xdg/patternc", "home/.cache/patternc"):
        assert len(list((quick.folder / folder / "native").glob("*.so"))) == 1


def test_processes_and_threads_that_begin_together_compile_once(
    quick: Bench, module: ModuleType
) -> None:
    def together() -> None:
        some = [Thread(target=module._library) for _ in range(4)]
        for one in some:
            one.start()
        for one in some:
            one.join()

    slow = quick.compiler(f'sleep 0.5; exec {quick.environment["PATTERNC_CC"]} "$@"', "slow")
    started = [quick.start(module, together, PATTERNC_CC=slow) for _ in range(3)]
    assert [one.end()[0] for one in started] == ["compiled"] * 3
    assert runs(quick) == 1


def started_compiler(bench: Bench) -> int:
    """The number of the process that an endless compiler has started."""
    path, deadline = bench.folder / "pid", time.monotonic() + 60
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return int(path.read_text())


def endless(bench: Bench) -> str:
    """A compiler that does not end the first time."""
    fine, folder = bench.environment["PATTERNC_CC"], bench.folder
    text = f'[ -e {folder}/pid ] && exec {fine} "$@"\nsleep 1000 & echo $! > {folder}/pid; wait'
    return bench.compiler(text, "endless")


def test_a_killed_process_leaves_no_lock_and_its_files_are_removed(
    quick: Bench, module: ModuleType
) -> None:
    command = endless(quick)
    killed = quick.start(module, PATTERNC_CC=command)
    child = started_compiler(quick)
    os.kill(killed.number, signal.SIGKILL)
    os.waitpid(killed.number, 0)
    os.close(killed.reader)
    assert list(quick.native.glob("work*"))
    assert quick.call(module, PATTERNC_CC=command)[0] == "compiled"
    assert not list(quick.native.glob("work*"))
    os.kill(child, signal.SIGKILL)


def is_gone(number: int) -> bool:
    for _ in range(200):
        try:
            state = Path(f"/proc/{number}/stat").read_text().split()[2]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_compiler_past_its_time_is_killed_with_all_that_it_started(
    quick: Bench, module: ModuleType
) -> None:
    def limit() -> None:
        module._LIMIT = 1

    done, lines = quick.call(module, limit, PATTERNC_CC=endless(quick))
    assert (done, len(lines)) == ("torch", 2)
    assert "did not finish in 1 seconds" in lines[1]
    assert not list(quick.native.glob("work*"))
    assert is_gone(started_compiler(quick))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_an_interrupt_ends_the_compiler_too(quick: Bench, module: ModuleType) -> None:
    def interrupted() -> None:
        with pytest.raises(KeyboardInterrupt):
            module._library()

    signal.signal(signal.SIGINT, signal.default_int_handler)
    waiting = quick.start(module, interrupted, PATTERNC_CC=endless(quick))
    child = started_compiler(quick)
    time.sleep(0.2)
    os.kill(waiting.number, signal.SIGINT)
    assert waiting.end()[0] == "compiled"  # by the call after it
    assert is_gone(child)


def test_a_lock_that_is_never_released_ends_in_one_line(quick: Bench, module: ModuleType) -> None:
    def limit() -> None:
        module._LIMIT = 0.1

    quick.native.mkdir(0o700, parents=True)
    with (quick.native / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done, lines = quick.call(module, limit)
    assert (done, len(lines)) == ("torch", 2)


def test_a_child_of_a_process_with_the_library_has_it(quick: Bench, module: ModuleType) -> None:
    def fork() -> None:
        assert module._library()
        if not (child := os.fork()):
            os._exit(0 if module._library() else 3)
        assert os.waitpid(child, 0)[1] == 0

    assert quick.call(module, fork)[0] == "compiled"
    assert runs(quick) == 1


def test_a_library_is_found_without_writing_to_its_folder(quick: Bench, module: ModuleType) -> None:
    quick.call(module)
    (quick.native / "lock").unlink()
    assert quick.call(module) == ("compiled", [])
    assert not (quick.native / "lock").exists()
