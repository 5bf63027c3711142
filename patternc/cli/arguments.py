"""Programs as a command line names them: files, `-` for the standard input, or the text itself.

Converts click's arguments to texts with a name and parameters. Does not parse the programs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from patternc.cli import files
from patternc.frozen import frozen
from patternc.language.syntax.characters import visible

if TYPE_CHECKING:
    from patternc.frontend import Frontend
    from patternc.language.syntax.source import SourceText
    from patternc.pattern import Pattern

INLINE = "<command line>"
_Command = TypeVar("_Command", bound=Callable[..., Any])
PAIR = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*(\S.*)", re.ASCII | re.DOTALL)
_COUNT = re.compile(r"\s*(memory|compressed|encoder)\s*=\s*(\d+)\s*", re.ASCII)


@frozen
class Given:
    """One program of the command line: its name in diagnostics, its text and parameters."""

    name: str
    text: str
    parameters: dict[str, str]

    @property
    def source(self) -> SourceText:
        from patternc.language.syntax.source import SourceText

        return SourceText.of(self.text, self.name)

    def frontend(self) -> Frontend:
        """The program, checked. Raises `PatternError`."""
        from patternc.frontend import Frontend

        found = Frontend(self.text, self.name, self.parameters)
        found.program  # noqa: B018 - mistakes are found here
        return found

    def pattern(self) -> Pattern:
        from patternc.pattern import Pattern

        return Pattern(self.text, name=self.name, parameters=self.parameters)

    @property
    def stem(self) -> str:
        """What a compiled file calls the program; the same from every folder."""
        unnamed = self.name in (INLINE, files.STANDARD)
        return "pattern" if unnamed else PurePath(self.name).name

    @property
    def title(self) -> str:
        named = PurePath(self.name).name
        return visible(" ".join(self.text.split()) if self.name == INLINE else named)

    @property
    def arguments(self) -> list[str]:
        """What names the program in a command; the same from every folder."""
        program = ["-e", self.text] if self.name == INLINE else [PurePath(self.name).name]
        return program + [f"-D{name}={value}" for name, value in sorted(self.parameters.items())]


def named(given: Iterable[str], form: re.Pattern[str], expected: str) -> Iterator[tuple[str, str]]:
    """Options NAME=VALUE of a form, as pairs. Raises `click.BadParameter`."""
    for item in given:
        pair = form.fullmatch(item)
        if pair is None:
            raise click.BadParameter(f"{item!r}: expected {expected}")
        yield pair[1], pair[2]


def counted(given: Iterable[str], form: re.Pattern[str], expected: str) -> dict[str, int]:
    """Options NAME=COUNT as numbers."""
    return {name: int(count) for name, count in named(given, form, expected)}


def _parameters(
    _context: click.Context, _option: click.Parameter, given: Iterable[str]
) -> dict[str, str]:
    return dict(named(given, PAIR, "NAME=VALUE, for example -D window=256"))


def _counts(
    _context: click.Context, _option: click.Parameter, given: Iterable[str]
) -> dict[str, int]:
    return counted(given, _COUNT, "SOURCE=COUNT, for example memory=256")


def completed_files(
    _context: click.Context, _argument: click.Parameter, begun: str
) -> list[CompletionItem]:
    """The shell completes names of files."""
    return [CompletionItem(begun, type="file")]


def programs(metavar: str) -> Callable[[_Command], _Command]:
    """The arguments that name programs: files, `-`, or the text itself."""
    paths = click.argument("paths", metavar=metavar, nargs=-1, shell_complete=completed_files)
    text = click.option("-e", "text", metavar="TEXT", help="Text of the program, instead of FILE.")
    return lambda command: paths(text(command))


defines = click.option(
    "-D",
    "parameters",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_parameters,
    help="Set a `param` of the program; repeatable.",
)


def _warnings(
    _context: click.Context, _option: click.Parameter, given: Iterable[str]
) -> frozenset[str]:
    codes = [code.upper() for code in given]
    if not codes:
        return frozenset()
    from patternc.queries.arguments import warning_codes

    try:
        return warning_codes(codes)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _data_type(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    if given is None:
        return None
    from patternc.queries.arguments import data_type

    try:
        return data_type(given)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def typed(told: str, default: str | None = None) -> Callable[[_Command], _Command]:
    """The option of a data type, by its name or a short one."""
    return click.option(
        "--dtype",
        metavar="[float32|float16|bfloat16]",
        callback=_data_type,
        default=default,
        show_default=default is not None,
        help=f"{told}; short names such as fp16 are accepted.",
    )


def sized(command: _Command) -> _Command:
    """The options of a model's size: layers, head size, data type, key heads."""
    options = (
        click.option(
            "--layers",
            type=click.IntRange(1, 2**16),
            help="Number of layers; the program's repeat.  [default: those of the program, or 1]",
        ),
        click.option("--head-dim", type=click.IntRange(min=1), default=64, show_default=True),
        typed("Data type of queries, keys and values", "bfloat16"),
        click.option(
            "--kv-heads", type=click.IntRange(min=1), help="Key heads.  [default: all heads]"
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


slotted = click.option(
    "--slots",
    "slots",
    metavar="SOURCE=COUNT",
    multiple=True,
    callback=_counts,
    help="Number of slots of `memory`, `compressed` or `encoder`; repeatable.",
)
formed = click.option(
    "--when",
    metavar="CONDITION",
    help="Only for lengths of this form, a condition on n such as 'n % 32 == 0'.",
)
ignores = click.option(
    "--ignore",
    "ignored",
    metavar="CODE",
    multiple=True,
    callback=_warnings,
    help="Suppress warning CODE, such as P206; repeatable.",
)


@frozen
class Unread:
    """A file that could not be read, and why."""

    name: str
    reason: str


def each_given(
    paths: tuple[str, ...], text: str | None, parameters: dict[str, str]
) -> Iterator[Given | Unread]:
    """Every program, or why it is none."""
    verify_read_once(paths)
    for path in paths if text is None and paths else (None,):
        try:
            yield from all_given((path,) if path else paths, text, parameters)
        except files.FileError as error:
            yield Unread(path or INLINE, str(error))


READ: list[Given] = []
"""The programs of this command, for a report of an internal error."""


def all_given(
    paths: tuple[str, ...], text: str | None, parameters: dict[str, str] | None = None
) -> list[Given]:
    if text is None and not paths:
        raise click.UsageError("expected a FILE, `-` for standard input, or -e TEXT")
    if text is not None and paths:
        raise click.UsageError(f"-e TEXT replaces FILE; remove one of -e and {paths[0]}")
    verify_read_once(paths)
    if text is not None:
        found = [Given(INLINE, text, parameters or {})]
    else:
        found = [_of_path(path, parameters or {}) for path in paths]
    READ.extend(found)
    return found


def _of_path(path: str, parameters: dict[str, str]) -> Given:
    """A file's program, or with `FILE::NAME` one stage of it."""
    file, _, stage = path.rpartition("::")
    if not (file and stage.isidentifier()):
        return Given(path, files.read(path), parameters)
    from patternc.language.stages import stage_text

    return Given(path, stage_text(files.read(file), stage, file), parameters)


def verify_read_once(paths: tuple[str, ...]) -> None:
    if paths.count(files.STANDARD) > 1:
        raise click.UsageError("`-` is standard input, which can be read only once")


def text_given(text: str, parameters: dict[str, str]) -> Given:
    """A program given by -e."""
    return Given(INLINE, text, parameters)


def one_given(paths: tuple[str, ...], text: str | None, parameters: dict[str, str]) -> Given:
    if len(paths) > 1:
        raise click.UsageError(f"expected one FILE, got {len(paths)}")
    return all_given(paths, text, parameters)[0]
