#!/usr/bin/env bash
# torch 2.13.0 (CPU, gloo, 2 processes): `context_parallel` does not reach a model that imported scaled_dot_product_attention by name.
#
# Expected: within `context_parallel` attention over a sharded sequence is exact, or an error.
# Seen: the context replaces the attribute torch.nn.functional.scaled_dot_product_attention. Through the attribute, full attention is exact
# and causal attention raises on the CPU (no sharding strategy for the operator). A module that did
# `from torch.nn.functional import scaled_dot_product_attention` keeps the function itself: each process attends within its own shard,
# the same to the last bit, nothing is sent, and no error or warning tells.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$folder/run.py" <<'PYTHON'
import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor.experimental import context_parallel
from torch.nn import functional
from torch.nn.functional import scaled_dot_product_attention

N, WORLD = 512, 2
torch.set_num_threads(1)
dist.init_process_group("gloo")
mesh = init_device_mesh("cpu", (WORLD,))
torch.manual_seed(0)
tensors = torch.randn(3, 1, 4, N, 32).unbind()


@torch.no_grad()
def error_of(attend, **options):
    """Greatest differences of a process's rows from attention over all keys and over the keys of its shard."""
    own = [x.clone() for x in tensors]
    with context_parallel(mesh, buffers=own, buffer_seq_dims=[2, 2, 2]):
        q, k, v = (x.clone() for x in own)
        out = attend()(*own, **options)
    exact, within = (scaled_dot_product_attention(q, *keys) for keys in (tensors[1:], (k, v)))
    return (out - exact).abs().max().item(), (out - within).abs().max().item()


by_name = error_of(lambda: scaled_dot_product_attention)
by_attribute = error_of(lambda: functional.scaled_dot_product_attention)
try:
    error_of(lambda: functional.scaled_dot_product_attention, is_causal=True)
    raised = ""
except NotImplementedError as error:
    raised = str(error)
print(f"torch {torch.__version__}, process {dist.get_rank()}, from all keys and from the shard's: by name {by_name[0]:.1g} and {by_name[1]:.1g},"
      f" by attribute {by_attribute[0]:.1g} and {by_attribute[1]:.1g}; causal by attribute: {raised}\n", end="", flush=True)
assert by_name[0] > 0.2 and by_name[1] == 0
assert by_attribute[0] < 1e-5 and by_attribute[1] > 0.2
assert "does not have a sharding strategy" in raised
dist.destroy_process_group()
PYTHON
"$folder/venv/bin/torchrun" --nproc-per-node=2 --master-addr=127.0.0.1 --master-port=29517 "$folder/run.py"
