"""What a question about a program is asked with: its arguments, checked, as arrays and tables."""

from __future__ import annotations

from collections.abc import Mapping

from patternc.frontend import Frontend
from patternc.queries.arguments import (
    Arrays,
    Input,
    arrays,
    heads_listed,
    layer_number,
    of_head,
    one_element,
    refuse_spans,
    slot_counts,
    tokens,
    verify_rows,
)
from patternc.relation.asked import inputs_asked
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables
from patternc.semantics.lengths import verify

Slots = Mapping[str, int] | None
Inputs = Mapping[str, Input]


def checked(
    frontend: Frontend, n: object, layer: object, inputs: Inputs, rows: str | None = None
) -> tuple[int, int, Arrays]:
    """The length, the layer and the run-time inputs of a question.

    About some `rows` of the layer these are the inputs that decide their pairs.
    """
    known = frontend.program.inputs
    n, layer = tokens(n), layer_number(layer, frontend.program.layers)
    for pattern in frontend.patterns(layer):
        verify(pattern, n)
    refuse_spans(inputs, known)
    given = arrays(inputs, known)
    verify_rows(given, known, frontend.program.heads)
    if not given or rows is None:
        return n, layer, given
    asked = frozenset().union(*map(inputs_asked, frontend.patterns(layer, rows)))
    return n, layer, {name: value for name, value in given.items() if name in asked}


def heads_with(frontend: Frontend, given: Arrays) -> range:
    """The heads; a program without `heads` has as many as its lists do."""
    program = frontend.program
    return range(program.heads or heads_listed(given, program.inputs))


def tables_of(
    frontend: Frontend, n: int, given: Arrays, slots: Slots, rows: str = "", element: int = 0
) -> list[HeadTables]:
    """What each head's relation asks, of one batch element."""
    sizes, asking = slot_counts(slots), frontend.rows_called(rows)
    heads = heads_with(frontend, given)
    every = (of_head(given, frontend.program.inputs, head, element) for head in heads)
    return [HeadTables(n, own, sizes, asking) for own in every]


def head_tables(
    frontend: Frontend, n: int, layer: int, slots: Slots, inputs: Inputs
) -> list[HeadTables]:
    """The same for the rows of the tokens, from the arguments of a question."""
    n, _, given = checked(frontend, n, layer, inputs)
    one_element(given, frontend.program.inputs, "this question")
    return tables_of(frontend, n, given, slots)


def stack(
    frontend: Frontend, n: int, layers: int, slots: Slots, inputs: Inputs
) -> tuple[list[tuple[Relation, ...]], list[list[HeadTables]]]:
    """The relations and tables of the layers that a schedule of that number goes through.

    The heads of other rows stand behind those of the tokens.
    """
    count = range(max(1, min(frontend.program.layers or 1, layers)))
    given = [checked(frontend, n, layer, inputs)[2] for layer in count]
    for own in given:
        one_element(own, frontend.program.inputs, "a receptive field")
    tables = [tables_of(frontend, n, own, slots) for own in given]
    heads = [len(own) for own in tables]
    return [frontend.all_relations(*each) for each in zip(count, heads, strict=True)], tables


def all_given(frontend: Frontend, inputs: Inputs) -> bool:
    """Whether every input that decides about pairs is there."""
    asked = (item.name for item in frontend.program.inputs if item.decides)
    return all(name in inputs for name in asked)
