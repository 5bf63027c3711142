"""`when`: the lengths of a form, written as a condition on n."""

from __future__ import annotations

from patternc.algebra.lengths import Lengths
from patternc.algebra.queries import variables_of
from patternc.algebra.walk import readings_in
from patternc.frontend import Frontend
from patternc.ir.terms import Where
from patternc.semantics.lengths import Span


def lengths_of(when: str | None, span: Span | None) -> Lengths:
    """Raises `PatternError` for a text that is no condition, `ValueError` where no n fulfils it."""
    if when is None:
        return Lengths(span)
    if not isinstance(when, str):
        raise TypeError(f"when is {type(when).__name__}; expected a text such as 'n % 32 == 0'")
    if not when.strip():
        raise ValueError("when is empty; write a condition on n, such as `n % 32 == 0`")
    match Frontend(f"where({when})", "--when", {}).resolve(0, 0, "").branches:
        case (Where(condition),) if not any(readings_in(condition)):
            pass
        case _:
            raise ValueError(f"`{when}` is no condition on n; write one such as `n % 32 == 0`")
    if others := sorted(variables_of(condition) - {"n"}):
        raise ValueError(f"`{when}` names {others[0]}; lengths are told by a condition on n alone")
    found = Lengths(span, condition, " ".join(when.split()))
    if found.following(1) is None:
        where = "" if span is None else f" of {span[0]:,} to {span[1]:,}, which the grid fits,"
        raise ValueError(f"no length{where} fulfils `{found.text}`")
    return found


def length_among(n: int | None, usual: int, lengths: Lengths) -> int:
    """n, which has to be of the form; else the first such length from `usual` on."""
    if n is None:
        found = lengths.following(usual) or lengths.following(1)
        assert found is not None
        return found
    if lengths.text and n not in lengths:
        other = lengths.following(n) or lengths.following(1)
        raise ValueError(f"n is {n}, which does not fulfil `{lengths.text}`; {other} does")
    return n
