"""What the runtime reads of a generated module beside its public names: all of it, in one place.

Functions answer questions about a module or make one of its calls. Beside `kernel_launches` no file
knows the names inside the generated text. Does not decide what is asked.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    Tokens = tuple[Tensor, Tensor | None, Tensor | None]


def autocast(
    module: ModuleType, tokens: Tokens, inputs: dict[str, Any], device: str
) -> tuple[Tokens, dict[str, Any]]:
    """q, k, v and other keys and values in the dtype of autocast."""
    found: tuple[Tokens, dict[str, Any]] = module._autocast(tokens, inputs, device)
    return found


def is_plain(module: ModuleType) -> bool:
    """No inputs, modifiers, sources, several softmaxes, or grids that fix n?"""
    simple = not (module.INPUTS or module._Query._fields)
    return simple and not hasattr(module, "_joined") and not hasattr(module, "_LENGTHS")


def attend_runs(
    module: ModuleType,
    tokens: tuple[Tensor, Tensor, Tensor],
    layer: int,
    scale: float | None,
    placed: list[int],
) -> tuple[Tensor, Tensor]:
    """Output and lse of the CPU's operator for runs of queries.

    `placed` has six numbers for each run: the batch element, its queries from the first to before
    the last, its keys likewise, and the position of the first query (-1: the queries are the last).
    """
    layer, scale = module._checked(*tokens, layer, scale)
    call = module._calls(*tokens, {}, layer, scale)[0]
    found: tuple[Tensor, Tensor] = module._backend("cpu", call)(*call._replace(placed=placed))
    return found


def by_head(module: ModuleType, name: str, value: Any, q: Tensor) -> Any:
    """Run-time integers with both their dimensions, batch and heads; another argument as it is."""
    if module.INPUTS.get(name, ("",))[0] != "integers" or not hasattr(value, "dtype"):
        return value
    return module._by_head(name, value, q.shape[0], q.shape[1])


def finds_lists(module: ModuleType) -> bool:
    """Does any layer search for keys?"""
    return hasattr(module, "found_lists")


def counts_tokens(module: ModuleType, layer: int, name: str) -> bool:
    """Does a label, set or list of a layer count tokens, or blocks of them?"""
    return name in module._COUNTED_BY[_group(module, layer)]


def source_of(module: ModuleType, layer: int, name: str) -> str:
    """The key source that the table of scores `name` is on: there is one."""
    found = "tokens"
    for group in module._GROUPS[_group(module, layer)]:
        for launch in group.passes:
            tables = [op.table for op in launch.scores if op.table is not None]
            if any(name in module._SCORE_TABLES[table].inputs for table in tables):
                found = str(module._FEEDS[launch.feed].source)
    return found


def flex_layer(module: ModuleType, layer: int) -> Any:
    """What a file for FlexAttention says of a layer: its sinks and its scale."""
    return module._layer(layer)


def _group(module: ModuleType, layer: int) -> int:
    return int(module._GROUP_OF_LAYER[layer if module.LAYERS is not None else 0])
