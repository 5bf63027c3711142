"""`python -m tests.fuzz texts` and `python -m tests.fuzz programs`: random cases until time is up.

Texts are read, refused with a message, printed and laid out; programs must mean the same to every
room. A seed gives the same cases again. What fails is made small and written to a folder as a
program with a comment that says how; the exit code is 1 then, or where too few texts are accepted.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.failures import Failures
from tests.fuzz.mutate import text as random_text
from tests.fuzz.programs import program
from tests.fuzz.reading import is_program
from tests.fuzz.shrink import shrunk
from tests.fuzz.worker import Kind, Worker

LEAST_ACCEPTED = 0.6
SHRUNK = 3
"""Cases of one failure that are made small; the others are counted."""


def main(arguments: list[str] | None = None) -> int:
    parser = ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("kind", nargs="?", choices=("texts", "programs", "both"), default="both")
    parser.add_argument("--seconds", type=float, default=600.0, help="how long, in all")
    parser.add_argument("--cases", type=int, help="at most so many cases of each kind")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the first case; the next is one more"
    )
    parser.add_argument("--output", type=Path, default=Path("build/fuzz"), help="where failures go")
    parser.add_argument("--tries", type=int, default=300, help="to make a failure small")
    given = parser.parse_args(arguments)
    kinds: tuple[Kind, ...] = ("texts", "programs") if given.kind == "both" else (given.kind,)
    runs = [Run(kind, given, given.seconds / len(kinds)) for kind in kinds]
    return max(run.go() for run in runs)


class Run:
    """Cases of one kind, counted."""

    def __init__(self, kind: Kind, given: Namespace, seconds: float) -> None:
        self.kind, self.given, self.seconds = kind, given, seconds
        self.worker = Worker(kind)
        self.seen: Counter[str] = Counter()
        self.cases = self.accepted = 0

    def go(self) -> int:
        stop = time.monotonic() + self.seconds
        make: Callable[[int], str] = random_text if self.kind == "texts" else program
        print(f"{self.kind}: from seed {self.given.seed}", flush=True)
        seed = self.given.seed
        while time.monotonic() < stop and self.cases != self.given.cases:
            text = make(seed)
            if self.kind == "texts" or is_program(text):
                self._look(text, seed)
            seed += 1
        self.worker.close()
        return self._summary(seed)

    def _look(self, text: str, seed: int) -> None:
        self.cases += 1
        accepted, found = self.worker.ask(text, seed)
        self.accepted += accepted
        for name, story in found.items():
            # The collector may have run, or other processes: what is slow is slow again.
            if name.endswith("slow") and name not in self._found(text, seed):
                continue
            self.seen[name] += 1
            if self.seen[name] <= SHRUNK:
                self._keep(name, story, text, seed)

    def _keep(self, name: str, story: str, text: str, seed: int) -> None:
        """The failure as a small program, in a file of its own."""

        def fails(candidate: str) -> bool:
            if self.kind == "programs" and not is_program(candidate):
                return False
            return name in self._found(candidate, seed)

        small = shrunk(text, fails, self.given.tries)
        self.given.output.mkdir(parents=True, exist_ok=True)
        number = sum(1 for _ in self.given.output.iterdir())
        path = self.given.output / f"{self.kind}_{number:03}.pat"
        header = "".join(f"# {line}\n" for line in (name, f"{self.kind}, seed {seed}"))
        path.write_bytes((header + small).encode("utf-8", "surrogatepass"))
        print(f"seed {seed}: {name}\n{small}\n{story}\n  in {path}", flush=True)

    def _found(self, text: str, seed: int) -> Failures:
        return self.worker.ask(text, seed)[1]

    def _summary(self, seed: int) -> int:
        share = self.accepted / max(self.cases, 1)
        print(f"{self.kind}: {self.cases} cases, {share:.1%} accepted, up to seed {seed - 1}")
        for name, count in self.seen.most_common():
            print(f"  {count} x {name}")
        few = self.kind == "texts" and self.cases and share < LEAST_ACCEPTED
        if few:
            print(f"  fewer than {LEAST_ACCEPTED:.0%} of the texts are accepted")
        return int(bool(self.seen) or bool(few))


if __name__ == "__main__":
    sys.exit(main())
