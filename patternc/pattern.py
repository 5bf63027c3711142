"""`Pattern`: one program of the language, and everything it can be asked.

The facade over the packages. Masks and layouts are numpy; torch and triton are imported only by
`attention` and `reference`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patternc.emit.backend import Request
from patternc.emit.backends import DEFAULT, chosen_backends, emit
from patternc.progress import working
from patternc.queries.analyses import Analyses
from patternc.queries.arguments import (
    data_type,
    layer_number,
    layers_looked_at,
    slot_counts,
    tokens,
    warning_codes,
    whole,
)
from patternc.runtime.load import load_module
from patternc.runtime.module_cache import Built, ensure
from patternc.schedule.build import build_schedule
from patternc.schedule.schedule import Schedule
from patternc.schedule.tile_sizes import given_tiles
from patternc.schedule.work_split import EXAMPLE_LENGTH
from patternc.zoo import published

if TYPE_CHECKING:
    from types import ModuleType

    import torch

    from patternc.report.report import Report


class Pattern(Analyses):
    """A pattern for every length.

    >>> from patternc import Pattern
    >>> pattern = Pattern.parse("local(1) + global([0])")
    >>> pattern.mask(4)[0].astype(int)
    array([[1, 1, 1, 1],
           [1, 1, 1, 0],
           [1, 1, 1, 1],
           [1, 0, 1, 1]])
    >>> pattern.pairs(4096)
    [20476]
    """

    def __init__(
        self, text: str, *, name: str = "<pattern>", parameters: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(text, name=name, parameters=parameters)
        self._built = Built(self._build)

    def _build(self) -> ModuleType:
        with working(f"compiling {self.name}"):
            return load_module(self.compile(backends=("all",), native=True))

    @classmethod
    def parse(cls, text: str, /, **parameters: Any) -> Pattern:
        """A pattern from its text; keywords override `param` lines. Raises `PatternError`."""
        return cls(text, parameters=parameters)

    @classmethod
    def load(cls, path: str | Path, /, **parameters: Any) -> Pattern:
        """A pattern from a file. Raises `PatternError` and `OSError`."""
        text = Path(path).read_text(encoding="utf-8")
        return cls(text, name=str(path), parameters=parameters)

    @classmethod
    def from_zoo(cls, name: str, /, **parameters: Any) -> Pattern:
        """A published pattern, by its file's name in `examples/`: `Pattern.from_zoo("bigbird")`.

        Raises `ValueError` for an unknown name, and `PatternError` for unknown parameters.
        """
        return cls(published(name), name=f"{name}.pat", parameters=parameters)

    def report(
        self,
        n: int,
        layers: int | None = None,
        *,
        head_dim: int = 64,
        dtype: object = "bfloat16",
        kv_heads: int | None = None,
        slots: Mapping[str, int] | None = None,
        ignore: Iterable[str] = (),
        **inputs: Any,
    ) -> Report:
        """What the pattern costs at n tokens and how far it sees: exact counts, closed forms,
        products, bytes, memory, receptive fields, rooflines, the paper's own formula.

        `layers` (by default the program's, or 1) repeats the schedule where it exceeds it. Without
        the run-time inputs that decide pairs, counts are upper bounds, and the report says so.
        An encoder has n positions unless `slots` says otherwise. `dtype` is a name, short or not,
        or torch's own: "float16", "fp16", torch.float16. `ignore` are codes of warnings
        that are meant. Raises `LengthError`, `InputError`, and `ValueError` for numbers out of
        range.
        """
        from patternc.analysis.cost.layer_cost import Workload
        from patternc.report.report import report_of

        work = Workload(
            tokens(n),
            whole("head_dim", head_dim, 1),
            data_type(dtype) or "bfloat16",
            None if kv_heads is None else whole("kv_heads", kv_heads, 1),
        )
        count = layers_looked_at(layers, self.layers)
        return report_of(self, work, count, slot_counts(slots), inputs, warning_codes(ignore))

    def schedule(
        self,
        layer: int | None = None,
        dtype: str | None = None,
        head_dim: int | None = None,
        tiles: tuple[int, int] | None = None,
        backends: Iterable[str] = DEFAULT,
    ) -> Schedule:
        """What the generated module launches; for one layer or all.

        `tiles` are the rows of a query tile and the keys of a key tile; unless given, the first of
        the `backends` chooses them.
        """
        layers, asking = self._chosen(layer), ("", *self.rows)
        relations = [self.relations(index, rows) for rows in asking for index in layers]
        head_dim = None if head_dim is None else whole("head_dim", head_dim, 1)
        everything = (relation for heads in relations for relation in heads)
        target = chosen_backends(backends)[0]
        chosen = (
            given_tiles(*tiles)
            if tiles
            else target.tile_sizes(everything, data_type(dtype), head_dim)
        )
        return build_schedule(
            relations,
            heads=self.heads,
            layers=None if layer is not None else self.layers,
            query_tile=chosen.query_tile,
            key_tile=chosen.key_tile,
            reasons=chosen.reasons,
            rows=tuple(self._program.rows.values()),
            n=self._longest(layers),
        )

    def _longest(self, layers: Sequence[int]) -> int:
        """The largest n that launches are judged at: no more than the grids of all layers have."""
        spans = [self.fitting(index) for index in layers]
        return min(EXAMPLE_LENGTH, max(span[1] if span else EXAMPLE_LENGTH for span in spans))

    def compile(
        self,
        layer: int | None = None,
        dtype: str | None = None,
        head_dim: int | None = None,
        command: str | None = None,
        tiles: tuple[int, int] | None = None,
        *,
        backends: Iterable[str] = DEFAULT,
        native: bool = False,
        self_test: bool = False,
    ) -> str:
        """The source of a standalone module: kernels and the dense reference in one text.

        `backends` are what it can run on: "triton", "cpu" and "reference", which is always there;
        `native` adds C to "cpu". `layer` compiles one layer (the module's only one); `dtype` and
        `head_dim` choose its tiles (unless `tiles` does, powers of two). `self_test` adds a test
        that runs with the file. `command` is what its header says it was made with. "flex", by
        itself, is a file for torch's FlexAttention.
        Raises `ValueError` for unknown backends, and `UnsupportedError`, which is one, for what
        they cannot lower.
        """
        return emit(
            Request(
                self.schedule(layer, dtype, head_dim, tiles, backends),
                pattern_text=self.text,
                name=self.name,
                command=command or f"patternc compile {self.name}",
                inputs=self.inputs,
                dtype=data_type(dtype),
                head_dim=head_dim,
                lengths=tuple(self.fitting(index) for index in self._chosen(layer)),
                sources={rows: self.sources(rows) for rows in ("", *self.rows)},
                native=native,
                self_test=self_test,
            ),
            chosen_backends(backends),
        )

    @property
    def module(self) -> ModuleType:
        """The generated module, loaded. It is built once, at the first look at it."""
        ensure(self._built.key)
        assert self._built.module is not None
        return self._built.module

    def attention(
        self,
        q: torch.Tensor,
        k: torch.Tensor | None,
        v: torch.Tensor | None,
        **options: Any,
    ) -> Any:
        """Attention over this pattern: see `attention` of a generated module.

        The queries are the last rows: with fewer queries than keys, the last one appears at n - 1.
        q [batch, heads, queries, head_dim], k and v [batch, kv_heads, n, head_dim]; None where the
        pattern has no term on the tokens. Options and run-time inputs go by name.
        """
        return self.module.attention(q, k, v, **options)

    def reference(
        self,
        q: torch.Tensor,
        k: torch.Tensor | None,
        v: torch.Tensor | None,
        **options: Any,
    ) -> Any:
        """The same by dense masks, in any dtype: what the kernels are held to."""
        return self.module.reference(q, k, v, **options)

    def __repr__(self) -> str:
        body = " ".join(line.strip() for line in self.text.splitlines() if _says_something(line))
        shown = body if len(body) <= 60 else body[:57] + "..."
        return f"Pattern({shown!r}, heads={self.heads}, layers={self.layers})"

    def __str__(self) -> str:
        return self.text

    def _chosen(self, layer: int | None) -> Sequence[int]:
        """The layers that a module holds."""
        if layer is None:
            return range(self.layers or 1)
        return [layer_number(layer, self.layers)]


def _says_something(line: str) -> bool:
    return bool(line.split("#")[0].strip())
