"""What a graph of blocks says about the flow of information.

Maps the graph of one layer, repeated, to components, distances, bottlenecks and mixing. Matrices of
blocks are dense, so that a graph has at most `MOST_BLOCKS`. Source of the questions: Zaheer et al.
2020 (BigBird), section 2. Does not handle single positions or schedules whose layers differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from patternc.frozen import frozen

if TYPE_CHECKING:
    import networkx as nx

MOST_BLOCKS = 2048

Booleans = NDArray[np.bool_]


@frozen
class Structure:
    """Facts about blocks.

    `components` are strongly connected ones, on the residual path too. `diameter` is the largest
    number of layers that a connected pair of blocks needs. `cut_blocks` are those without which
    others fall apart. `band` is the largest d such that every block attends to all blocks up to d
    away (behind it, where none lies ahead); edges beyond it are long-range. `carriers` carry the
    long-range flow: taken out, busiest first, until no half of the others is connected by
    long-range edges. One global token is one carrier; without hubs they are many. `spectral_gap` is
    1 - |second eigenvalue| of the random walk that goes from a block to any that it attends to,
    alike; 0 where that never mixes. `leaks` are the pairs of tokens with j > i.
    """

    blocks: int
    components: int
    diameter: int
    cut_blocks: tuple[int, ...]
    band: int
    carriers: tuple[int, ...]
    spectral_gap: float
    leaks: int


def structure(graph: nx.DiGraph[int]) -> Structure:
    """Raises `ValueError` for more than `MOST_BLOCKS` blocks."""
    import networkx as nx

    count = graph.number_of_nodes()
    if count > MOST_BLOCKS:
        raise ValueError(f"{count} blocks; expected at most {MOST_BLOCKS}, use larger blocks")
    seen = np.zeros((count, count), np.bool_)
    for query, key in graph.edges:
        seen[query, key] = True
    band = _band(seen)
    return Structure(
        blocks=count,
        components=nx.number_strongly_connected_components(graph),
        diameter=_diameter(seen),
        cut_blocks=tuple(sorted(nx.articulation_points(nx.Graph(graph)))),
        band=band,
        carriers=tuple(_carriers(_long_range(graph, band))),
        spectral_gap=_spectral_gap(seen),
        leaks=sum(ahead for _, _, ahead in graph.edges(data="ahead")),
    )


def _band(seen: Booleans) -> int:
    """How many neighbours, on the sides that are looked at, every block sees."""
    sides = [side for side in (-1, 1) if any(np.diagonal(seen, side))]
    width = 0
    while width + 1 < len(seen) and sides:
        if not all(np.diagonal(seen, side * (width + 1)).all() for side in sides):
            break
        width += 1
    return width


def _long_range(graph: nx.DiGraph[int], band: int) -> nx.Graph[int]:
    """The edges beyond the band, without their directions."""
    import networkx as nx

    far: nx.Graph[int] = nx.Graph()
    far.add_edges_from((a, b) for a, b in graph.edges if abs(a - b) > band)
    return far


def _carriers(far: nx.Graph[int]) -> Iterator[int]:
    """Blocks of most long-range edges, as long as more than half of the others hang together."""
    import networkx as nx

    left = far.copy()
    while left.number_of_edges():
        largest = max(map(len, nx.connected_components(left)))
        if 2 * largest <= left.number_of_nodes():
            return
        busiest = max(left.degree, key=lambda each: (each[1], -each[0]))[0]
        left.remove_node(busiest)
        yield int(busiest)


def _diameter(seen: Booleans) -> int:
    reached = np.eye(len(seen), dtype=np.bool_)
    for layers in range(len(seen)):
        later = reached | ((seen.astype(np.float32) @ reached.astype(np.float32)) > 0)
        if np.array_equal(later, reached):
            return layers
        reached = later
    return len(seen)


def _spectral_gap(seen: Booleans) -> float:
    degrees = seen.sum(axis=1, keepdims=True)
    # A block that attends to nothing stays where it is.
    walk = np.where(degrees > 0, seen / np.maximum(degrees, 1), np.eye(len(seen)))
    sizes = np.sort(np.abs(np.linalg.eigvals(walk)))
    return float(max(0.0, 1 - sizes[-2])) if len(sizes) > 1 else 1.0
