"""A backend whose text is a file of its own, beside the modules that `emit/module.py` writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from patternc.emit.backend import Request, UnsupportedError
from patternc.emit.features import features_in_use
from patternc.emit.link import linked
from patternc.emit.module import environment
from patternc.frozen import frozen
from patternc.ir.sources import name_of
from patternc.relation.relation import Relation
from patternc.schedule.schedule import Group, Schedule
from patternc.schedule.tile_sizes import Choice

# What templates that are shared with modules ask, and no such file has.
_OF_MODULES = ("found", "key_sums", "places", "sorted", "split", "value_terms")


def file_uses(**own: bool) -> dict[str, bool]:
    """What templates have branches for, of a file of its own."""
    return dict.fromkeys(_OF_MODULES, False) | features_in_use(frozenset(), has_cpu=False) | own


@frozen
class FileBackend:
    """One template, filled with what `context` says of a request.

    `reasons` yields what the format cannot hold of one layer's groups, a sentence each; tiles are
    `side` squared, unless the user names others, for the reason `why`.
    """

    name: str
    template: str
    side: int
    why: str
    reasons: Callable[[Sequence[Group]], Iterator[str]]
    context: Callable[[Request], dict[str, object]]

    def unsupported(self, schedule: Schedule) -> tuple[str, ...]:
        """Each sentence once, in the order of the program."""
        return tuple(dict.fromkeys(self._reasons(schedule)))

    def _reasons(self, schedule: Schedule) -> Iterator[str]:
        for rows in schedule.rows:
            yield f"the rows of `{name_of(rows)}` are another sequence than the n tokens"
        for groups in schedule.groups:
            yield from self.reasons(groups)

    def tile_sizes(
        self, relations: Iterable[Relation], dtype: str | None, head_dim: int | None
    ) -> Choice:
        del relations, dtype, head_dim
        return Choice(self.side, self.side, (self.why,))

    def emit(self, request: Request) -> str:
        if request.self_test:
            raise UnsupportedError(self.name, ["its file has no self-test"])
        context = {"backends": {self.name: self}, **self.context(request)}
        return linked(environment().get_template(self.template).render(context))
