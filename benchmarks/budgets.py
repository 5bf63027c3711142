"""Every command at every length: time and peak memory, and what runs past its budget.

    python benchmarks/budgets.py [--program NAME] [--command NAME] [-n LENGTH] [--shuffled]
                                 [--output FILE]
    python benchmarks/budgets.py --table FILE

FILE has a line of JSON for each run. Runs that it has are not repeated, so a sweep that was ended
goes on where it was; `--table` prints what of them is past the budget.

Asked: 10 s and 1 GB for any command, program and length, on a quiet machine; an answer that is a
bound, or an error that names the limit, is an answer. A crash is neither. Every run is a forked
process with a limit of address space and of processor time. Programs are the examples and those of
`budget_programs.txt`, which are written to be hard.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from random import Random

import click

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "benchmarks" / "budget_programs.txt"
LENGTHS = (1, 1 << 20, 10**9, (1 << 31) - 1)
SECONDS, MEGABYTES = 10, 1024
# Of address space: numpy reserves more than it touches.
MOST_BYTES = 4 << 30
REFUSALS = (
    "EffortError",
    "SizeError",
    "InputError",
    "LengthError",
    "ValueError",
    "PatternError",
    "UsageError",
    "MemoryError",
)


@dataclass(frozen=True, slots=True)
class Run:
    """One command on one program: `told` is ok, the name of a refusal with its text, or a fault."""

    program: str
    command: str
    n: int
    seconds: float
    megabytes: int
    told: str

    @property
    def fine(self) -> bool:
        crashed = self.told.startswith("fault")
        return not crashed and self.seconds <= SECONDS and self.megabytes <= MEGABYTES


def hard() -> dict[str, str]:
    """The programs of the file: paragraphs that begin with `## NAME`."""
    parts = PROGRAMS.read_text(encoding="utf-8").split("## ")[1:]
    return {part.split("\n", 1)[0].strip(): part.split("\n", 1)[1] for part in parts}


def every_program() -> dict[str, str]:
    examples = sorted((ROOT / "examples").glob("*.pat"))
    return {**{path.stem: path.read_text(encoding="utf-8") for path in examples}, **hard()}


def commands() -> dict[str, Callable[[str, int], object]]:
    """Each takes the text of a program and n."""
    from patternc import Pattern
    from patternc.algebra.work_budget import allowance
    from patternc.cli.show import NUMBERS
    from patternc.language import fmt
    from patternc.report import svg, terminal, why
    from patternc.report import view as views
    from patternc.search import SearchQuery, Template
    from patternc.search import suggest as search

    def show(text: str, n: int) -> object:
        view = views.view(Pattern(text), min(n, 1 << 24), 0, None)
        with allowance(NUMBERS):
            return terminal.draw(view.panels(2)), view.facts()

    def drawing(text: str, n: int) -> object:
        view = views.view(Pattern(text), min(n, 1 << 24), 0, None)
        with allowance(NUMBERS):
            return svg.svg("a", "b", view.panels(4)), view.facts()

    def layout(text: str, n: int) -> object:
        found = Pattern(text).layout(n)
        return found.counts(), found.row(0, 0), found.column(0, 0)

    def other(text: str) -> str:
        return text.replace("256", "255").replace("128", "127")

    def report(text: str, n: int) -> object:
        found = Pattern(text).report(n)
        return found.text(), found.json()

    def suggest(text: str, n: int) -> object:
        varied = re.sub(r"^([^#\n]*?\()\d+", r"\1w", text, count=1, flags=re.MULTILINE)
        template = Template("program", "", varied, {}).varied({"w": "16:512"})
        return search(SearchQuery(min(n, 1 << 24), 12), [template])

    return {
        "fmt": lambda text, n: fmt(text),
        "suggest": suggest,
        "check": lambda text, n: Pattern(text).check(min(n, 1 << 24), teach=True),
        "warnings": lambda text, n: Pattern(text).check(n),
        "report": report,
        "html": lambda text, n: Pattern(text).report(n).html(),
        "svg": lambda text, n: Pattern(text).report(n).svg(),
        "show": show,
        "drawing": drawing,
        "why": lambda text, n: why.text(Pattern(text).why(n, n - 1, 0)),
        "diff": lambda text, n: Pattern(text).diff(Pattern("local(8)"), n),
        "variant": lambda text, n: Pattern(text).diff(Pattern(other(text)), n),
        "compile": lambda text, n: Pattern(text).compile(),
        "pairs": lambda text, n: Pattern(text).pairs(n),
        "layout": layout,
        "reach": lambda text, n: Pattern(text).reach(n),
        "mask": lambda text, n: Pattern(text).mask(n).nbytes,
        "unmet": lambda text, n: Pattern(text).unmet(n),
        "growth": lambda text, n: Pattern(text).growth(),
        "contributions": lambda text, n: Pattern(text).contributions(n),
        "graph": lambda text, n: Pattern(text).graph(n, max(64, n // 256)),
    }


ONCE = ("fmt", "compile", "growth")
"""Commands that no length is asked of."""


def measured(name: str, command: str, n: int, body: Callable[[], object]) -> Run:
    """The body in a process of its own."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        _answer(write, body)
    os.close(write)
    told = b"".join(iter(lambda: os.read(read, 65536), b"")).decode()
    os.close(read)
    _, status, used = os.wait4(child, 0)
    told = told or f"fault: ended by signal {status & 0x7F}"
    busy = used.ru_utime + used.ru_stime
    return Run(name, command, n, round(busy, 2), used.ru_maxrss // 1024, told)


def _answer(write: int, body: Callable[[], object]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS + 5, SECONDS + 6))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        body()
        told = "ok"
    except BaseException as error:
        kind = type(error).__name__
        said = str(error).strip().split("\n")[0][:160]
        told = f"{kind if kind in REFUSALS else 'fault: ' + kind}: {said}"
    os.write(write, told.encode())
    os._exit(0)


Asked = tuple[str, str, int]
"""A program, a command, a length."""


def asked(
    programs: Iterable[str], only: tuple[str, ...], lengths: tuple[int, ...], shuffled: bool
) -> list[Asked]:
    """What is to be run, one program after the other or in a random order, always the same."""
    found = [
        (name, command, n)
        for name in programs
        for command in only or tuple(commands())
        for n in ((0,) if command in ONCE else lengths)
    ]
    if shuffled:
        Random("budgets").shuffle(found)
    return found


def runs(
    programs: dict[str, str], wanted: Iterable[Asked], done: dict[Asked, Run]
) -> Iterator[Run]:
    known = commands()
    for name, command, n in wanted:
        run = partial(known[command], programs[name], n)
        yield done.get((name, command, n)) or measured(name, command, n, run)


def kept(path: Path) -> dict[Asked, Run]:
    """The runs that a file has."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = [Run(**json.loads(line)) for line in lines]
    return {(run.program, run.command, run.n): run for run in found}


def table(found: Iterable[Run]) -> str:
    """Markdown: a row for each run that is past its budget."""
    rows = ["| program | command | n | processor | peak | answer |", "|---|---|---|---|---|---|"]
    for run in found:
        cells = run.program, run.command, f"{run.n:,}", f"{run.seconds:.1f} s"
        rows.append(f"| {' | '.join(cells)} | {run.megabytes:,} MB | {run.told} |")
    return "\n".join(rows)


@click.command()
@click.option("--program", "chosen", multiple=True, help="Only these.")
@click.option("--command", "only", multiple=True, help="Only these.")
@click.option("-n", "lengths", type=int, multiple=True, help="Only these lengths.")
@click.option("--all", "every", is_flag=True, help="Tell those within their budget, too.")
@click.option("--hard", "only_hard", is_flag=True, help="Not the examples.")
@click.option("--shuffled", is_flag=True, help="In a random order: any part is of all kinds.")
@click.option("--output", type=click.Path(path_type=Path), help="Add each run to this file.")
@click.option("--table", "told", type=click.Path(path_type=Path), help="Read this file; run none.")
def main(
    chosen: tuple[str, ...],
    only: tuple[str, ...],
    lengths: tuple[int, ...],
    every: bool,
    only_hard: bool,
    shuffled: bool,
    output: Path | None,
    told: Path | None,
) -> None:
    """Print a row for each run past its budget; exit with 1 if there is one."""
    sys.path.insert(0, str(ROOT))
    if told:
        click.echo(table(run for run in kept(told).values() if not run.fine))
        return
    known, done = every_program(), kept(output) if output else {}
    among = hard() if only_hard else known
    programs = {name: known[name] for name in chosen or among}
    found, wanted = [], asked(programs, only, lengths or LENGTHS, shuffled)
    for run in runs(programs, wanted, done):
        found.append(run)
        if every or not run.fine:
            row = f"{run.program:34} {run.command:13} {run.n:>11} {run.seconds:>6.1f} s"
            click.echo(f"{row} {run.megabytes:>5} MB  {run.told}")
        if output and run not in done.values():
            with output.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(run)) + "\n")
    past = [run for run in found if not run.fine]
    click.echo(f"{len(found)} runs, {len(past)} past the budget")
    sys.exit(bool(past))


if __name__ == "__main__":
    main()
