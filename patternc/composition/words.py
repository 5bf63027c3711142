"""The words of the language as functions. Written by `write_words.py` from the table of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

Integer = int | str
"""A number, or text such as `"n // 4"`."""
Positions = str | slice | range | Sequence[int | str | slice | range]
"""Numbers and ranges, `[0, slice(4, 8), -1]`, or text: `"period(4, 0:1)"`, the name of an input."""


class Words:
    """A pattern for each word: `Pattern.local(256)`. Arguments are those of the text.

    Numbers are numbers or text of the language (`"n // 4"`), positions lists, ranges or text, names
    of run-time inputs and conditions text. `PatternError` says what a word does not take.
    """

    @classmethod
    def _of_word(cls, word: str, placed: tuple[object, ...], /, **named: object) -> Self:
        raise NotImplementedError

    @classmethod
    def full(cls) -> Self:
        """full

        Every pair.
        """
        return cls._of_word("full", ())

    @classmethod
    def none(cls) -> Self:
        """none

        No pair.
        """
        return cls._of_word("none", ())

    @classmethod
    def diagonal(cls) -> Self:
        """diagonal

        j = i.
        """
        return cls._of_word("diagonal", ())

    @classmethod
    def causal(cls) -> Self:
        """causal

        j <= i.
        """
        return cls._of_word("causal", ())

    @classmethod
    def local(
        cls,
        r: Integer | None = None,
        /,
        *,
        left: Integer | None = None,
        right: Integer | None = None,
        dilation: Integer | None = None,
    ) -> Self:
        """local([r], [left=..], [right=..], [dilation=..])

        -a d <= j - i <= b d, and d divides j - i. Sides count keys, the query not among them:
        `local(r)` is `local(left=r, right=r)`, 2 r + 1 keys. With names only, the other side is
        0. A side may be negative, `right=-1` leaves the query out; a + b < 0 is an error. Sides
        may hold n.
        """
        return cls._of_word(
            "local",
            (r,),
            left=left,
            right=right,
            dilation=dilation,
        )

    @classmethod
    def strided(cls, s: Integer, /) -> Self:
        """strided(s)

        s divides i - j.
        """
        return cls._of_word("strided", (s,))

    @classmethod
    def segment(
        cls,
        w: Integer,
        /,
        *,
        back: Integer | None = None,
        ahead: Integer | None = None,
        dilation: Integer | None = None,
        offset: Integer | None = None,
    ) -> Self:
        """segment(w, [back=..], [ahead=..], [dilation=..], [offset=..])

        -p <= j // w - i // w <= f, both 0 by default: the own segment of w positions, p before
        and f after.
        """
        return cls._of_word(
            "segment",
            (w,),
            back=back,
            ahead=ahead,
            dilation=dilation,
            offset=offset,
        )

    @classmethod
    def columns_(cls, positions: Positions, /) -> Self:
        """columns(positions)

        j in S.
        """
        return cls._of_word("columns", (positions,))

    @classmethod
    def rows_(
        cls,
        positions: Positions,
        /,
        *,
        projection: str | None = None,
    ) -> Self:
        """rows(positions, [projection=..])

        i in S.
        """
        return cls._of_word(
            "rows",
            (positions,),
            projection=projection,
        )

    @classmethod
    def global_(
        cls,
        positions: Positions,
        /,
        *,
        projection: str | None = None,
    ) -> Self:
        """global(positions, [projection=..])

        Either of them.
        """
        return cls._of_word(
            "global",
            (positions,),
            projection=projection,
        )

    @classmethod
    def permuted(cls, p: Positions, /) -> Self:
        """permuted(p)

        j = p[i], with p a permutation of 0..m-1, written as a list; ranges in it are written out.
        Positions from m on hold nothing.
        """
        return cls._of_word("permuted", (p,))

    @classmethod
    def random(
        cls,
        k: Integer,
        /,
        *,
        pool: Positions | None = None,
        seed: Integer | None = None,
        avoid: Self | None = None,
        share: Literal["head", "layer"] | None = None,
    ) -> Self:
        """random(k, [pool=..], [seed=..], [avoid=..], [share=..])

        j is one of k draws: see [Random keys](#random-keys).
        """
        return cls._of_word(
            "random",
            (k,),
            pool=pool,
            seed=seed,
            avoid=avoid,
            share=share,
        )

    @classmethod
    def listed(
        cls,
        name: str,
        /,
        *,
        block: Integer | None = None,
    ) -> Self:
        """listed(name, [block=..])

        j is in the run-time list of row i: integers [rows, k], [heads, rows, k] or [batch, heads,
        rows, k]. Negative entries are empty, repeats count once. With `block=B` an entry is a
        block of B keys, j // B, the rows are tokens still: the shape of selected blocks (NSA,
        MoBA). Inside `blocks(..)` both count its blocks.
        """
        return cls._of_word(
            "listed",
            (name,),
            block=block,
        )

    @classmethod
    def neighborhood(
        cls,
        grid: Positions,
        /,
        *,
        radius: Positions | None = None,
        left: Positions | None = None,
        right: Positions | None = None,
        dilation: Positions | None = None,
        stride: Positions | None = None,
        edge: Literal["clip", "shift"] | None = None,
        causal: Positions | None = None,
    ) -> Self:
        """neighborhood(grid, [radius=..], [left=..], [right=..], [dilation=..], [stride=..],
        [edge=..], [causal=..])

        Windows on a grid whose positions appear in raster order; the product of the sizes is n,
        else the call is an error. One number for each axis in every list:
        """
        return cls._of_word(
            "neighborhood",
            (grid,),
            radius=radius,
            left=left,
            right=right,
            dilation=dilation,
            stride=stride,
            edge=edge,
            causal=causal,
        )

    @classmethod
    def windows(
        cls,
        grid: Positions,
        /,
        *,
        size: Positions,
        shift: Positions | None = None,
        dilation: Positions | None = None,
        edge: Literal["clip", "wrap", "roll"] | None = None,
    ) -> Self:
        """windows(grid, size=.., [shift=..], [dilation=..], [edge=..])

        A grid in raster order, as of `neighborhood`, is cut into windows; i and j are in one. One
        number for each axis in every list:
        """
        return cls._of_word(
            "windows",
            (grid,),
            size=size,
            shift=shift,
            dilation=dilation,
            edge=edge,
        )

    @classmethod
    def same(cls, name: str, /) -> Self:
        """same(name)

        The run-time labels of i and j are equal. A negative label equals nothing, so padded rows
        are empty.
        """
        return cls._of_word("same", (name,))

    @classmethod
    def where(cls, condition: str, /) -> Self:
        """where(condition)

        The condition over i, j, n, layer and head holds.
        """
        return cls._of_word("where", (condition,))

    @classmethod
    def visible(cls, begin: str, end: str, /) -> Self:
        """visible(begin, end)

        Two conditions with a name: `visible(begin, end)` is `where(begin[j] <= i and i <
        end[j])`, a key that the rows begin .. end - 1 see; `before(bound)` is `where(j <
        bound[i])`, the keys before a row's bound.
        """
        return cls._of_word("visible", (begin, end))

    @classmethod
    def offsets(cls, distances: Positions, /) -> Self:
        """offsets(distances)

        j - i is in the list, a power b^0, b^1, .. of b, or in the run-time list `name`; under the
        header `causal`, i - j is. Neighbours make a band, evenly spaced distances are computed
        over classes of positions where that pays.
        """
        return cls._of_word("offsets", (distances,))

    @classmethod
    def before(cls, bound: str, /) -> Self:
        """before(bound)

        Two conditions with a name: `visible(begin, end)` is `where(begin[j] <= i and i <
        end[j])`, a key that the rows begin .. end - 1 see; `before(bound)` is `where(j <
        bound[i])`, the keys before a row's bound.
        """
        return cls._of_word("before", (bound,))

    @classmethod
    def contextual(cls, k: Integer, /) -> Self:
        """contextual(k)

        On a tree: the next k nodes on each side, at every level up to the root.
        """
        return cls._of_word("contextual", (k,))

    @classmethod
    def lsh(
        cls,
        buckets: Integer,
        /,
        *,
        chunk: Integer,
        rounds: Integer | None = None,
        back: Integer | None = None,
        edge: Literal["clip", "wrap"] | None = None,
        match: Literal["chunk", "bucket"] | None = None,
        rotations: str | None = None,
        seed: Integer | None = None,
        name: str | None = None,
    ) -> Self:
        """lsh(buckets, chunk=.., [rounds=..], [back=..], [edge=..], [match=..], [rotations=..],
        [seed=..], [name=..])

        In each of r rounds (1) the positions are in the order of their hashes, those of one hash
        in their own, and cut into chunks of c. Row i attends to the keys of its chunk and of the
        b chunks (1) before it that everything around `lsh` allows, and to itself only where it
        finds nothing else in any round (Reformer). A hash is the nearest of `buckets` directions
        to q: those of the run-time input `rotations=` and their opposites, or else drawn from
        `seed` (0) for each head; `seed=layer` draws others in every layer. Queries and keys are
        in one order, so k is to be made from q; Reformer's is q / |q|, with scale 1.
        """
        return cls._of_word(
            "lsh",
            (buckets,),
            chunk=chunk,
            rounds=rounds,
            back=back,
            edge=edge,
            match=match,
            rotations=rotations,
            seed=seed,
            name=name,
        )

    @classmethod
    def cluster(
        cls,
        count: Integer,
        take: Integer,
        /,
        *,
        means: str,
        own: Literal["last"] | None = None,
        name: str | None = None,
    ) -> Self:
        """cluster(count, take, means=.., [own=..], [name=..])

        Each of `count` clusters takes the `take` queries and, apart from them, the `take` keys
        whose unit vectors have the greatest products with its mean, in the run-time input NAME;
        row i attends to the keys of all clusters that took it, as far as everything around
        `cluster` allows. `mean(cluster(..))` and `mean(cluster(..) & A)` are a softmax for each
        cluster, averaged over those in which the row has a key (Routing Transformer). With
        `own=last` a row attends to itself only where a cluster has nothing else for it.
        `patternc.nn.updated_means` moves the means. A cluster chooses among all rows, so a call
        with fewer queries than keys is refused unless it gives lists.
        """
        return cls._of_word(
            "cluster",
            (count, take),
            means=means,
            own=own,
            name=name,
        )

    @classmethod
    def nearest(
        cls,
        k: Integer,
        /,
        *,
        scores: str | None = None,
        name: str | None = None,
    ) -> Self:
        """nearest(k, [scores=..], [name=..])

        j is one of the k keys of greatest score q(i) k(j), among the pairs that everything around
        `nearest` allows: `nearest(k) & A` are the k nearest of A, `nearest(k) - A` those outside
        A, under the header `causal` those up to i, `nearest(k) on SOURCE` slots of the source. A
        union adds pairs to them. With fewer than k keys allowed all are taken.
        """
        return cls._of_word(
            "nearest",
            (k,),
            scores=scores,
            name=name,
        )

    @classmethod
    def top_blocks(
        cls,
        k: Integer,
        /,
        *,
        block: Integer,
        scores: str | None = None,
        share: Literal["group"] | None = None,
        name: str | None = None,
    ) -> Self:
        """top_blocks(k, block=.., [scores=..], [share=..], [name=..])

        j is in one of the k blocks of B keys with the greatest scores, among the blocks with an
        allowed pair, and is allowed itself. The score of a block is the product of the query with
        the mean of its keys, or is in the run-time input that `scores=` names. With `share=group`
        the query heads of a key head find the same: the blocks with the greatest sums of the
        heads' softmaxes over the blocks, or of given scores. Blocks that are always held are
        taken out of the search and joined to it. All else is as for `nearest`; lists count blocks
        of keys. The mean is that of all keys of a block, also of those that nothing allows. In
        every search a score that is not a number is the greatest; NaN or infinite keys that no
        row may see, and queries that may see no key, are as if they were not there (`lsh` sorts
        them behind all others).
        """
        return cls._of_word(
            "top_blocks",
            (k,),
            block=block,
            scores=scores,
            share=share,
            name=name,
        )

    @classmethod
    def sinkhorn(
        cls,
        block: Integer,
        /,
        *,
        sweeps: Integer | None = None,
        name: str | None = None,
    ) -> Self:
        """sinkhorn(block, [sweeps=..], [name=..])

        Rows and keys are cut into blocks of B, and the rows of a block attend to the keys of one
        block (Sinkhorn Transformer, without its blend of blocks). The scores of blocks are
        products of the means of their queries and keys; pairs of blocks without an allowed pair
        have none. Their exponents are divided by the sums of their rows and then of their
        columns, s times (7), and every block of rows takes its greatest.
        """
        return cls._of_word(
            "sinkhorn",
            (block,),
            sweeps=sweeps,
            name=name,
        )

    @classmethod
    def mix(cls, *branches: Self) -> Self:
        """mix(A, ..)

        One softmax over all branches: a pair in two of them counts twice.
        """
        return cls._of_word("mix", branches)

    @classmethod
    def gate(
        cls,
        *branches: Self,
        name: str | None = None,
    ) -> Self:
        """gate(A, .., [name=..])

        The branches' outputs, weighted by a run-time input for each head or query.
        """
        return cls._of_word(
            "gate",
            branches,
            name=name,
        )

    @classmethod
    def difference(
        cls,
        *branches: Self,
        name: str,
    ) -> Self:
        """difference(A, .., name=..)

        The first output less the second, by a run-time weight of each head or query.
        """
        return cls._of_word(
            "difference",
            branches,
            name=name,
        )

    @classmethod
    def sum(cls, *branches: Self) -> Self:
        """sum(A, ..)

        The sum of the branches' outputs, each a softmax of its own.
        """
        return cls._of_word("sum", branches)

    @classmethod
    def mean(cls, *branches: Self) -> Self:
        """mean(A, ..)

        The mean of the outputs of the branches with a key in a row.
        """
        return cls._of_word("mean", branches)

    @classmethod
    def features(
        cls,
        m: Integer | None = None,
        /,
        *,
        map: Literal["favor", "rfa", "elu"],
        seed: Integer | None = None,
        matrix: str | None = None,
        gate: str | None = None,
        same: str | None = None,
    ) -> Self:
        """features([m], map=.., [seed=..], [matrix=..], [gate=..], [same=..])

        Features in place of a softmax, at a cost linear in n.
        """
        return cls._of_word(
            "features",
            (m,),
            map=map,
            seed=seed,
            matrix=matrix,
            gate=gate,
            same=same,
        )
