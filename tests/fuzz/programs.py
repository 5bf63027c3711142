"""Random whole programs: headers, bindings, rules, every relation, source, modifier and output.

From a seed to a text that most times is accepted. A name of a run-time input says what it counts:
`plan_b3` counts blocks of 3, `plan_p4` four parts, `plan_of_memory` the slots of a source (for a
pool with its window, `plan_of_pool_4_2_clip`), `plan_in_g` the rows of the stream `g`, `found1_w4`
blocks of 4 keys; `tests.fuzz.calls` reads it there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from tests.fuzz.searches import Searches

STREAM = "g"
_BASES = {
    "listed": "plan",
    "set": "chosen",
    "rows": "picked",
    "labels": "doc",
    "integers": "number",
    "offsets": "apart",
}
CONVOLVED = 3
"""Positions of the kernels of pools: one input serves all pools of a program."""
SEQUENCES = ("", "memory", "encoder", "stream")
NOWHERE = ("persistent", "store", "project", "tree")
DISTANCES = (
    *("alibi", "t5", "relative", "relative_values", "xl_relative", "distance_aware"),
    *("softspan", "dynamic_span"),
)
SCORES = ("softcap", "bias", "decay")
WHOLE = ("scale", "rotary", "sink", "absolute")


@dataclass(frozen=True)
class Place:
    """Where a set of pairs stands: its source, what its positions count, whose rows ask.

    `fixed` sets hold neither draws nor lists, `known` ones no input at all; inside of `lifted`
    braces stands no `on` and no search. `repeated` sets stand in several places of a head.
    """

    source: str = ""
    window: str = ""
    unit: str = ""
    rows: str = ""
    lifted: bool = False
    fixed: bool = False
    drawing: bool = True
    known: bool = False
    repeated: bool = False

    @property
    def searching(self) -> bool:
        return not (self.fixed or self.lifted or self.repeated)

    @property
    def counted(self) -> str:
        return self.unit + (f"_of_{self.source}{self.window}" if self.source else "")

    @property
    def asked(self) -> str:
        return f"_in_{self.rows}" if self.rows else ""

    @property
    def of_tokens(self) -> bool:
        """Whether keys are tokens, so that n may stand here."""
        return not (self.rows and self.source)


class Writer(Searches):
    """One program of one seed."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        slotted = ("memory", "compressed", "persistent", "store", "project")
        self.sizes = {word: random.randint(1, 6) for word in slotted}
        self.sizes |= {"stream": random.randint(1, 5)}
        self.rate, self.branching = random.randint(1, 3), random.randint(2, 4)
        self.depth = random.choice([0, 1, 1, 2])
        # Most programs are short: what is wrong of a few parts is found sooner.
        self.short = random.random() < 0.6
        self.projected = False
        self.streams = False

    # --- relations ------------------------------------------------------------------------------

    def input(self, role: str, place: Place) -> str:
        asked = place.asked if role in ("listed", "rows") else ""
        base = _BASES[role]
        counted = place.unit if role in ("rows", "labels", "integers", "offsets") else place.counted
        return f"{base}{counted}{asked}"

    def listed(self, place: Place) -> str:
        name = self.input("listed", place)
        size = self.random.randint(2, 5)
        wide = name.replace(_BASES["listed"], f"{_BASES['listed']}_w{size}", 1)
        return f"listed({name})" if self.chance(0.7) else f"listed({wide}, block={size})"

    def width(self, place: Place) -> str:
        if place.of_tokens and self.chance(0.1):
            return self.random.choice(["n // 4", "n", "n // 3 + 1", *self.names.sizes])
        return self.number(0, 9)

    def local(self, place: Place) -> str:
        if self.chance(0.4):
            return f"local({self.width(place)})"
        left, right = f"left={self.width(place)}", f"right={self.number(0, 5)}"
        if self.chance(0.2):
            left, right = (
                f"left={self.random.randint(4, 9)}",
                f"right={self.random.randint(-4, -1)}",
            )
        sides = [left, right] if self.chance(0.7) or "-" in right else [left]
        more = [f"dilation={self.small(4)}"] if self.chance(0.4) else []
        return f"local({', '.join(sides + more)})"

    def offsets(self, place: Place) -> str:
        """Distances in a list, which ranges are in, or powers."""
        plain = not (place.fixed or place.known or place.source or place.rows)
        if plain and self.chance(0.15):
            return f"offsets({self.input('offsets', place)})"
        if self.chance(0.3):
            return f"offsets(powers({self.random.randint(2, 4)}))"
        single = [str(self.random.randint(-9, 20)) for _ in range(self.random.randint(1, 3))]
        first, step = self.random.randint(-4, 4), self.random.randint(1, 4)
        spaced = [str(first + step * k) for k in range(self.random.randint(1, 6))]
        return f"offsets([{', '.join([*single, *spaced])}])"

    def segment(self) -> str:
        width = self.small(9)
        if self.chance(0.3):
            offset = f", offset={self.random.randint(-3, 9)}" if self.chance(0.5) else ""
            return f"segment({width}, dilation={self.small(5)}{offset})"
        back = f", back={self.random.randint(0, 2)}" if self.chance(0.5) else ""
        ahead = f", ahead={self.random.randint(0, 2)}" if self.chance(0.4) else ""
        return f"segment({width}{back}{ahead})"

    def positions(self, role: str, place: Place) -> str:
        with_n = place.of_tokens
        if not place.fixed and self.chance(0.15):
            return self.input(role, place)
        if self.names.lists and with_n and self.chance(0.15):
            return self.random.choice(self.names.lists)
        return self.list(with_n) if self.chance(0.7) else self.period()

    def asking(self, word: str, place: Place) -> str:
        """`rows` and `global`, perhaps with projections of their own."""
        own = not (place.source or place.rows or place.unit or place.known)
        own = own and not self.names.causal
        projection = ", projection=own" if own and self.projected and self.chance(0.7) else ""
        return f"{word}({self.positions('rows' if word == 'rows' else 'set', place)}{projection})"

    def read_integers(self, place: Place) -> str:
        """Of run-time integers, by themselves or beside others."""
        name = self.input("integers", place)
        names = [f"{name}[i]", f"{name}[j]"] * 2 + ["i", "j", self.number(-3, 6)]

        def side(*among: str) -> str:
            one, size = self.random.choice(among), self.small(4)
            ways = [f"{one} + {size}", f"2 * {one}", f"{one} // {size}", f"{one} % {size}"]
            ways += [f"min({one}, {size})", f"max({one} - {size}, 0)", f"abs({one})"]
            return self.random.choice(ways) if self.chance(0.4) else one

        operator = self.random.choice(["<", "<=", "==", "!=", ">=", ">"])
        found = f"{side(*names[:2])} {operator} {side(*names)}"
        if self.chance(0.3):
            found = f"0 <= {name}[i] - {name}[j] and {name}[i] - {name}[j] < {self.small(5)}"
        if self.chance(0.3):
            joint = self.random.choice(["and", "or", "and not"])
            found = f"({found}) {joint} ({side(*names[:2])} {operator} {side(*names)})"
        return found

    def bounded(self, place: Place) -> str:
        """Of bounds that the call gives for rows or keys."""
        name = self.input("integers", place)
        if place.source in SEQUENCES and self.chance(0.6):
            return f"visible({name}, limit{name[len('number') :]})"
        return f"before({name})"

    def draws(self, place: Place) -> str:
        parts = [str(self.random.randint(1, 3))]
        if self.chance(0.4):
            ends = sorted(self.random.sample(range(40), 2))
            parts.append(
                f"pool={ends[0]}:{ends[1]}" if self.chance(0.5) else f"pool={self.list(False)}"
            )
        parts += [f"seed={self.random.choice([0, 7, 2**40])}"] if self.chance(0.5) else []
        if self.chance(0.2):
            parts.append(f"avoid={self.set(replace(place, fixed=True, drawing=False), 0)}")
        if self.names.heads and self.chance(0.2):
            parts.append("share=head")
        return f"random({', '.join(parts)})"

    def neighborhood(self) -> str:
        grid = self.names.grid or (6,)
        axes = range(len(grid))
        sides = [self.random.randint(0, 2) for _ in axes]
        more = [f"radius={sides}"]
        if self.chance(0.3):
            more = [f"left={sides}", f"right={[self.random.randint(0, 1) for _ in axes]}"]
        elif self.chance(0.3):
            more.append(f"causal=[{self.random.choice(list(axes))}]")
        if self.chance(0.3):
            more.append(f"dilation={[self.random.randint(1, 2) for _ in axes]}")
        if self.chance(0.3) and all(sides):
            more.append(f"stride={[self.random.randint(1, 2) for _ in axes]}")
        if self.chance(0.5):
            inside = all(2 * side < size // 2 for side, size in zip(sides, grid, strict=True))
            more.append(f"edge={'shift' if inside else 'clip'}")
        return f"neighborhood({list(grid)}, {', '.join(more)})"

    def windows(self) -> str:
        grid = self.names.grid or (6,)
        sizes = [self.random.randint(1, 5) for _ in grid]
        more = [f"size={sizes}"]
        if self.chance(0.6):
            more.append(f"shift={[self.random.randrange(size) for size in sizes]}")
        if self.chance(0.3):
            more.append(f"dilation={[self.random.randint(1, 2) for _ in grid]}")
        if self.chance(0.5):
            more.append(f"edge={self.random.choice(['clip', 'wrap', 'roll'])}")
        return f"windows({list(grid)}, {', '.join(more)})"

    def blocks(self, place: Place, depth: int) -> str:
        tokens = not (place.source or place.rows)
        if tokens and self.chance(0.3):
            ends = sorted(self.random.sample(range(30), 2))
            first, last = (self.random.choice([str(end), str(end - 30), ""]) for end in ends)
            last = self.random.choice([last, "n // 2 + 3"])
            part = replace(place, lifted=True, known=True, fixed=True, drawing=False)
            return f"within({first}:{last}) {{ {self.set(part, depth - 1)} }}"
        if tokens and place.unit == "" and self.chance(0.25):
            count = self.random.randint(1, 6)
            call, unit = f"blocks(parts={count})", f"_p{count}"
        else:
            size = self.random.randint(1, 6)
            call, unit = f"blocks({size})", f"{place.unit}_b{size}"
        inner = replace(place, unit=unit, lifted=True)
        return f"{call} {{ {self.set(inner, depth - 1)} }}"

    def relation(self, place: Place) -> str:
        ways = [
            lambda: "full",
            lambda: "none" if self.chance(0.2) else "full",
            lambda: f"columns({self.positions('set', place)})",
            lambda: self.asking("rows", place),
            lambda: f"where({self.condition() if place.of_tokens else 'i % 3 == j % 2'})",
        ]
        if place.drawing:
            ways.append(lambda: self.draws(place))
        if not place.fixed:
            ways.append(lambda: self.listed(place))
        if place.searching and self.searches:
            ways += [lambda: self.search(place)] * 4
        if not place.known:
            ways.append(lambda: self.bounded(place))
        if place.source in SEQUENCES and not place.known:
            ways += [
                lambda: f"same({self.input('labels', place)})",
                lambda: f"where({self.read_integers(place)})",
                lambda: f"where({self.read_integers(place)})",
            ]
        if place.source in SEQUENCES:
            ways += [
                lambda: "diagonal" if place.rows or self.chance(0.5) else "causal",
                lambda: self.local(place),
                lambda: self.local(place),
                lambda: f"strided({self.small(7)})",
                lambda: self.offsets(place),
                self.segment,
            ]
        if place.source == "" and not place.rows:
            ways += [
                lambda: self.asking("global", place),
                lambda: f"permuted({self.permutation()})",
            ]
            if self.names.grid and not place.lifted:
                ways += [self.neighborhood, self.windows] * 3
            if self.names.patterns and not place.lifted and not place.fixed:
                ways += [lambda: self.random.choice(self.names.patterns)] * 2
        if place.source == "tree" and not place.rows:
            ways += [lambda: f"contextual({self.small(3)})"] * 2
        return self.one_of(*ways)

    # --- sets -----------------------------------------------------------------------------------

    def set(self, place: Place, depth: int | None = None) -> str:
        """Pairs on one source, without modifiers."""
        depth = self.depth if depth is None else min(depth, self.depth)
        if depth == 0 or self.chance(0.4):
            return self.relation(place)
        plain = replace(place, fixed=True, drawing=False)
        ways = [
            lambda: f"({self.set(place, depth - 1)} + {self.set(place, depth - 1)})",
            lambda: (
                f"({self.set(place, depth - 1)} + {self.relation(place)} + {self.relation(place)})"
            ),
            lambda: f"({self.set(place, depth - 1)} & {self.set(place, depth - 1)})",
            lambda: f"({self.set(place, depth - 1)} - {self.set(plain, depth - 1)})",
            lambda: f"~{self.set(plain, depth - 1)}",
        ]
        if not place.rows and place.source not in ("project", "stream", "merge"):
            ways.append(lambda: f"({self.set(place, depth - 1)} & causal)")
        if place.source in SEQUENCES:
            ways += [lambda: self.blocks(place, depth)] * 2
        return self.one_of(*ways)

    # --- sources --------------------------------------------------------------------------------

    def pool(self) -> tuple[str, str]:
        """How a pool is written, and its window as a name of an input says it."""
        words = ["mean", "sum", "max", "convolution"]
        size, word = self.random.randint(1, 6), self.random.choice(words)
        tail, usual = self.random.choice(["clip", "drop"]), "clip"
        if not self.names.causal and self.chance(0.3):
            tail = "merge"
        if word == "convolution":
            size, tail, usual = CONVOLVED, "drop", "drop"
        stride = self.random.randint(1, size)
        parts = [str(size), word] + ([f"stride={stride}"] if stride < size else [])
        parts += [f"tail={tail}"] if tail != usual or self.chance(0.5) else []
        return f"pool({', '.join(parts)})", f"_{size}_{stride}_{tail}"

    def source(self, rows: str) -> tuple[str, str, str]:
        """The kind of a source, how it is written, and what else names of inputs say of it."""
        kinds = ["memory", "compressed", "pool", "pool", "persistent", "store", "encoder", "tree"]
        kinds += [] if self.names.causal else ["project", "stream"]
        kinds = ["stream", "persistent", "memory", "store"] if rows else kinds
        kind = self.random.choice(kinds)
        size = self.sizes.get(kind, 0)
        match kind:
            case "pool":
                written, window = self.pool()
                return "merge" if window.endswith("merge") else kind, written, window
            case "compressed":
                return kind, f"compressed({size}, rate={self.rate})", ""
            case "tree":
                return kind, f"tree({self.branching})", ""
            case "encoder":
                return kind, "encoder", ""
            case "project" if self.chance(0.3):
                return kind, f"project({size}, seed={self.random.choice([0, 5, 2**35])})", ""
            case "stream":
                self.streams = True
                return kind, f"stream({STREAM}, {size})", ""
        return kind, f"{kind}({size})", ""

    # --- modifiers ------------------------------------------------------------------------------

    def modifier(self, kind: str, place: Place) -> str:
        match kind:
            case "t5":
                buckets = self.random.choice([4, 8])
                return f"t5({buckets}, {4 * buckets}, name=steps{buckets})"
            case "relative":
                return "relative(5)"
            case "relative_values":
                return "relative_values(5)"
            case "softcap":
                return f"softcap({self.decimal()})"
            case "softspan":
                return f"softspan({self.decimal()}, z=reach)"
            case "dynamic_span":
                return f"dynamic_span({self.decimal()}, z=reaches)"
            case "decay":
                return "decay(fading)"
            case "bias":
                return f"bias(table{place.counted}{'_in_' if place.rows else ''}{place.rows})"
            case "scale" | "rotary":
                return f"{kind}({self.decimal()})"
            case "absolute":
                return "absolute(places)"
        return kind

    def modified(self, text: str, place: Place, kinds: tuple[str, ...], share: float) -> str:
        """Up to two modifiers on a term; those by distance not where there is none."""
        barred = NOWHERE if not place.rows else (*NOWHERE, "merge")
        allowed = [kind for kind in kinds if kind not in DISTANCES or place.source not in barred]
        if place.rows:
            allowed = [
                kind for kind in allowed if kind not in ("xl_relative", "absolute", "rotary")
            ]
        if place.rows or place.source:
            allowed = [kind for kind in allowed if kind != "decay"]
        count = sum(self.chance(share) for _ in range(2))
        for kind in self.random.sample(allowed, min(count, len(allowed))):
            text = f"{text} with {self.modifier(kind, place)}"
        return f"({text})" if count else text

    # --- patterns -------------------------------------------------------------------------------

    def term(self, rows: str, taken: tuple[str, ...]) -> tuple[str, str]:
        """A set on one source, perhaps with modifiers; its kind of source and its text."""
        kind, place = "", Place(rows=rows)
        text = self.set(place) if rows or self.chance(0.65) else ""
        if not text or (rows and self.chance(0.3)):
            kind, written, window = self.source(rows)
            place = replace(place, source=kind, window=window)
            text = f"{self.set(place, 1)} on {written}"
        kinds = tuple(kind for kind in (*DISTANCES, *SCORES) if kind not in taken)
        return kind, self.modified(text, place, kinds, 0.15)

    def branch(self, rows: str, whole: tuple[str, ...] = WHOLE) -> str:
        """One softmax: a union over sources, perhaps cut, with what all of its terms share."""
        shared = [kind for kind in (*whole, "softcap") if self.chance(0.07)]
        parts = [self.term(rows, tuple(shared)) for _ in range(self.random.choice([1, 1, 2, 2, 3]))]
        text = " + ".join(part for _, part in parts)
        kinds = {kind for kind, _ in parts}
        if len(parts) > 1 and self.chance(0.2):
            right = self.set(Place(rows=rows, fixed=True, drawing=False), 1)
            text = f"({text}) - {right}"
        if not rows and not kinds & {"project", "stream", "merge"} and self.chance(0.15):
            text = (
                f"causal & ({text})"
                if self.chance(0.3) and "with" not in text
                else f"({text}) & causal"
            )
        if kinds - {"", "memory"}:
            # Positions are those of the tokens and their memory.
            shared = [kind for kind in shared if kind != "absolute"]
        return self.modified(f"({text})", Place(source="tokens", rows=rows), tuple(shared), 1.0)

    def pattern(self, rows: str = "", depth: int = 1) -> str:
        if not rows and self.chance(0.06):
            return self.featured()
        if not rows and self.searches and self.chance(0.1):
            return self.ordered(Place())
        if depth == 0 or self.chance(0.85 if self.short else 0.65):
            return self.branch(rows)
        if self.chance(0.4):
            branches = [self.branch(rows, WHOLE[2:]) for _ in range(self.random.randint(2, 3))]
            return f"mix({', '.join(branches)})"
        kind = self.random.choice(["gate", "difference", "sum", "mean"])
        count = 2 if kind == "difference" else self.random.randint(2, 3)
        parts = [self.pattern(rows, depth - 1) for _ in range(count)]
        name = [f"name=gate{count}"] if kind in ("gate", "difference") else []
        return f"{kind}({', '.join(parts + name)})"

    def featured(self) -> str:
        """An output of features, which stands where a softmax does."""
        kind, count = self.random.choice(["favor", "rfa", "elu"]), self.random.randint(1, 5)
        parts = [] if kind == "elu" else [str(2 * count if kind == "rfa" else count)]
        parts.append(f"map={kind}")
        if kind != "elu":
            own = [f"seed={self.random.choice([1, 2**33])}", f"matrix=directions{count}"]
            parts += [self.random.choice(own)] if self.chance(0.6) else []
        parts += ["gate=kept"] if self.names.causal and self.chance(0.4) else []
        return f"features({', '.join(parts)})"

    def rules(self, rows: str = "") -> list[str]:
        if not (self.names.layers or self.names.heads) or self.chance(0.3):
            return [self.pattern(rows)]
        count = self.random.randint(1, 2)
        lines = [f"{self.choice()} -> {self.pattern(rows)}" for _ in range(count)]
        return [*lines, f"else -> {self.pattern(rows)}"]

    # --- the whole ------------------------------------------------------------------------------

    def headers(self) -> list[str]:
        names, lines = self.names, []
        if self.chance(0.3):
            names.causal = True
            lines.append("causal")
        if self.chance(0.15 if self.short else 0.4):
            names.heads = self.random.randint(1, 3)
            lines.append(f"heads {self.random.choice([names.heads, f'({names.heads} + 0)'])}")
        if self.chance(0.1 if self.short else 0.35):
            names.layers = self.random.randint(1, 3)
            lines.append(f"layers {names.layers}")
        if self.chance(0.2):
            lines.append("allow empty")
        if self.chance(0.2):
            grids = [(6,), (12,), (3, 4), (4, 5), (2, 3, 4)]
            names.grid = self.random.choice(grids)
        self.projected = self.chance(0.15)
        return self.random.sample(lines, len(lines))

    def bindings(self) -> list[str]:
        """Parameters and lets, those of patterns last: they use the others."""
        names, lines = self.names, []
        for word in ("width", "step"):
            if self.chance(0.15):
                names.numbers[word] = self.random.randint(1, 6)
                kind = self.random.choice(["param", "let"])
                lines.append(f"{kind} {word} = {names.numbers[word]}")
        if self.chance(0.1):
            names.sizes.append("reach_of_call")
            lines.append("size reach_of_call")
        if self.chance(0.1):
            lines.append(f"let far = {self.condition()}")
            names.conditions.append("far")
        if self.chance(0.1):
            lines.append(f"let some = {self.list() if self.chance(0.7) else self.period()}")
            names.lists.append("some")
        if self.chance(0.15):
            near = Place(repeated=self.chance(0.7))
            lines.append(f"let near = {self.set(near, 1)}")
            names.patterns.append("near")
        return lines

    def program(self) -> str:
        lines = [*self.headers(), *self.bindings(), *self.rules()]
        if self.streams and self.chance(0.6):
            lines += [f"rows {STREAM}", *self.rules(STREAM)]
        if self.chance(0.1):
            lines.insert(self.random.randrange(len(lines)), "# a comment")
        return "\n".join(lines) + ("\n" if self.chance(0.8) else "")


def program(seed: int) -> str:
    return Writer(Random(seed)).program()
