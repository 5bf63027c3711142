"""Searches: how the lists of a relation are found in a call, from its queries and keys.

Each is data that a relation carries; the generated module has the code. What a row may find is the
`among` of `terms.Found`. Does not search.
"""

from __future__ import annotations

from patternc.frozen import frozen


@frozen
class Nearest:
    """The `count` keys of greatest score, which is a product or in the run-time input `scores`."""

    count: int
    scores: str = ""

    @property
    def width(self) -> int:
        """How many keys an entry of its lists stands for."""
        return 1

    @property
    def sorts(self) -> bool:
        """Does it put rows and keys in another order, in which they attend?"""
        return False

    @property
    def most(self) -> int:
        """The keys that a row finds at most."""
        return self.count


@frozen
class TopBlocks:
    """The `count` blocks of `width` keys with the greatest scores, among those with an allowed key.

    A block's score is that of the mean of its keys, or is in the run-time input `scores`. In a
    `group` the heads of one key head find the same, by the sum of their softmaxes over the blocks
    (of given scores: by their sum).
    """

    count: int
    width: int
    scores: str = ""
    group: bool = False

    @property
    def sorts(self) -> bool:
        return False

    @property
    def most(self) -> int:
        return self.count * self.width


@frozen
class Lsh:
    """Positions in the order of their hashes, cut into chunks: keys of the own chunk and of `back`
    before it, in each of several `rounds` (Reformer).

    The hash of a query is the nearest of `buckets` directions, from the run-time input `rotations`
    or drawn from `seed`. A row attends to itself only where it finds nothing else. With `wrap` the
    chunks of all rounds form a ring; with `same` keys are of the row's bucket. A pair that is
    found in several rounds is `counted` as often, or once.
    """

    buckets: int
    chunk: int
    rounds: int = 1
    back: int = 1
    wrap: bool = False
    same: bool = False
    counted: bool = False
    rotations: str = ""
    seed: int = 0

    @property
    def width(self) -> int:
        return 1

    @property
    def sorts(self) -> bool:
        return True

    @property
    def most(self) -> int:
        return self.rounds * (1 + self.back) * self.chunk


@frozen
class Cluster:
    """Each of `count` clusters takes the `take` queries and the `take` keys nearest to its mean.

    Rows attend to the keys of all their clusters, or with `mean` to those of each by itself, and
    the outputs are averaged (Routing Transformer). The run-time input `means` has the centroids.
    With `own_last` a row attends to itself only where a cluster has nothing else for it.
    """

    count: int
    take: int
    means: str
    own_last: bool = False
    mean: bool = False

    @property
    def width(self) -> int:
        return 1

    @property
    def sorts(self) -> bool:
        return self.mean

    @property
    def most(self) -> int:
        return self.count * self.take


@frozen
class Sinkhorn:
    """One block of `width` keys for each block of `width` rows (Sinkhorn Transformer, hard).

    The scores of blocks are products of their means; `sweeps` times their exponents are divided by
    the sums of rows and of columns, so that blocks are shared out. A row takes its greatest.
    """

    width: int
    sweeps: int = 7

    @property
    def sorts(self) -> bool:
        return False

    @property
    def most(self) -> int:
        return self.width


SORTED_LISTS = "sorted_lists"
"""The lists where rows and keys are in another order: a run-time input that no call gives."""

Search = Nearest | TopBlocks | Lsh | Cluster | Sinkhorn
