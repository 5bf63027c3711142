"""The generated text: the same every time, self-contained, and equal in meaning to the pattern."""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from patternc import Pattern
from tests.compiled import module_of_pattern
from tests.emit.patterns import CASES, SIZES, inputs_of, module_of, pattern_of, source_of


@pytest.mark.parametrize("name", CASES)
def test_the_mask_is_that_of_the_pattern(name: str) -> None:
    pattern, module = pattern_of(name), module_of(name)
    for n, queries in SIZES:
        inputs = inputs_of(name, n, pattern.heads or 1)
        for layer in range(pattern.layers or 1):
            found = module.multiplicity(n, layer=layer, queries=queries, **inputs)
            for batch, counts in enumerate(found if found.dim() == 4 else found[None]):
                one = {
                    item.name: of_batch(inputs[item.name], item.role, batch)
                    for item in pattern.inputs
                    if item.name in inputs
                }
                wanted = pattern.multiplicity(n, queries, layer, **one)
                assert wanted.size == counts.numel()
                same = np.array_equal(counts.numpy(), wanted.reshape(counts.shape))
                assert same, (n, queries, layer, batch)


def of_batch(value: torch.Tensor, role: str, batch: int) -> np.ndarray:
    if role == "integers" and value.dim() == 3:
        # With its batch: [heads, n] could be [batch, n].
        return value[batch : batch + 1].numpy()
    has_batch = value.dim() == {"listed": 4}.get(role, 2)
    return (value[batch] if has_batch else value).numpy()


@pytest.mark.parametrize("name", CASES)
def test_the_text_is_the_same_every_time_and_fits_the_line(name: str) -> None:
    text = source_of(name)
    assert text == source_of.__wrapped__(name)
    assert max(map(len, text.splitlines())) <= 100
    assert not re.search(r"[ \t]$", text, re.MULTILINE)
    ast.parse(text)


def test_the_digest_is_that_of_the_text_without_it() -> None:
    text = source_of("mix")
    (digest,) = re.findall(r"^digest +([0-9a-f]{64})$", text, re.MULTILINE)
    zeros = text.replace(digest, "0" * 64).replace(digest[:12], "0" * 12)
    assert hashlib.sha256(zeros.encode()).hexdigest() == digest


def test_nothing_that_the_pattern_does_not_need_is_in_the_text() -> None:
    assert "_Random" not in source_of("causal")
    assert "_Product" not in source_of("band and tokens")
    assert "_same_label" not in source_of("draws")


def test_layers_that_differ_in_draws_only_share_one_group() -> None:
    module = module_of("draws")
    assert module._GROUP_OF_LAYER == (0, 0)
    first, second = (module.mask(131, layer=layer) for layer in (0, 1))
    assert not torch.equal(first, second)


def test_quotes_and_backslashes_of_a_pattern_survive_the_docstring() -> None:
    text = '# say """hello""" to C:\\new\nfull'
    pattern = Pattern.parse(text)
    module = module_of_pattern(pattern)
    assert '# say """hello""" to C:\\new' in (module.__doc__ or "")


def test_without_triton_everything_but_the_kernels_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "triton", None)
    # A text of its own: operators are shared by all files of one digest.
    module = module_of_pattern(Pattern.parse(f"# no triton\n{CASES['documents'].text}"))
    q = torch.randn(1, 2, 20, 8)
    inputs = inputs_of("documents", 20, 2)
    out = module.attention(q, q, q, **inputs)
    torch.testing.assert_close(out, module.reference(q, q, q, **inputs))
    with pytest.raises(RuntimeError, match="triton is not installed"):
        module.attention(q, q, q, backend="triton", **inputs)


def test_one_text_gives_one_module_and_its_file_holds_the_text() -> None:
    module = module_of("causal")
    assert module is module_of("causal")
    assert Path(str(module.__file__)).read_text(encoding="utf-8") == source_of("causal")


def self_testing(name: str) -> str:
    return Pattern.parse(CASES[name].text).compile(backends=("all",), self_test=True)


def test_a_generated_file_tests_itself(tmp_path: Path) -> None:
    path = tmp_path / "kernel.py"
    path.write_text(self_testing("draws beside a set"), encoding="utf-8")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("OK\n")
    assert "triton float32" in done.stdout


def test_a_wrong_file_fails_its_own_test(tmp_path: Path) -> None:
    path = tmp_path / "kernel.py"
    text = self_testing("causal").replace(
        "def _partial_0(a, n):", "def _partial_0(a, n):\n    return []"
    )
    path.write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.endswith("FAILED\n")
