"""FlexAttention's own kernels, compiled for a GPU that is not there.

Dynamo and AOTAutograd trace the call on the CPU; the graphs of both passes then get tensors of a
faked device, and Inductor lowers them by its templates as it would on that GPU. Shapes are static.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
import torch._functorch.config as functorch
import torch.nn.attention.flex_attention as flex
import triton
from torch._dynamo.backends.common import aot_autograd
from torch._functorch.partitioners import min_cut_rematerialization_partition
from torch._inductor.debug import DebugContext
from torch._inductor.decomposition import select_decomp_table
from torch._inductor.graph import GraphLowering
from torch._inductor.virtualized import V
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._pytree import tree_map
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

N, HEADS, SPARSE_BLOCK = 4096, 4, 128
DEVICE = torch.device("cuda", 0)
SHARED_MEMORY, PROCESSORS, REGISTERS = 232448, 132, 65536  # of sm_90 and sm_100
MaskMod = Callable[[Any, Any, Any, Any], Any]


class TracedError(Exception):
    """Both passes are traced; nothing is to be run."""


class FakedDriver:
    """What Inductor and Triton ask of a driver while they write kernels."""

    def __init__(self, major: int) -> None:
        self.target = GPUTarget("cuda", 10 * major, 32)
        self.utils = self

    def get_current_target(self) -> GPUTarget:
        return self.target

    def get_current_device(self) -> int:
        return 0

    def get_device_properties(self, _device: int = 0) -> dict[str, int]:
        names = "max_shared_mem", "multiprocessor_count", "max_num_regs", "warpSize"
        return dict(zip(names, (SHARED_MEMORY, PROCESSORS, REGISTERS, 32), strict=True))


def flex_binaries(mask: MaskMod, major: int, head_dim: int) -> list[tuple[int, Any]]:
    """Warps and binaries of the forward and of the backward kernel, bf16."""
    graphs = traced(mask, head_dim)
    with faked(major):
        texts = [lowered(*graph) for graph in graphs]
    return [compiled(text, major) for text in texts]


def traced(mask: MaskMod, head_dim: int) -> list[tuple[torch.fx.GraphModule, Any]]:
    """The graphs of both passes, on the CPU, which the checks allow no gradients."""
    graphs: list[tuple[torch.fx.GraphModule, Any]] = []

    def keep(graph: torch.fx.GraphModule, inputs: Any) -> Any:
        def run(_arguments: Any) -> None:
            raise TracedError

        graphs.append((graph, inputs))
        run._boxed_call = True  # type: ignore[attr-defined]
        return run

    backend = aot_autograd(
        fw_compiler=keep,
        bw_compiler=keep,
        decompositions=select_decomp_table(),
        partition_fn=min_cut_rematerialization_partition,
    )
    torch._dynamo.reset()
    eager = functorch.patch(force_non_lazy_backward_lowering=True)
    with patch.object(flex, "_validate_device", lambda *_: None), eager:
        try:
            torch.compile(call_of(mask), fullgraph=True, backend=backend)(*drawn(head_dim))
        except TracedError:
            return graphs
    raise RuntimeError("FlexAttention was run, not traced")


def call_of(mask: MaskMod) -> Callable[..., Any]:
    tiles = N // SPARSE_BLOCK
    lists = [torch.zeros(1, 1, tiles, *rest, dtype=torch.int32) for rest in ((), (tiles,))] * 4
    block_mask = flex.BlockMask((N, N), *lists, (SPARSE_BLOCK,) * 2, mask)
    aux = flex.AuxRequest(lse=True)
    return lambda q, k, v: flex.flex_attention(q, k, v, block_mask=block_mask, return_aux=aux)


def drawn(head_dim: int) -> list[torch.Tensor]:
    shape = 1, HEADS, N, head_dim
    return [torch.empty(shape, dtype=torch.bfloat16, requires_grad=True) for _ in range(3)]


@contextmanager
def faked(major: int) -> Iterator[None]:
    """A CUDA device of this capability, for those who ask while kernels are written."""
    found = SimpleNamespace(
        type="cuda", index=0, major=major, minor=0, cc=10 * major, gcnArchName="", warp_size=32,
        multi_processor_count=PROCESSORS, regs_per_multiprocessor=REGISTERS,
        max_threads_per_multi_processor=2048, max_threads_per_block=1024,
        shared_memory_per_block_optin=SHARED_MEMORY, shared_memory_per_block=48 << 10,
        L2_cache_size=50 << 20,
    )  # fmt: skip
    answers = {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "get_device_capability": lambda *_: (major, 0),
        "get_device_properties": lambda *_: found,
        "_get_device_properties": lambda *_: found,
        "_lazy_init": lambda: None,
    }
    scheduler = import_module("torch._inductor.scheduler")
    triton.runtime.driver.set_active(FakedDriver(major))
    with ExitStack() as stack:
        stack.enter_context(patch.object(scheduler, "has_triton", lambda: True))
        for name, answer in answers.items():
            stack.enter_context(patch.object(torch.cuda, name, answer, create=True))
        yield


def lowered(graph: torch.fx.GraphModule, inputs: Any) -> str:
    """The text that Inductor writes for a graph moved to the faked device."""
    mode = FakeTensorMode(allow_non_fake_inputs=True)

    def moved(value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        with mode:
            sizes = value.shape, value.stride()
            return torch.empty_strided(*sizes, dtype=value.dtype, device=DEVICE)

    for node in graph.graph.nodes:
        node.meta.update({"val": tree_map(moved, node.meta.get("val"))})
        if "device" in node.kwargs:
            node.kwargs = {**node.kwargs, "device": DEVICE}
    moved_inputs = [moved(value) for value in inputs]
    lowering = GraphLowering(graph, example_inputs=moved_inputs)
    handlers = V.set_graph_handler(lowering), V.set_fake_mode(mode)
    with handlers[0], handlers[1], V.set_debug_handler(DebugContext()):
        lowering.run(*moved_inputs)
        return str(lowering.codegen()[0].value)


def compiled(text: str, major: int) -> tuple[int, Any]:
    """Warps and binary of the one kernel of FlexAttention in a text of Inductor."""
    found = re.search(r"async_compile\.triton\('(triton_tem\w+)', '{3}(.*?)'{3}", text, re.DOTALL)
    assert found is not None, "Inductor wrote no template"
    name, body = found.groups()
    options = {key: int(value) for key, value in re.findall(r"^(num_\w+)=(\d+),$", body, re.M)}
    kinds = re.search(r"'signature': (\{.*?\})", body)
    assert kinds is not None, "a template of Inductor has no signature"
    signature = dict(re.findall(r"'(\w+)': '([*\w]+)'", kinds[1]))
    aligned = {(place,): [["tt.divisibility", 16]] for place in range(len(signature))}
    with tempfile.TemporaryDirectory() as folder:
        kernel = loaded(Path(folder) / "template.py", body, name)
        source = ASTSource(kernel, signature, {}, aligned)
        target = GPUTarget("cuda", 10 * major, 32)
        return options["num_warps"], triton.compile(source, target=target, options=options)


def loaded(file: Path, body: str, name: str) -> Any:
    """The kernel of a text, without what would launch it."""
    file.write_text(re.sub(r"@triton_heuristics\.template\(.*?\n\)\n", "", body, flags=re.DOTALL))
    spec = spec_from_file_location("template", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)
