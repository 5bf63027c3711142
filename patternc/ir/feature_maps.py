"""Feature maps: attention whose weights are products of features of query and key, no softmax.

A row's output is phi(q) S / phi(q) z with S = sum phi(k) v and z = sum phi(k) over the keys that it
sees. Does not describe how a module computes them.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from patternc.frozen import frozen

MapKind = Literal["favor", "rfa", "elu"]
MAPS: tuple[MapKind, ...] = ("favor", "rfa", "elu")


@frozen
class FeatureMap:
    """What `features(count, map=kind)` computes, of all keys or with `causal` of those up to i.

    `favor`: positive orthogonal random features of the softmax (Performer, Choromanski et al.
    2021). `rfa`: sines and cosines of normalised q and k (Peng et al. 2021). `elu`: elu(x) + 1
    (Katharopoulos et al. 2020), as many as the head size, where `count` is 0. Directions are drawn
    from `seed` and the layer, or the run-time input `matrix`; `gate` is the input that says what
    earlier keys keep at every token, `same` that of labels, of each of which there are sums.
    """

    kind: MapKind
    count: int = 0
    seed: int = 0
    causal: bool = False
    matrix: str | None = None
    gate: str | None = None
    same: str | None = None
    word: ClassVar[str] = "features"

    @property
    def directions(self) -> int:
        """Rows of the matrix that q and k are multiplied by."""
        return self.count // 2 if self.kind == "rfa" else self.count
