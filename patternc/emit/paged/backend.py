"""The paged backend: attention of packed queries over a paged cache, a file of its own."""

from __future__ import annotations

import math

from patternc.emit.backend import Request
from patternc.emit.file_backend import FileBackend, file_uses
from patternc.emit.inputs import entries
from patternc.emit.module import described
from patternc.emit.paged.layers import PagedLayer, Served, paged_layers
from patternc.emit.paged.unsupported import reasons
from patternc.emit.tables import numbers
from patternc.emit.text.layout import Call, Items, Leaf, Text, laid_out

# Tokens in a page, as serving engines have it unless told otherwise.
PAGE = 16


def _context(request: Request) -> dict[str, object]:
    printed, layers = paged_layers(request.schedule)
    lines = [line for kernel in printed.kernels for line in kernel.lines]
    chosen = tuple(request.schedule.group_of_layer)
    return {
        "kernel_functions": "\n\n\n".join(printed.functions.texts.values()),
        "kernels": [(name, kernel) for kernel, name in printed.kernels.items()],
        "layers": laid_out(Items(tuple(map(_layer, layers))), "_LAYERS = ", 0),
        "kind_of_layer": laid_out(numbers(chosen), "_KIND_OF_LAYER = ", 0),
        "page": request.schedule.key_tile,
        # What the templates of the triton backend ask: of those only helpers are kept.
        "forward_kernels": (),
        "varying": '_VARYING = "sequences first_part splits scale heads".split()',
        "log2e": math.log2(math.e),
        "ln2": math.log(2),
        "uses": file_uses(
            softcap=any("_tanh" in line for line in lines),
            sinks=any(layer.sinks != () for layer in layers),
            slopes=any(kernel.slopes for kernel in printed.kernels),
        ),
        **described(request, entries(request.inputs, request.schedule)),
    }


def _layer(layer: PagedLayer) -> Text:
    served = Items(tuple(map(_served, layer.served)))
    return Call("_Layer", (served, Leaf(str(layer.places)), _heads(layer.sinks)))


def _served(each: Served) -> Text:
    given = (_heads(each.heads), *(Leaf(str(x)) for x in (each.place, each.added, each.scale)))
    return Call("_Branch", (Leaf(each.kernel), *given))


def _heads(heads: tuple[int, ...] | None) -> Text:
    return Leaf("None") if heads is None else numbers(heads)


BACKEND = FileBackend(
    "paged",
    "paged/paged.py.jinja",
    PAGE,
    f"pages of {PAGE} tokens, unless `tiles` says otherwise",
    reasons,
    _context,
)
