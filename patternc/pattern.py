"""`Pattern`: one program of the language, and everything it can be asked.

Every method calls the package that answers. Masks and layouts are numpy; torch and triton are
imported only by `attention` and `reference`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, overload

import numpy as np
from numpy.typing import NDArray

from patternc.composition.operators import Composable, with_parameters
from patternc.emit.backends import DEFAULT
from patternc.frontend import Frontend
from patternc.ir.sources import KeySource
from patternc.language import Elaborated, Program, RunTimeInput
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.modifiers.alibi import Alibi
from patternc.pipeline import Compilation
from patternc.queries import analyses, masks
from patternc.queries.arguments import (
    Input,
    head_number,
    head_range,
    inputs_of_element,
    layer_number,
    tokens,
)
from patternc.queries.call import head_tables
from patternc.queries.compile_options import compile_options
from patternc.queries.equality import equal, fingerprint
from patternc.queries.placed_masks import mask_of_call
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables
from patternc.runtime import flex
from patternc.runtime.call import attend, refuse_unknown_heads
from patternc.runtime.pattern_modules import PatternModules
from patternc.schedule.schedule import Schedule
from patternc.tiling.layout_at_length import Layout
from patternc.zoo import published

if TYPE_CHECKING:
    from types import ModuleType

    import networkx as nx
    import torch
    from torch.nn.attention.flex_attention import BlockMask

    from patternc.analysis.cost.last_reader import LastReader, LivePages
    from patternc.analysis.cost.layer_cost import Workload
    from patternc.analysis.equivalence.results import Difference
    from patternc.analysis.explain.explain import Why
    from patternc.analysis.reach import Reach
    from patternc.analysis.reach.closed_form import ClosedFormReach
    from patternc.analysis.reach.unattended import Unattended
    from patternc.analysis.report_facts import ReportSubject
    from patternc.distributed.plan import Plan
    from patternc.queries.from_mask import MaskReport
    from patternc.queries.mask_diff import MaskDifference
    from patternc.report.drawing import Drawing
    from patternc.report.report import Report
    from patternc.runtime.call import Backend, Lengths, Positions, RunTimeTensors

    AnyArray = NDArray[Any] | torch.Tensor | Sequence[Any]


class FromMask(NamedTuple):
    """What `Pattern.from_mask` found: a pattern, and what is proved of it."""

    pattern: Pattern
    report: MaskReport

    def __repr__(self) -> str:
        said = "\n".join(f"# {line}" for line in self.report.lines())
        return f"{said}\n{self.pattern}".rstrip("\n")


class Pattern(Composable):
    """A pattern for every length.

    >>> from patternc import Pattern
    >>> pattern = Pattern.parse("local(1) + global([0])")
    >>> pattern.mask(4)[0].astype(int)
    array([[1, 1, 1, 1],
           [1, 1, 1, 0],
           [1, 1, 1, 1],
           [1, 0, 1, 1]])
    >>> pattern.pairs(4096)
    [20474]
    """

    def __init__(
        self, text: str, *, name: str = "<pattern>", parameters: Mapping[str, Any] | None = None
    ) -> None:
        self._frontend = Frontend(text, name, dict(parameters or {}))
        self._elaborated = self._frontend.program
        self._frontend.verify_cases()
        self._modules = PatternModules(self.compile, self.name, self.heads, self.layers)

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

    @classmethod
    def from_mask(
        cls,
        mask: object,
        n: int | None = None,
        *,
        heads: int | None = None,
        lengths: Iterable[int] | None = None,
        also: Iterable[object] = (),
    ) -> FromMask:
        """The shortest program found that has the given mask, and a report of what is proved.

        `mask` is booleans [queries, n], [heads, queries, n] or [batch, heads, queries, n] (an array
        or a tensor, True where a query attends; the queries are the last rows), an additive mask of
        0 and -inf, a torch `BlockMask`, or a function mask_mod(b, h, q_idx, kv_idx), which needs n,
        and `heads` where they differ. At n the program has the mask in every pair. Pairs for which
        no rule was found are in a run-time list, `listed(pairs)`; the report counts them and holds
        the inputs that the program takes. A function is evaluated at other `lengths` too (two by
        default); `also` are masks of the same pattern at other lengths. Programs that are right
        there as well are preferred. Raises `TypeError` and
        `ValueError` for what is not one mask.

        >>> import numpy as np
        >>> found = Pattern.from_mask(np.tri(64, dtype=bool) & ~np.tri(64, k=-8, dtype=bool))
        >>> print(found.pattern)
        causal
        local(7)
        <BLANKLINE>
        >>> found.report.found
        True
        """
        from patternc.queries.from_mask import from_mask

        text, report = from_mask(mask, n, heads, lengths, also)
        return FromMask(cls(text, name="<from mask>"), report)

    def __reduce__(self) -> tuple[partial[Self], tuple[str]]:
        """Pickled as its text: what was found out about it is recomputed."""
        made = partial(type(self), name=self.name, parameters=self._frontend.parameters)
        return made, (self.text,)

    def __copy__(self) -> Self:
        """Itself, as a program never changes: copies of a model share it."""
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def __repr__(self) -> str:
        body = " ".join(line.strip() for line in self.text.splitlines() if _says_something(line))
        shown = body if len(body) <= 60 else body[:57] + "..."
        return f"Pattern({shown!r}, heads={self.heads}, layers={self.layers})"

    def __str__(self) -> str:
        """The text, with parameters that were given in the place of its own: parse gives it back.

        >>> print(Pattern.parse("param w = 4\\nlocal(w)  # both sides", w=7))
        param w = 7
        local(w)  # both sides
        """
        return with_parameters(self._frontend)

    def __eq__(self, other: object) -> bool:
        """Whether both are proved to mean the same for every n: heads and layers, inputs by name
        and role, and in each head the same pairs as often, with the same modifiers.

        Past its budget, some seconds, neither is proved and `NotProvedError` is raised, a
        `ValueError`; `str(a) == str(b)` compares the texts. Equal patterns have equal hashes. What
        is no pattern is unequal.

        >>> Pattern.local(3) & Pattern.causal() == Pattern.local(left=3)
        True
        """
        if not isinstance(other, Pattern):
            return NotImplemented
        return self is other or equal(self._frontend, other._frontend)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return fingerprint(self._frontend)

    @property
    def text(self) -> str:
        """The text of the program."""
        return self._frontend.text

    @property
    def name(self) -> str:
        """What messages and compiled files call the program."""
        return self._frontend.name

    @property
    def heads(self) -> int | None:
        """Query heads the program names; None fits any number."""
        return self._elaborated.heads

    @property
    def layers(self) -> int | None:
        """Layers the program names; None fits any number."""
        return self._elaborated.layers

    @property
    def inputs(self) -> tuple[RunTimeInput, ...]:
        """Run-time inputs with name, role and shape."""
        return self._elaborated.inputs

    @property
    def rows(self) -> tuple[str, ...]:
        """Whose rows may be asked for beside the tokens': streams by name, and `tree`."""
        return tuple(self._elaborated.rows)

    @property
    def tree(self) -> Program:
        """The program as it was written."""
        return self._frontend.ast

    @property
    def elaborated(self) -> Program:
        """The program with parameters in force and the `avoid=` of random draws written out."""
        return self._elaborated.program

    @property
    def elaborated_program(self) -> Elaborated:
        """The rules with their meaning, for what points at them."""
        return self._elaborated

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return self._elaborated.warnings

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Every `param` with the value in force."""
        return self._elaborated.parameters

    def mask(
        self,
        n: int,
        queries: int | None = None,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        start: int | None = None,
        positions: AnyArray | None = None,
        cache_lengths: AnyArray | None = None,
        key_padding: AnyArray | None = None,
        heads: slice | None = None,
        **inputs: AnyArray,
    ) -> NDArray[np.bool_]:
        """Which keys each query row attends to: booleans [heads, queries, n].

        n is the number of tokens; the queries (n of them by default) are the last rows. Where a
        run-time input has several batch elements, as labels [batch, n] have, so has the result, in
        front: [batch, heads, queries, n]; a batch of one is left out. With `rows`
        they are the slots of that stream, or of `tree` the spans above the tokens, and all of them.
        A program without `heads` has one head here. With key sources the columns are those of
        `columns`; `slots` says how many slots `memory`, `compressed` and `encoder` have at the
        call. `start`, `positions`, `cache_lengths`, `key_padding` and `heads` as in `attention`: n
        is then the number of slots of keys, and inputs are labels, sets and lists of tokens.
        """
        some = slice(None) if heads is None else slice(*head_range(heads, self.heads))
        some = some if self.heads else slice(None)
        if positions is not None and any(item.name == "positions" for item in self.inputs):
            inputs["positions"], positions = positions, None
        placed: dict[str, Any] = {"rows": rows or None, "start": start, "positions": positions}
        placed |= {"cache_lengths": cache_lengths, "key_padding": key_padding}
        found = mask_of_call(self._frontend, n, queries, layer, placed, slots, inputs)
        return found[..., some, :, :]

    def multiplicity(
        self,
        n: int,
        queries: int | None = None,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> NDArray[np.int64]:
        """mu(i, j), how often a pair counts: integers of the shape of `mask`."""
        return masks.multiplicity(self._frontend, n, queries, layer, rows, slots, inputs)

    def columns(
        self, n: int, layer: int = 0, *, rows: str = "", slots: Mapping[str, int] | None = None
    ) -> tuple[tuple[KeySource, int], ...]:
        """The key sources of a layer and their slots, in the order of a mask's columns.

        That is the order in which the text names them, whatever the layer.
        """
        return masks.columns(self._frontend, n, layer, rows, slots)

    def sources(self, rows: str = "") -> tuple[KeySource, ...]:
        """The key sources of all layers and heads, in the order in which the text names them."""
        return self._frontend.sources(rows)

    def pairs(
        self,
        n: int,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> list[Any]:
        """Pairs with multiplicity of each head at n tokens and n queries, counted exactly.

        Of other `rows` all of them are the queries, as in `mask`. By closed forms where n is large;
        raises `ValueError` where there are none and too many pairs would be counted one by one.
        Where a run-time input has several batch elements, a list of such lists, one for each.
        """
        return masks.pairs(self._frontend, n, layer, rows, slots, inputs)

    def distinct_pairs(
        self,
        n: int,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> list[Any]:
        """The pairs of each head's mask, each counted once; otherwise as `pairs`."""
        return masks.distinct_pairs(self._frontend, n, layer, rows, slots, inputs)

    def layout(
        self,
        n: int,
        block: int | tuple[int, int] = 128,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        batch_element: int | None = None,
        **inputs: Input,
    ) -> Layout:
        """The tiles each head visits; `block` is a size, or (query tile, key tile).

        `batch_element` says which, where run-time inputs have several.
        """
        inputs = self._of_element(inputs, batch_element)
        return masks.layout(self._frontend, n, block, layer, rows, slots, inputs)

    def fitting(self, layer: int = 0) -> tuple[int, int] | None:
        """The least and greatest n that the grids of a layer fit; None where every n does."""
        return self._frontend.fitting(layer)

    def relations(self, layer: int = 0, rows: str = "") -> tuple[Relation, ...]:
        """The relation of every head."""
        return self._frontend.relations(layer_number(layer, self.layers), rows)

    def all_relations(self, layer: int, heads: int) -> tuple[Relation, ...]:
        """The relations of so many heads, and behind them those of the rows of streams."""
        return self._frontend.all_relations(layer_number(layer, self.layers), heads)

    def head_tables(
        self,
        n: int,
        layer: int = 0,
        *,
        slots: Mapping[str, int] | None = None,
        batch_element: int | None = None,
        **inputs: Input,
    ) -> list[HeadTables]:
        """What answers the atoms of a relation at n, one for every head."""
        inputs = self._of_element(inputs, batch_element)
        return head_tables(self._frontend, n, layer, slots, inputs)

    def reach(
        self,
        n: int,
        layers: int | None = None,
        *,
        residual: bool = True,
        slots: Mapping[str, int] | None = None,
        batch_element: int | None = None,
        **inputs: Input,
    ) -> Reach:
        """The receptive fields of n positions, layer by layer.

        `layers` are the program's by default, 1 where it names none; more repeat its schedule.
        Run-time inputs that are not given make bounds, which say so; `batch_element` says which of
        several is meant.
        """
        inputs = self._of_element(inputs, batch_element)
        return analyses.reach(self._frontend, n, layers, residual, slots, inputs)

    def why(
        self,
        n: int,
        query: int,
        key: int,
        *,
        layer: int = 0,
        head: int | None = None,
        layers: int | None = None,
        slots: Mapping[str, int] | None = None,
        batch_element: int | None = None,
        **inputs: Input,
    ) -> Why:
        """Why `query` attends to `key` at n tokens, or does not, and how it depends on it at last.

        What each head of a layer says (all heads by default), and a shortest path through at most
        `layers` layers: the program's by default, 256 where it names none. `batch_element` says
        which, where run-time inputs have several.
        """
        inputs = self._of_element(inputs, batch_element)
        asked = n, query, key, layer, head, layers
        return analyses.why(self._frontend, *asked, slots, inputs)

    @overload
    def diff(
        self,
        other: Pattern | str,
        /,
        n: int | None = None,
        *,
        layers: int | None = None,
        slots: Mapping[str, int] | None = None,
        when: str | None = None,
    ) -> Difference: ...

    @overload
    def diff(
        self,
        other: NDArray[Any] | torch.Tensor | BlockMask | Callable[..., Any],
        /,
        n: int | None = None,
        *,
        layer: int = 0,
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> MaskDifference: ...

    def diff(
        self,
        other: object,
        /,
        n: int | None = None,
        *,
        layers: int | None = None,
        layer: int = 0,
        slots: Mapping[str, int] | None = None,
        when: str | None = None,
        **inputs: Input,
    ) -> Difference | MaskDifference:
        """Whether both mean the same for every n: a proof, or a smallest witness.

        `other` is a pattern or the text of one. Counts and reach stand side by side at n tokens
        (4096, or as many as a grid has) and after `layers` layers (the larger number that the two
        name, or 1). `when` is a condition on n, such as "n % 32 == 0": the question is then about
        these lengths alone.

        Of a mask, as `from_mask` takes them (an array, a tensor, a `BlockMask`, a function with n),
        one length is known: `layer` is compared with it there, pair by pair, with the run-time
        inputs of the layer. Raises `ValueError` where shapes do not fit.
        """
        if other is None:
            raise TypeError("other is None; expected a Pattern, the text of one, or a mask")
        other = Pattern.parse(other) if isinstance(other, str) else other
        if isinstance(other, Pattern):
            if inputs or layer:
                named = sorted(inputs) or ["layer"]
                raise TypeError(f"{named[0]} is for masks: two patterns are compared in all layers")
            return analyses.diff(self._frontend, other._frontend, n, layers, slots, when)
        if when is not None:
            raise TypeError("when is for two patterns: a mask has one length")
        if layers is not None:
            raise TypeError("layers is for two patterns: a mask is compared with one layer=")
        from patternc.queries.mask_diff import diff_with_mask

        return diff_with_mask(self._frontend, other, n, layer, slots, inputs)

    def check(
        self,
        n: int | None = None,
        *,
        ignore: Iterable[str] = (),
        teach: bool = False,
        layers: int | None = None,
        when: str | None = None,
    ) -> tuple[Diagnostic, ...]:
        """The warnings, and what the length n brings to light: empty rows, leaks, unseen keys.

        None is 4096 tokens, or as many as the pattern's grid has. `ignore` are codes of warnings
        that are meant, such as "P206". `teach` adds what could be better for the same cost, and
        what never meets within `layers` layers. `when` is a condition on n that the length
        fulfils, such as "n % 32 == 0". Raises `LengthError`, and `ValueError` where n does not.
        """
        return analyses.check(self._frontend, n, ignore, teach, layers, when)

    def growth(self, layer: int = 0, *, residual: bool = True) -> ClosedFormReach | None:
        """The receptive field after k layers like this one, as a formula in i, j, k and n.

        None where none was found. Raises `ValueError` where tables or key sources decide.
        """
        return analyses.growth(self._frontend, layer, residual)

    def unmet(
        self,
        n: int,
        layer: int = 0,
        *,
        slots: Mapping[str, int] | None = None,
        batch_element: int | None = None,
        **inputs: Input,
    ) -> Unattended:
        """How many rows of each head have no key, and how many keys no head attends to."""
        inputs = self._of_element(inputs, batch_element)
        return analyses.unmet(self._frontend, n, layer, slots, inputs)

    def last_reader(self, layer: int = 0, *, page: int = 1) -> tuple[LastReader, ...]:
        """For each head, the last position that reads key j, in closed form, at any length.

        After that position a decoder may drop the key. `formula` is text (`j + 255`), `at(j)` a
        number, None where later positions read it for ever. With `page`, for pages of so many keys.
        Upper bounds where run-time inputs or tables decide: see `exact` and `reason`. Raises
        `ValueError` where rows see later tokens.
        """
        return analyses.last_reader(self._frontend, layer, page)

    def live_pages(self, t: int, layer: int = 0, *, page: int = 16) -> LivePages:
        """The pages of a layer's cache that a position after t reads, in any of the heads.

        Pages have `page` keys each; `page=1` asks for keys. `count` is the size of the cache in
        pages; `may_drop(p)` and `dropped` say what need not be kept once position t is computed.
        Exact or an upper bound, as `last_reader`. Raises `ValueError` likewise.
        """
        return analyses.live_pages(self._frontend, t, layer, page)

    def contributions(self, n: int, layers: int | None = None) -> tuple[int | None, ...]:
        """For each head, the pairs (i, j) that only the layers with it connect; None is unknown."""
        return analyses.contributions(self._frontend, n, layers)

    def graph(
        self,
        n: int,
        block: int = 64,
        layer: int = 0,
        *,
        slots: Mapping[str, int] | None = None,
        batch_element: int | None = None,
        **inputs: Input,
    ) -> nx.DiGraph[int]:
        """The blocks of a layer as a networkx graph, edges from queries to keys.

        Edges have `pairs`, `density`, `ahead`, `heads` and `terms`: see
        `patternc.analysis.reach.block_graph`; `patternc.analysis.reach.graph_structure` says what
        the graph means. Needs networkx.
        """
        inputs = self._of_element(inputs, batch_element)
        return analyses.graph(self._frontend, n, block, layer, slots, inputs)

    def _of_element(
        self, inputs: Mapping[str, Input], batch_element: int | None
    ) -> dict[str, Input]:
        return dict(inputs_of_element(inputs, self.inputs, batch_element))

    def subject(
        self,
        work: Workload,
        layers: int,
        slots: Mapping[str, int],
        inputs: Mapping[str, Input],
    ) -> ReportSubject:
        """What a report computes on: so many layers, the program's own repeated.

        An encoder has n positions unless `slots` says otherwise.
        """
        return analyses.subject(self._frontend, work, layers, slots, inputs)

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
        batch_element: int | None = None,
        when: str | None = None,
        **inputs: Any,
    ) -> Report:
        """What the pattern costs at n tokens and how far it sees: exact counts, closed forms,
        products, bytes, memory, receptive fields, rooflines, the paper's own formula.

        `layers` (by default the program's, or 1) repeats the schedule where it exceeds it. Without
        the run-time inputs that decide pairs, counts are upper bounds, and the report says so.
        An encoder has n positions unless `slots` says otherwise. `dtype` is a name, short or not,
        or torch's own: "float16", "fp16", torch.float16. `ignore` are codes of warnings
        that are meant. `batch_element` says which is reported, where run-time inputs have several.
        `when` is a condition on n, which n fulfils: closed forms are then those of such lengths.
        Raises `LengthError`, `InputError`, and `ValueError` for numbers out of range.
        """
        from patternc.report.report import report_of

        asked = n, layers, head_dim, dtype, kv_heads, slots, ignore, when
        return report_of(self, *asked, self._of_element(inputs, batch_element))

    def plan(
        self,
        n: int,
        ranks: int,
        *,
        placement: str = "contiguous",
        device: str | None = None,
        layers: int | None = None,
        head_dim: int = 64,
        dtype: object = "bfloat16",
        kv_heads: int | None = None,
        document_lengths: Sequence[int] | None = None,
        slots: Mapping[str, int] | None = None,
        batch_element: int | None = None,
        exchange_heads: bool = True,
        **inputs: Any,
    ) -> Plan:
        """What each of so many ranks sends and receives where n tokens are divided among them.

        `placement` says which rows a rank holds: "contiguous" (chunks of ceil(n / ranks), as
        `torch.chunk`), "head_tail" (two chunks of 2 * ranks, one from each end), "striped" (every
        `ranks`-th row) or "documents" (whole documents, of `document_lengths`). Keys that a
        rank's queries attend to and others hold are found from closed forms, in a time that does
        not grow with n. `device` (a name of the report's rooflines, as "H200") adds times. Bytes
        are those of keys and values of one sequence in `dtype`. Without `exchange_heads` keys are
        sent also where whole heads would be fewer bytes, as `patternc.distributed.attention` does.
        Other arguments are those of `report`. Raises `ValueError` and `InputError`.

        >>> plan = Pattern.parse("causal\\nlocal(left=255)").plan(1_000_000_000, 1024)
        >>> plan.layers[0].way, plan.layers[0].keys[0][512].count
        ('halo', 255)
        """
        from patternc.distributed.of_program import plan_of
        from patternc.report.drawing import title_of

        asked = (
            n,
            ranks,
            placement,
            device,
            layers,
            head_dim,
            dtype,
            kv_heads,
            document_lengths,
            slots,
        )
        given = self._of_element(inputs, batch_element)
        title = title_of(self.name, str(self))
        return plan_of(self._frontend, *asked, title, given, exchange_heads)

    def show(
        self,
        n: int | None = None,
        layer: int = 0,
        head: int | None = None,
        *,
        rows: str = "",
        batch_element: int | None = None,
        **inputs: Input,
    ) -> None:
        """Print what `patternc show` prints: a picture in block characters, pairs and density.

        `n` is chosen so that the pattern shows, `head` is every head, unless given. Run-time inputs
        are made up unless given. Raises `LengthError`, `InputError` and `ValueError`.

        >>> Pattern("causal & local(left=2)").show(8)
        causal & local(left=2): n = 8
        ┌────────┐
        │█▄      │
        │▀██▄    │
        │  ▀██▄  │
        │    ▀██▄│
        └───── 8 ┘
        pairs    21 of 64
        density  32.81%
        tiles    1 visited (0 full, 1 partial) of 1, 128 x 128 each
        """
        columns = get_terminal_size().columns
        print(self._drawn(n, layer, head, rows, inputs, batch_element, columns).text(), end="")

    def svg(
        self,
        n: int | None = None,
        layer: int = 0,
        head: int | None = None,
        *,
        rows: str = "",
        batch_element: int | None = None,
        **inputs: Input,
    ) -> str:
        """The picture that `show` prints as SVG, in light and dark. Errors are those of `show`."""
        return self._drawn(n, layer, head, rows, inputs, batch_element).svg()

    def _repr_svg_(self) -> str | None:
        """What a notebook shows; None where there is no picture."""
        found = self._small_drawing()
        return None if found is None else found.svg()

    def _repr_html_(self) -> str | None:
        found = self._small_drawing()
        return None if found is None else found.html(str(self).rstrip("\n"))

    def _small_drawing(self) -> Drawing | None:
        # What has no picture, or one that takes too much, is shown as text.
        with suppress(ValueError):
            return self._drawn(None, 0, None, "", {}, None)
        return None

    def _drawn(
        self,
        n: int | None,
        layer: int,
        head: int | None,
        rows: str,
        inputs: Mapping[str, Input],
        batch_element: int | None,
        columns: int | None = None,
    ) -> Drawing:
        from patternc.report.drawing import MOST_PANELS, drawing, fitting_panels, title_of

        most = MOST_PANELS if columns is None else fitting_panels(columns)
        at = None if n is None else tokens(n)
        number = layer_number(layer, self.layers)
        one = None if head is None else head_number(head, self.heads)
        asked = at, number, one, rows, inputs, batch_element, most
        return drawing(self, title_of(self.name, str(self)), *asked)

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
        options = compile_options(self.layers, layer, dtype, head_dim, tiles, backends)
        return Compilation(self._frontend, options).schedule

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
        features: Iterable[str] = (),
        heads: slice | None = None,
    ) -> str:
        """The source of a standalone module: kernels and the dense reference in one text.

        `backends` are what it can run on: "triton", "cpu" and "reference", which is always there;
        `native` adds C to "cpu". `layer` compiles one layer (the module's only one); `dtype` and
        `head_dim` choose its tiles (unless `tiles` does, powers of two). `self_test` adds a test
        that runs with the file, `features` what few callers need: "dropout", "messages",
        "strict-keys", "transforms", "weights", or "all". `heads` compiles some of the heads alone,
        for a rank of tensor parallelism. `command` is what its header says it was made with.
        "flex", by itself, is a file for torch's FlexAttention.
        Raises `ValueError` for unknown backends, and `UnsupportedError`, which is one, for what
        they cannot lower.
        """
        options = compile_options(self.layers, layer, dtype, head_dim, tiles, backends)
        some = None if heads is None else self._heads_of_rank(heads)
        rest = replace(
            options,
            native=native,
            self_test=self_test,
            features=tuple(features),
            command=command,
            heads=some,
        )
        return Compilation(self._frontend, rest).module

    def _heads_of_rank(self, heads: slice) -> tuple[int, int] | None:
        """The first head and the one behind the last; None: all heads are alike."""
        found = head_range(heads, self.heads)
        if self.heads is not None:
            return found
        every = (each for layer in range(self.layers or 1) for each in self.relations(layer))
        held = (one for each in every for branch in each.branches for one in branch.modifiers)
        if any(isinstance(one, Alibi) and not one.slopes for one in held):
            refuse_unknown_heads(heads)
        return None

    @property
    def module(self) -> ModuleType:
        """The generated module, loaded. It is built once, at the first look at it."""
        return self._modules.of_heads()

    @overload
    def attention(
        self,
        q: torch.Tensor,
        k: torch.Tensor | None,
        v: torch.Tensor | None,
        *,
        return_lse: Literal[True],
        layer: int = ...,
        rows: str | None = ...,
        start: int | None = ...,
        positions: Positions | None = ...,
        cache_lengths: Lengths | None = ...,
        key_padding: torch.Tensor | None = ...,
        heads: slice | None = ...,
        scale: float | None = ...,
        backend: Backend = ...,
        dropout: float = ...,
        seed: int | torch.Tensor | None = ...,
        return_weights: Literal[False] = ...,
        **inputs: RunTimeTensors,
    ) -> tuple[torch.Tensor, torch.Tensor]: ...

    @overload
    def attention(
        self,
        q: torch.Tensor,
        k: torch.Tensor | None,
        v: torch.Tensor | None,
        *,
        return_weights: Literal[True] | torch.Tensor,
        return_lse: bool = ...,
        layer: int = ...,
        rows: str | None = ...,
        start: int | None = ...,
        positions: Positions | None = ...,
        cache_lengths: Lengths | None = ...,
        key_padding: torch.Tensor | None = ...,
        heads: slice | None = ...,
        scale: float | None = ...,
        backend: Backend = ...,
        dropout: float = ...,
        seed: int | torch.Tensor | None = ...,
        **inputs: RunTimeTensors,
    ) -> tuple[torch.Tensor, ...]: ...

    @overload
    def attention(
        self,
        q: torch.Tensor,
        k: torch.Tensor | None,
        v: torch.Tensor | None,
        *,
        return_lse: Literal[False] = ...,
        layer: int = ...,
        rows: str | None = ...,
        start: int | None = ...,
        positions: Positions | None = ...,
        cache_lengths: Lengths | None = ...,
        key_padding: torch.Tensor | None = ...,
        heads: slice | None = ...,
        scale: float | None = ...,
        backend: Backend = ...,
        dropout: float = ...,
        seed: int | torch.Tensor | None = ...,
        return_weights: Literal[False] = ...,
        **inputs: RunTimeTensors,
    ) -> torch.Tensor: ...

    def attention(
        self,
        q: torch.Tensor,
        k: torch.Tensor | None,
        v: torch.Tensor | None,
        *,
        return_lse: bool = False,
        layer: int = 0,
        rows: str | None = None,
        start: int | None = None,
        positions: Positions | None = None,
        cache_lengths: Lengths | None = None,
        key_padding: torch.Tensor | None = None,
        heads: slice | None = None,
        scale: float | None = None,
        backend: Backend = "auto",
        dropout: float = 0.0,
        seed: int | torch.Tensor | None = None,
        return_weights: bool | torch.Tensor = False,
        **inputs: RunTimeTensors,
    ) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Attention over this pattern, forward and backward.

        q [batch, heads, queries, head_dim], k and v [batch, kv_heads, n, head_dim]; None where the
        pattern has no term on the tokens. Returns [batch, heads, queries, head_dim of v], with
        `return_lse` also the natural-log sum of exponents [batch, heads, queries], which layers
        of `gate`, `sum` and `mean` do not have. Rows without keys give 0 and -inf.

        Where queries stand. They are the last rows, query r at position r + n - queries, unless
        one of these says otherwise. The sequence of a batch element consists of its real keys in
        use alone: n in the pattern is their number, position 0 the first of them, and each element
        is computed as it would be by itself. Positions, lengths and padding are looked at:
        torch.compile takes such a call as one operator, the capture of a CUDA graph refuses it;
        `start` it takes.

        - `start`: query r stands at start + r; for a part in the middle of the sequence.
        - `cache_lengths`, integers [batch]: so many slots of k and v, from the first on, are in
          use; the queries are the last of them. For static caches and padding behind the keys.
        - `key_padding`, booleans [batch, n], True for a real key: padding is left out wherever it
          is, on either side or between. Queries at padding give 0 and -inf.
        - `positions`, integers [queries] or [batch, queries]: where each query stands in its
          sequence; -1: it is padding. A pattern with an input of this name, as
          `absolute(positions)`, gets that instead.

        Run-time inputs have the layout of the call and are cut along. What counts positions counts
        those of each sequence: integers of sets, entries of lists, rows of `absolute`. Refused with
        padding before or between keys: lists, labels and sets of blocks; with any padding: slots
        of `pool` and `tree` that are given, and a bias on a pool. Where k and v are None,
        `key_padding` [batch, m] is that of `encoder_kv`, whose slots are then its real keys alone;
        beside terms on the tokens leave slots out by `columns(valid) on encoder`.

        `heads=slice(a, b)`: q, k, v and inputs hold these heads of the pattern alone, as on a rank
        of tensor parallelism. Dropout then drops other weights than in the whole.

        `layer` counts from 0. `rows`: a stream, or "tree", whose slots are the queries. `scale` is
        1/sqrt(head_dim) unless given. `dropout`: the share of weights to drop, by the 32-bit
        `seed`; one that is a tensor is read when kernels run, in replays of a CUDA graph too.
        `backend`: "auto", "triton", "cpu" or "reference". Raises `ValueError`, `TypeError`, and
        `RuntimeError` where a backend cannot run.

        `return_weights`: the last result are the weights [batch, heads, queries, slots] that the
        output is made of, dropped and shared by sinks, gates and branches as there; slots are the
        columns of the layer's mask. They are computed densely with gradients, whatever the backend,
        for at most 2**26 numbers. Integers [m] in its place ask for the weights of these slots
        alone, at any n, by the backend; `weights` gives those of some queries.
        """
        module, seed = self._modules.of_call(heads, q, dropout, seed)
        options: dict[str, Any] = {"layer": layer, "return_lse": return_lse, "scale": scale}
        options |= {"backend": backend, "dropout": dropout, "seed": seed, **inputs}
        options |= {} if return_weights is False else {"return_weights": return_weights}
        placed = {"rows": rows, "start": start, "positions": positions}
        placed |= {"cache_lengths": cache_lengths, "key_padding": key_padding}
        return attend(module, q, k, v, placed, options)  # type: ignore[no-any-return]

    def reference(
        self,
        q: torch.Tensor,
        k: torch.Tensor | None,
        v: torch.Tensor | None,
        *,
        return_lse: bool = False,
        layer: int = 0,
        rows: str | None = None,
        start: int | None = None,
        positions: Positions | None = None,
        cache_lengths: Lengths | None = None,
        key_padding: torch.Tensor | None = None,
        heads: slice | None = None,
        scale: float | None = None,
        dropout: float = 0.0,
        seed: int | torch.Tensor | None = None,
        return_weights: bool | torch.Tensor = False,
        **inputs: RunTimeTensors,
    ) -> Any:
        """`attention` by dense masks, in any dtype: what the kernels are held to."""
        attention: Any = self.attention  # of either overload
        return attention(
            *(q, k, v),
            return_lse=return_lse,
            layer=layer,
            rows=rows,
            start=start,
            positions=positions,
            cache_lengths=cache_lengths,
            key_padding=key_padding,
            heads=heads,
            scale=scale,
            backend="reference",
            dropout=dropout,
            seed=seed,
            return_weights=return_weights,
            **inputs,
        )

    def weights(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor | None = None,
        *,
        queries: Sequence[int] | torch.Tensor | None = None,
        slots: Sequence[int] | torch.Tensor | None = None,
        layer: int = 0,
        start: int | None = None,
        scale: float | None = None,
        backend: Backend = "auto",
        **inputs: RunTimeTensors,
    ) -> torch.Tensor:
        """The weights that some queries give, or that some keys get, as a sparse tensor.

        `queries` are rows of q: the result is [batch, heads, len(queries), all slots]. `slots` are
        keys, numbered as the columns of the layer's mask: the result is [batch, heads, rows of q,
        len(slots)]. No n x n numbers are held: those of queries are computed a few rows at a time,
        with gradients, those of slots by the backend of the call, as outputs of values that are 1
        at these keys. Searches go over all queries as in `attention`. The result is a coalesced
        `torch.sparse_coo_tensor`; other arguments are those of `attention` (v for its size alone).
        A padded batch is asked sequence by sequence. Raises `ValueError` and `TypeError`.

        >>> import torch
        >>> q, k = torch.randn(2, 1, 1, 100_000, 16)
        >>> found = Pattern.parse("causal\\nlocal(3)").weights(q, k, queries=[70_000])
        >>> found.shape, found.indices()[3].tolist()
        (torch.Size([1, 1, 1, 100000]), [69997, 69998, 69999, 70000])
        """
        from patternc.runtime.weights import weights_of

        asked = {"layer": layer, "start": start, "scale": scale, "backend": backend}
        return weights_of(self.module, (q, k, v), queries, slots, asked, inputs)

    def block_mask(
        self,
        n: int,
        *,
        layer: int = 0,
        queries: int | None = None,
        heads: int | None = None,
        block_size: int | tuple[int, int] = 128,
        write_order: bool | None = None,
        device: torch.device | str | None = None,
        **inputs: torch.Tensor,
    ) -> BlockMask:
        """torch's `BlockMask` of a layer, from closed forms: no n x n mask, no call of a mask_mod.

        Its mask is [batch or 1, heads or 1, queries, n]; `queries` (n by default) are the last
        rows, `heads` the program's, or 1 where it names none. Blocks have `block_size` queries and
        keys. Those of tables (labels, lists, sets, draws), and those cut at other positions than
        the closed forms', may be listed as partial where they are full or hold no pair: no output
        changes. `write_order` True or False adds `dq_write_order` and `dq_write_order_full` for
        deterministic FLASH kernels, descending or ascending in keys. Run-time inputs are tensors,
        by name. Raises `UnsupportedError` where FlexAttention cannot hold the layer. Score
        modifiers and the counts of `mix` are no part of a mask: pass the `score_mod` too.
        """
        n = flex.length(n, inputs)
        module, layer_of = self._modules.flex.of(layer, flex.block_tiles(block_size))
        asked = {"queries": queries, "heads": heads, "device": device, "write_order": write_order}
        found: BlockMask = module.block_mask(
            n, BLOCK_SIZE=block_size, **asked, **layer_of, **inputs
        )
        return found

    def mask_mod(
        self,
        n: int,
        *,
        layer: int = 0,
        queries: int | None = None,
        heads: int | None = None,
        device: torch.device | str | None = None,
        **inputs: torch.Tensor,
    ) -> Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]:
        """`mask_mod(b, h, q_idx, kv_idx)` of n tokens, for FlexAttention and what takes its masks.

        Arguments and errors are those of `block_mask`, which needs no `mask_mod` of yours.
        """
        n = flex.length(n, inputs)
        module, layer_of = self._modules.flex.of(layer)
        asked = {"queries": queries, "heads": heads, "device": device}
        made: Callable[..., torch.Tensor] = module.make_mask_mod(n, **asked, **layer_of, **inputs)
        return made

    def score_mod(
        self,
        n: int,
        *,
        layer: int = 0,
        queries: int | None = None,
        heads: int | None = None,
        scale: float | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        **inputs: torch.Tensor,
    ) -> Callable[..., torch.Tensor] | None:
        """`score_mod(score, b, h, q_idx, kv_idx)` of n tokens; None where no score changes.

        It adds ALiBi, biases, soft caps and the other score modifiers, and ln mu where `mix` counts
        a pair mu times. `scale` is what flex_attention is called with: a layer with `scale(c)`
        needs c in both; `alibi` needs `heads` where the program names none. `dtype` is that of
        tables of scores (float32 by default). Other arguments are those of `block_mask`. Raises
        `ValueError` for `sink` and for another scale than the layer's, `UnsupportedError` where
        FlexAttention cannot hold the layer.
        """
        n = flex.length(n, inputs)
        module, layer_of = self._modules.flex.of(layer)
        asked: dict[str, Any] = {"queries": queries, "heads": heads, "device": device}
        asked |= {**layer_of, **inputs} | ({} if dtype is None else {"dtype": dtype})
        return flex.score_mod(module, n, scale, layer_of.get("layer", 0), asked)

    def paged_attention(
        self,
        q: torch.Tensor,
        k_cache: torch.Tensor,
        v_cache: torch.Tensor,
        query_start_loc: torch.Tensor,
        seq_lens: torch.Tensor,
        block_table: torch.Tensor,
        *,
        layer: int = 0,
        scale: float | None = None,
        first_head: int = 0,
        all_heads: int | None = None,
        splits: int | None = None,
        out: torch.Tensor | None = None,
        return_lse: bool = False,
        sinks: torch.Tensor | None = None,
    ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """Attention of packed queries over a paged cache, as serving engines keep it.

        q [tokens, heads, d] holds the queries of all sequences, those of sequence s from
        `query_start_loc[s]` to `query_start_loc[s + 1]`; they are its last positions. The caches
        [pages, page size, kv_heads, d] hold their keys and values, by any strides; a page has 16,
        32, 64, 128 or 256 tokens. `block_table` [sequences, max_pages] names the pages
        of each sequence in order, `seq_lens` [sequences] counts its tokens with the new ones; these
        three are int32 and only read on the device. Pages that no query needs are not read.

        Returns [tokens, heads, e], and with `return_lse` the natural-log sum of exponents [tokens,
        heads]. `sinks` [heads] are given where the pattern has them; see the generated
        `paged_attention` for the other options. A Triton kernel: tensors are on a GPU. Raises
        `UnsupportedError` for patterns with run-time inputs, other key sources or other modifiers
        than alibi, softcap, scale and sink, and `ValueError` and `TypeError` for unsuitable
        tensors.
        """
        module = self._modules.of_pages(int(k_cache.shape[1]) if k_cache.dim() == 4 else 16)
        found: torch.Tensor | tuple[torch.Tensor, torch.Tensor] = module.paged_attention(
            *(q, k_cache, v_cache, query_start_loc, seq_lens, block_table),
            layer=layer,
            scale=scale,
            first_head=first_head,
            all_heads=all_heads,
            splits=splits,
            out=out,
            return_lse=return_lse,
            **({} if sinks is None else {"sinks": sinks}),
        )
        return found


def _says_something(line: str) -> bool:
    return bool(line.split("#")[0].strip())
