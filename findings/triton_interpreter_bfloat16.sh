#!/usr/bin/env bash
# triton 3.9.0 with torch 2.13.0 (CPU), TRITON_INTERPRET=1: bfloat16 tiles are computed on as 16-bit integers.
#
# Expected: `x + x` on a bfloat16 tile equals torch's, and `.to(tl.bfloat16)` rounds to nearest even as a GPU does.
# Seen: the sum of 1.0 and 1.0 is 1.7e+38 (the bit patterns 0x3f80 are added), 1.0 * 1.0 is 2.0, and the conversion from
# float32 truncates (1.0078125 from 1.0146484, where the nearest is 1.015625). Only `.to(tl.float32)` of a loaded tile is right.
# No warning is given; float16 is right in the same kernel. Convert tiles to float32 directly after the load when interpreted,
# and round in torch after the kernel.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 triton==3.9.0 numpy==2.4.6
cat > "$folder/kernel.py" <<'PYTHON'
import torch
import triton
import triton.language as tl


@triton.jit
def arithmetic(x_pointer, out_pointer, wide_pointer, SIZE: tl.constexpr):
    index = tl.arange(0, SIZE)
    x = tl.load(x_pointer + index)
    tl.store(out_pointer + index, x + x)
    tl.store(out_pointer + SIZE + index, x * x)
    tl.store(wide_pointer + index, x.to(tl.float32))


@triton.jit
def convert(x_pointer, out_pointer, SIZE: tl.constexpr):
    index = tl.arange(0, SIZE)
    tl.store(out_pointer + index, tl.load(x_pointer + index).to(tl.bfloat16))


def run(dtype):
    x = torch.ones(4, dtype=dtype)
    out, wide = torch.zeros(8, dtype=dtype), torch.zeros(4)
    arithmetic[(1,)](x, out, wide, 4)
    return out[0].item(), out[4].item(), wide[0].item()


print(triton.__version__, torch.__version__)
half, brain = run(torch.float16), run(torch.bfloat16)
print("float16: 1 + 1, 1 * 1, conversion to float32:", half)
print("bfloat16: 1 + 1, 1 * 1, conversion to float32:", brain)
assert half == (2.0, 1.0, 1.0)
assert brain[0] > 1e38 and brain[1] == 2.0 and brain[2] == 1.0
single = torch.full((4,), 1.0146484)
rounded = torch.zeros(4, dtype=torch.bfloat16)
convert[(1,)](single, rounded, 4)
print("float32 to bfloat16:", rounded[0].item(), "torch:", single.bfloat16()[0].item())
assert rounded[0].item() == 1.0078125 and single.bfloat16()[0].item() == 1.015625
PYTHON
TRITON_INTERPRET=1 "$folder/venv/bin/python" "$folder/kernel.py"
