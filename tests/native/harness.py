"""The C text compiled with sanitizers, and driven through pipes."""

from __future__ import annotations

import os
import struct
import subprocess
from ctypes import Structure
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import numpy as np

from tests.native.rectangles import TABLES, TENSORS, Array, Placed, Problem

HARNESS = Path(__file__).with_name("harness.c")
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1",
}


def build(module: ModuleType, folder: Path, sanitizers: str, *flags: str) -> Path:
    """The harness with the C text of a module. Parts of a thread's memory lie apart."""
    text = module._SOURCE
    for line, other in [
        (
            "  *memory += count;\n  return *memory - count;\n",
            "  return guarded_part(memory, count);\n",
        ),
        ("(count * 4 + 63)", "((count + 32 * GAP) * 4 + 63)"),
    ]:
        assert text.count(line) == 1
        text = text.replace(line, other)
    (folder / "text.c").write_text(text)
    found = folder / "harness"
    kept = [flag for flag in module._FLAGS.split() if flag not in ("-O3", "-shared", "-fPIC")]
    checked = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all", "-g", "-O1", "-Wall"]
    command = ["cc", *kept, *checked, *flags, f"-I{folder}", str(HARNESS), "-o", str(found), "-lm"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return found


class Harness:
    """A running harness. What a sanitizer says is an error."""

    def __init__(self, program: Path, structure: type[Structure]) -> None:
        self.structure = structure
        pipes: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self.process = subprocess.Popen([program], env={**os.environ, **OPTIONS}, **pipes)

    def __enter__(self) -> Harness:
        return self

    def __exit__(self, kind: object, error: object, trace: TracebackType | None) -> None:
        told = self.process.communicate()[1].decode(errors="replace")
        assert kind is not None or (self.process.returncode, told) == (0, "")

    def run(self, problem: Problem) -> dict[str, Array]:
        assert self.process.stdin
        assert self.process.stdout
        arrays = {name: problem.placed(name) for name in (*TENSORS, *TABLES)}
        described = bytes(problem.structure(self.structure))
        parts = [struct.pack("qqq", problem.backward, problem.threads, len(described)), described]
        parts += [_packed(array) for array in arrays.values()]
        try:
            self.process.stdin.write(b"".join(parts))
            self.process.stdin.flush()
            found = {
                name: self._received(problem, name, arrays[name]) for name in problem.changed()
            }
        except (BrokenPipeError, EOFError) as error:
            raise AssertionError(self._last_words()) from error
        return found

    def _received(self, problem: Problem, name: str, array: Placed | None) -> Array:
        assert self.process.stdout
        assert array is not None
        chunks = {}
        for at, content in array.chunks:
            found = self.process.stdout.read(len(content))
            if len(found) < len(content):
                raise EOFError(name)
            chunks[at] = np.frombuffer(found, np.float32)
        value, (unit, position) = problem.values[name], problem.strides[name]
        lines = np.zeros(value.shape)
        for u, p in np.ndindex(*value.shape[:2]):
            at = u * unit + p * position
            line = chunks[at * 4] if len(chunks) > 1 else chunks[0][at : at + value.shape[2]]
            lines[u, p] = line
        return lines

    def _last_words(self) -> str:
        assert self.process.stdin
        assert self.process.stderr
        self.process.wait(20)
        return f"exit {self.process.returncode}: {self.process.stderr.read().decode()}"


def _packed(array: Placed | None) -> bytes:
    if array is None:
        return struct.pack("q", -1)
    head = struct.pack("qqq", array.size, array.offset, len(array.chunks))
    lines = [struct.pack("qq", at, len(content)) + content for at, content in array.chunks]
    return head + b"".join(lines)
