"""What a layer costs: pairs, products, bytes and memory, exact where its counts are.

Maps the relations of a layer and a `Workload` to numbers, for one sequence of n tokens. A pair
costs two products of head_dim multiplications and additions in the forward pass (Q K^T, P V), five
in the backward pass (the scores again, and the gradients of V, P, Q and K; Dao et al. 2022). Bytes
are those of every tensor once: less cannot be moved. Does not include weights; devices are in
`roofline`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from patternc.algebra.lengths import EVERY_LENGTH, Lengths
from patternc.analysis.cost.feature_sums import (
    feature_products,
    is_stateful,
    state_bytes,
    without_features,
)
from patternc.analysis.cost.kv_cache import Kept, is_causal, kept_keys, kept_pages, readers
from patternc.analysis.cost.last_reader import LastReader, last_reader
from patternc.analysis.cost.pair_counts import HeadCount, head_count
from patternc.analysis.cost.search_cost import search_products
from patternc.analysis.cost.visited_tiles import visited_tiles
from patternc.frozen import frozen
from patternc.ir.sources import TOKENS
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables

BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
LSE_BYTES = 4
PAGE = 16
"""Tokens in a page of a paged cache."""
FORWARD, BACKWARD = 2, 5
"""Matrix products a pass."""


@frozen
class Workload:
    """One call: n tokens, features a head, data type, key heads (None: as many as heads).

    Closed forms are those of `lengths`.
    """

    n: int
    head_dim: int = 64
    dtype: str = "bfloat16"
    kv_heads: int | None = None
    lengths: Lengths = EVERY_LENGTH

    @property
    def vector(self) -> int:
        """Bytes of one query, key or value of one head."""
        return self.head_dim * BYTES[self.dtype]


@frozen
class Both:
    """A quantity of the forward and of the backward pass."""

    forward: int
    backward: int


@frozen
class LayerCost:
    """One layer; per head where a tuple, summed over the heads elsewhere.

    `rows` are the queries, `keys` the slots of all sources. `useful` and `issued` are
    floating-point operations: of the pairs, and of the whole tiles that hold them (None where
    tables or inputs decide the tiles); `finding` are those of searches, in the forward pass.
    `tiles` are visited ones, `tile` is (query rows, keys). Caches are bytes of keys and values;
    `decode_keys` says how many tokens of each key head later rows still need, `decode_pages` how
    many pages of `PAGE` tokens all key heads together; None where rows see later tokens.
    `last_readers` say in closed form which row is the last one that reads token j of each head.
    """

    heads: tuple[HeadCount, ...]
    rows: int
    keys: int
    tile: tuple[int, int]
    tiles: tuple[int | None, ...]
    useful: Both
    issued: Both | None
    moved: Both
    activations: int
    prefill_cache: int
    decode_cache: int | None
    decode_keys: tuple[int, ...] | None
    decode_pages: Kept | None
    last_readers: tuple[LastReader, ...] | None
    finding: int = 0

    @property
    def density(self) -> float:
        """Distinct pairs among all pairs of queries and keys, over all heads."""
        pairs = sum(head.pairs.most for head in self.heads)
        return pairs / max(len(self.heads) * self.rows * self.keys, 1)

    @property
    def densities(self) -> tuple[float, ...]:
        """The same of every head, over the keys of the layer: their mean is `density`."""
        cells = max(self.rows * self.keys, 1)
        return tuple(head.pairs.most / cells for head in self.heads)


def layer_cost(
    relations: Sequence[Relation],
    tables: Sequence[HeadTables],
    work: Workload,
    tile: tuple[int, int],
    sizes: Mapping[str, int],
    grid: bool,
) -> LayerCost:
    """The cost of the heads with these relations; on a `grid` the length is the only one."""
    both = list(zip(relations, tables, strict=True))
    heads = tuple(head_count(relation, own, sizes, grid, work.lengths) for relation, own in both)
    scored = [without_features(relation) for relation in relations]
    each = zip(scored, tables, strict=True)
    tiles = tuple(visited_tiles(relation, own, sizes, tile) for relation, own in each)
    sources = dict.fromkeys(source for relation in relations for source in relation.sources)
    slots = {source: tables[0].of(source).m for source in sources}
    keys, groups = sum(slots.values()), _by_key_head(relations, work)
    stateful = is_stateful(relations)
    read = scored if stateful else relations
    kept = _kept(read, _by_key_head(read, work), work.n) if TOKENS in slots else None
    others = keys - slots.get(TOKENS, 0)
    state = state_bytes(relations, work.head_dim) if stateful else 0
    summed = feature_products(relations, work.n, work.head_dim)
    pairs = sum(
        (head if own is relation else head_count(own, table, sizes, grid)).with_multiplicity.most
        for head, own, (relation, table) in zip(heads, scored, both, strict=True)
    )
    return LayerCost(
        heads=heads,
        rows=work.n,
        keys=keys,
        tile=tile,
        tiles=tiles,
        useful=_products(pairs, work, summed),
        issued=_issued(tiles, tile, work, summed),
        moved=_moved(len(relations), len(groups), keys, work),
        activations=_moved(len(relations), len(groups), keys, work).forward,
        prefill_cache=2 * len(groups) * keys * work.vector,
        decode_cache=(
            None
            if kept is None
            else 2 * work.vector * sum(count + others for count in kept) + state
        ),
        decode_keys=kept,
        decode_pages=None if kept is None else kept_pages(readers(read, PAGE), work.n),
        last_readers=(
            None
            if kept is None or stateful
            else tuple(last_reader(readers([head])) for head in relations)
        ),
        finding=sum(search_products(*head, work.head_dim) for head in both),
    )


def _by_key_head(relations: Sequence[Relation], work: Workload) -> list[Sequence[Relation]]:
    """The heads that share each key head: query head h uses key head h // (heads / kv_heads)."""
    count = work.kv_heads or len(relations)
    if len(relations) % count:
        raise ValueError(f"{len(relations)} heads are no multiple of {count} key heads")
    share = len(relations) // count
    return [relations[first : first + share] for first in range(0, len(relations), share)]


def _kept(
    relations: Sequence[Relation], groups: list[Sequence[Relation]], n: int
) -> tuple[int, ...] | None:
    return tuple(kept_keys(group, n) for group in groups) if is_causal(relations) else None


def _products(pairs: int, work: Workload, summed: int) -> Both:
    """An addition and a multiplication for every feature of every pair, and every product.

    `summed` are those of feature maps, which have no pairs.
    """
    each = 2 * pairs * work.head_dim
    return Both(FORWARD * each + summed, BACKWARD * each + 2 * summed)


def _issued(
    tiles: Sequence[int | None], tile: tuple[int, int], work: Workload, summed: int
) -> Both | None:
    known = [count for count in tiles if count is not None]
    pairs = sum(known) * tile[0] * tile[1]
    return _products(pairs, work, summed) if len(known) == len(tiles) else None


def _moved(heads: int, key_heads: int, keys: int, work: Workload) -> Both:
    """q, k, v, out and lse; then those again with their gradients and one sum a row."""
    rows, slots = heads * work.n, key_heads * keys
    forward = 2 * (rows + slots) * work.vector + rows * LSE_BYTES
    return Both(forward, 4 * (rows + slots) * work.vector + 2 * rows * LSE_BYTES)
