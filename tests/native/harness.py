"""The C text compiled with sanitizers, and driven through pipes."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import numpy as np

from tests.native.rectangles import TABLES, Array, Placed, Problem, decoded

HARNESS = Path(__file__).with_name("harness.c")
PARTS, RESULTS = ["q", "k", "v", "d_q", "d_k", "d_v"], ["out", "lse", "d_out", "d_lse"]
DTYPES = (np.float32, np.uint16, np.float16)
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
        ("(count * sizeof(real) + 63)", "((count + 32 * GAP) * sizeof(real) + 63)"),
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

    def __init__(self, program: Path, module: ModuleType) -> None:
        self.module = module
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
        structures, arrays = _described(problem, self.module)
        parts = [struct.pack("qq", problem.backward, problem.threads)]
        parts += [struct.pack("q", len(content)) + content for content in structures]
        parts += [_packed(array) for array in arrays]
        try:
            self.process.stdin.write(b"".join(parts))
            self.process.stdin.flush()
            found = {name: self._received(problem, name) for name in problem.changed()}
        except (BrokenPipeError, EOFError) as error:
            raise AssertionError(self._last_words()) from error
        return found

    def _received(self, problem: Problem, name: str) -> Array:
        assert self.process.stdout
        array, kind = problem.placed(name), problem.kind_of(name)
        assert array is not None
        chunks = {}
        for at, content in array.chunks:
            found = self.process.stdout.read(len(content))
            if len(found) < len(content):
                raise EOFError(name)
            chunks[at] = decoded(np.frombuffer(found, DTYPES[kind]), kind)
        value, (unit, position) = problem.values[name], problem.strides[name]
        lines = np.zeros(value.shape)
        for u, p in np.ndindex(*value.shape[:2]):
            at = u * unit + p * position
            line = (
                chunks[at * array.item] if len(chunks) > 1 else chunks[0][at : at + value.shape[2]]
            )
            lines[u, p] = line
        return lines

    def _last_words(self) -> str:
        assert self.process.stdin
        assert self.process.stderr
        self.process.wait(20)
        return f"exit {self.process.returncode}: {self.process.stderr.read().decode()}"


def _described(problem: Problem, module: ModuleType) -> tuple[list[bytes], list[Placed | None]]:
    """Structures, and arrays in the order in which the harness takes them."""
    told, parts = problem.described, problem.tensors(PARTS)
    passes = [
        module._PassArguments(**parts, dim=told["dim"], scale=piece.scale, added=piece.added)
        for piece in problem.pieces
    ]
    share = module._ShareArguments(
        **problem.tensors(RESULTS),
        kind=problem.kind,
        out_kind=problem.kind,
        value_dim=told["value_dim"],
        units=told["units"],
        rows=problem.rows,
        pass_count=len(passes),
        piece_count=len(passes),
    )
    pieces = [
        piece.structure(module._PieceArguments, number)
        for number, piece in enumerate(problem.pieces)
    ]
    structures = [bytes(share), b"".join(map(bytes, passes)), b"".join(map(bytes, pieces))]
    arrays = [problem.placed(name) for name in (*PARTS[:3], *RESULTS, *PARTS[3:])]
    tables = [piece.placed(name) for piece in problem.pieces for name in TABLES]
    return structures, [*arrays, *tables]


def _packed(array: Placed | None) -> bytes:
    if array is None:
        return struct.pack("q", -1)
    head = struct.pack("qqq", array.size, array.offset, len(array.chunks))
    lines = [struct.pack("qq", at, len(content)) + content for at, content in array.chunks]
    return head + b"".join(lines)
