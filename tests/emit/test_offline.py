"""Kernels compiled for a GPU that is not there."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.emit.patterns import CASES

pytest.importorskip("triton")

SCRIPT = """
import json, sys
from dataclasses import asdict
from patternc import Pattern
from patternc.runtime.load import load_module
from patternc.runtime.offline import compile_offline
for text in json.load(sys.stdin):
    module = load_module(Pattern.parse(text).compile())
    print(json.dumps([asdict(binary) for binary in compile_offline(module, "sm_90")]))
"""


def test_kernels_for_sm_90_keep_to_registers_and_use_the_tensor_cores() -> None:
    names = ["band and tokens", "draws", "mix", "documents"]
    # The interpreter, under which the other tests run, compiles nothing.
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps([CASES[name].text for name in names]),
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        for binary in json.loads(line):
            assert binary["spills"] == 0, binary
            assert binary["tensor_core"] == "HGMMA", binary
