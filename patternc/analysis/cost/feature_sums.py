"""What feature maps cost: products that grow with n alone, and a state in place of keys.

Maps the branches of a relation that have a feature map to multiplications and additions, for one
sequence of n tokens. q and k times the directions, the sums of phi(k) v, and phi(q) times these;
in the backward pass each product has two derivatives. Does not count the products within the chunks
of a causal scan, which depend on the backend.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from patternc.ir.feature_maps import FeatureMap
from patternc.relation.relation import Branch, Relation

STATE_BYTES = 4


def feature_map(branch: Branch) -> FeatureMap | None:
    return next((each for each in branch.modifiers if isinstance(each, FeatureMap)), None)


def feature_maps(relation: Relation) -> Iterator[FeatureMap]:
    yield from filter(None, map(feature_map, relation.branches))


def without_features(relation: Relation) -> Relation:
    """The relation with the branches whose pairs have scores."""
    kept = tuple(branch for branch in relation.branches if feature_map(branch) is None)
    return relation if len(kept) == len(relation.branches) else replace(relation, branches=kept)


def feature_products(relations: Iterable[Relation], n: int, head_dim: int) -> int:
    """Floating-point operations of the forward pass; twice as many in the backward pass."""
    each = (found for relation in relations for found in feature_maps(relation))
    rows = sum(found.directions + (found.count or head_dim) for found in each)
    return 2 * 2 * n * head_dim * rows


def is_stateful(relations: Sequence[Relation]) -> bool:
    """Does a state stand for all earlier keys of the layer?"""
    branches = [branch for relation in relations for branch in relation.branches]
    found = list(map(feature_map, branches))
    return bool(found) and all(each is not None and each.causal for each in found)


def state_bytes(relations: Iterable[Relation], head_dim: int) -> int:
    """Of the states of all heads: sums [features, head_dim + 1] each."""
    each = (found for relation in relations for found in feature_maps(relation))
    return STATE_BYTES * sum((found.count or head_dim) * (head_dim + 1) for found in each)


def described(relations: Iterable[Relation]) -> Iterator[str]:
    """A sentence for each feature map of a report."""
    for found in dict.fromkeys(each for relation in relations for each in feature_maps(relation)):
        size = f"{found.count}, " if found.count else ""
        count = str(found.count) if found.count else "head_dim"
        past = "the keys up to i" if found.causal else "all keys"
        yield (
            f"`features({size}map={found.kind})` weighs {past} without a product of any pair: "
            f"n * {count} * head_dim operations, whatever the pairs"
        )
