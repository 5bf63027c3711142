"""`Stages`: a program of several patterns, of which each takes the states that others give.

What one stage does is its `Pattern`'s to say. Here is what follows from how they are joined: the
rows of every stage, the pairs of all its windows, receptive fields through stages, and running
them. Does not compute attention.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from patternc.frozen import frozen
from patternc.ir.sources import Encoder, KeySource, Pool, Project, Stream, Tokens, Tree
from patternc.ir.stages import QueryPool, Unfold
from patternc.language.stages import stages_of
from patternc.pattern import Pattern
from patternc.semantics.mask import window_ends
from patternc.zoo import published_stages

if TYPE_CHECKING:
    from torch import Tensor

Booleans = NDArray[np.bool_]
MOST_DEPENDENCES = 1 << 28
"""Pairs of a row and a token that `reach` keeps."""


@frozen
class Stage:
    """A pattern with its place: `states` and `encoder` name stages above, or sequences given."""

    name: str
    pattern: Pattern
    states: str
    encoder: str | None
    query_pool: QueryPool | None
    unfold: Unfold | None

    def rows(self, n: int) -> int:
        """How many rows the stage has for n rows of its states."""
        return n if self.query_pool is None else len(self.query_pool.windows(n))

    def windows(self, rows: int) -> tuple[int, ...]:
        """The lengths of the sequences in which rows attend: of windows, or all in one."""
        if self.unfold is None:
            return (rows,)
        return tuple(min(self.unfold.size, rows) for _ in self.unfold.starts(rows))


@frozen
class StageReach:
    """How many tokens the state of a row depends on after the last layer: of all rows.

    `unread` tokens reach no row.
    """

    least: int
    median: int
    most: int
    unread: int


class Stages:
    """A program of stages.

    >>> stages = Stages.parse('''
    ... stage words
    ... local(2)
    ...
    ... stage segments
    ... query_pool(4, mean)
    ... full
    ...
    ... stage top from words, segments
    ... local(2) + full on encoder
    ... ''')
    >>> stages.rows(16)
    {'tokens': 16, 'words': 16, 'segments': 4, 'top': 16}
    >>> stages.pairs(16)
    {'words': 74, 'segments': 16, 'top': 138}
    >>> stages.reach(16)["words"]
    StageReach(least=3, median=5, most=5, unread=0)
    >>> stages.reach(16)["top"].least
    16
    """

    def __init__(
        self, text: str, *, name: str = "<pattern>", parameters: Mapping[str, Any] | None = None
    ) -> None:
        self.text, self.name = text, name
        self.stages = tuple(
            Stage(
                each.name,
                Pattern(each.text, name=name, parameters=each.parameters),
                each.states,
                each.encoder,
                each.query_pool,
                each.unfold,
            )
            for each in stages_of(text, name, parameters)
        )

    @classmethod
    def parse(cls, text: str, /, **parameters: Any) -> Self:
        """A program from its text; keywords override `param` lines. Raises `PatternError`."""
        return cls(text, parameters=parameters)

    @classmethod
    def load(cls, path: str | Path, /, **parameters: Any) -> Self:
        """A program from a file. Raises `PatternError` and `OSError`."""
        return cls(Path(path).read_text(encoding="utf-8"), name=str(path), parameters=parameters)

    @classmethod
    def from_zoo(cls, name: str, /, **parameters: Any) -> Self:
        """A published program, by its file's name in `examples/staged/`: `from_zoo("funnel")`."""
        return cls(published_stages(name), name=f"{name}.pat", parameters=parameters)

    def __iter__(self) -> Iterator[Stage]:
        return iter(self.stages)

    def __len__(self) -> int:
        return len(self.stages)

    def __getitem__(self, name: str) -> Stage:
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(f"no stage {name!r}; this program has: {', '.join(self._names)}")

    def __repr__(self) -> str:
        return f"Stages({', '.join(self._names)})"

    @property
    def _names(self) -> list[str]:
        return [stage.name for stage in self.stages]

    @property
    def sequences(self) -> tuple[str, ...]:
        """The sequences that the model gives, by the names under which stages take them."""
        taken = (name for stage in self.stages for name in (stage.states, stage.encoder))
        return tuple(dict.fromkeys(name for name in taken if name and name not in self._names))

    def rows(self, n: int | Mapping[str, int]) -> dict[str, int]:
        """Rows of every sequence and stage; n of all sequences, or by their names."""
        found = self._lengths(n)
        for stage in self.stages:
            found[stage.name] = stage.rows(found[stage.states])
        return found

    def _lengths(self, n: int | Mapping[str, int]) -> dict[str, int]:
        if isinstance(n, int):
            return dict.fromkeys(self.sequences, n)
        if set(n) != set(self.sequences):
            listed = ", ".join(self.sequences)
            raise ValueError(f"lengths of {', '.join(n) or 'nothing'}; expected those of {listed}")
        return dict(n)

    def pairs(self, n: int | Mapping[str, int], **inputs: Any) -> dict[str, int]:
        """Pairs of all layers and heads of every stage, of all its windows.

        Run-time inputs go to the stages that take them; a stage without `heads` has one.
        """
        return {stage.name: self.pairs_of(stage, n, **inputs) for stage in self.stages}

    def pairs_of(self, stage: Stage, n: int | Mapping[str, int], **inputs: Any) -> int:
        """Those of one stage."""
        rows = self.rows(n)
        options = self._options(stage, rows, inputs)
        layers = range(stage.pattern.layers or 1)
        return sum(
            int(np.sum(stage.pattern.pairs(length, layer, **options)))
            for length in stage.windows(rows[stage.name])
            for layer in layers
        )

    def _options(
        self, stage: Stage, rows: Mapping[str, int], inputs: Mapping[str, Any]
    ) -> dict[str, Any]:
        taken = {item.name for item in stage.pattern.inputs}
        slots = {"encoder": rows[stage.encoder]} if stage.encoder else {}
        return {"slots": slots, **{name: inputs[name] for name in taken & inputs.keys()}}

    def reach(
        self, n: int | Mapping[str, int], of: str | None = None, **inputs: Any
    ) -> dict[str, StageReach]:
        """Which tokens rows depend on, through all stages and residual connections.

        Exact, from dense masks: rows times tokens may be 2^28 at most. `of` is the sequence whose
        tokens are meant, the first one unless given. Raises `ValueError` where that is too large,
        and for streams and trees, whose rows are not followed.
        """
        dependences = self.dependences(n, of, **inputs)
        return {stage.name: _summary(dependences[stage.name]) for stage in self.stages}

    def dependences(
        self, n: int | Mapping[str, int], of: str | None = None, **inputs: Any
    ) -> dict[str, Booleans]:
        """By sequence and stage, which tokens of `of` each row depends on [rows, tokens]."""
        rows, of = self.rows(n), of or self.sequences[0]
        if of not in self.sequences:
            raise ValueError(f"of={of!r}; expected one of {', '.join(self.sequences)}")
        if max(rows.values()) * rows[of] > MOST_DEPENDENCES:
            raise ValueError(f"{max(rows.values())} rows of {rows[of]} tokens are too many to keep")
        found = {
            name: np.eye(rows[name], dtype=bool)
            if name == of
            else np.zeros((rows[name], rows[of]), dtype=bool)
            for name in self.sequences
        }
        for stage in self.stages:
            keys = found[stage.encoder] if stage.encoder else None
            options = self._options(stage, rows, inputs)
            found[stage.name] = _through(stage, found[stage.states], keys, options)
        return found

    def run(
        self,
        states: Mapping[str, Tensor],
        layers: Mapping[str, Callable[..., Tensor]],
        prefix: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """The states [batch, rows, dim] of every sequence and stage.

        `layers[NAME](states)` runs all layers of a stage, with keys of another sequence
        `layers[NAME](states, encoder)`. States are pooled, cut into windows and joined around it; a
        `prefix` [batch, p, dim] (a question) stands before every window, and is left out again.
        """
        from patternc.runtime.pooled_queries import pool
        from patternc.runtime.unfold import Windows

        found = {name: states[name] for name in self.sequences}
        for stage in self.stages:
            own, run = found[stage.states], layers[stage.name]
            keys = (found[stage.encoder],) if stage.encoder else ()
            if stage.query_pool is not None:
                own = pool(own, stage.query_pool)
            if stage.unfold is None:
                found[stage.name] = run(own, *keys)
            else:
                windows = Windows(stage.unfold.size, stage.unfold.margin)
                encoded = run(windows.split(own, prefix))
                before = 0 if prefix is None else prefix.shape[1]
                found[stage.name] = windows.join(encoded, own.shape[1], before)
        return found


def _summary(depends: Booleans) -> StageReach:
    sizes = depends.sum(1) if len(depends) else np.zeros(1, dtype=int)
    unread = int((~depends.any(0)).sum())
    return StageReach(int(sizes.min()), int(np.median(sizes)), int(sizes.max()), unread)


def _through(
    stage: Stage, states: Booleans, keys: Booleans | None, options: dict[str, Any]
) -> Booleans:
    """What the rows of a stage depend on after its last layer."""
    if stage.query_pool is not None:
        windows = stage.query_pool.windows(len(states))
        states = np.array([states[w.start : w.stop].any(0) for w in windows]).reshape(
            len(windows), states.shape[1]
        )
    if stage.unfold is None:
        return _layers(stage.pattern, states, keys, options)
    found = np.zeros_like(states)
    windows_of = zip(stage.unfold.starts(len(states)), stage.unfold.kept(len(states)), strict=True)
    for start, kept in windows_of:
        own = _layers(stage.pattern, states[start : start + stage.unfold.size], None, options)
        found[kept.start : kept.stop] = own[kept.start - start : kept.stop - start]
    return found


def _layers(
    pattern: Pattern, states: Booleans, keys: Booleans | None, options: dict[str, Any]
) -> Booleans:
    slots = options["slots"]
    for layer in range(pattern.layers or 1):
        heads = pattern.mask(len(states), layer=layer, **options)
        mask = np.logical_or.reduce(heads.reshape(-1, *heads.shape[-2:]), axis=0)
        found, first = states.copy(), 0
        for source, count in pattern.columns(len(states), layer, slots=slots):
            part, first = mask[:, first : first + count], first + count
            np.logical_or(found, _product(part, _of_slots(source, count, states, keys)), out=found)
        states = found
    return states


def _of_slots(source: KeySource, count: int, states: Booleans, keys: Booleans | None) -> Booleans:
    """What the slots of a source depend on; of memories and learned slots on no token."""
    match source:
        case Tokens():
            return states
        case Encoder():
            assert keys is not None
            return keys
        case Pool(stride=stride):
            ends = enumerate(window_ends(source, len(states)))
            rows = [states[slot * stride : end].any(0) for slot, end in ends]
            return np.array(rows).reshape(count, states.shape[1])
        case Project():
            return np.broadcast_to(states.any(0), (count, states.shape[1]))
        case Stream() | Tree():
            raise ValueError("rows of a stream or a tree are not followed through stages")
        case _:
            return np.zeros((count, states.shape[1]), dtype=bool)


def _product(mask: Booleans, depends: Booleans) -> Booleans:
    return np.asarray(mask.astype(np.float32) @ depends.astype(np.float32) > 0, dtype=bool)
