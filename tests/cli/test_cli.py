"""The command: what it prints, where, its exit codes, and that nothing is half-written."""

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

import patternc
from patternc.cli import files
from patternc.cli.main import commands
from patternc.stages import FORMER_NAMES, STAGES

BIGBIRD = Path(__file__).parents[2] / "examples" / "bigbird.pat"
HEAVY = ("torch", "triton", "sympy", "networkx", "transformers")


def run(*arguments, text=None):
    return CliRunner().invoke(commands, arguments, input=text)


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "window.pat"
    path.write_text("param w = 4\ncausal\nlocal(left=w)\n", encoding="utf-8")
    return path


# Programs: a file, the standard input, the command line.


def test_a_program_is_read_from_a_file_the_standard_input_or_the_command_line(program):
    shown = [
        run("show", str(program), "-n", "16").stdout,
        run("show", "-", "-n", "16", text=program.read_text()).stdout,
        run("show", "-e", program.read_text(), "-n", "16").stdout,
    ]
    pictures = {output.split("\n", 1)[1] for output in shown}
    assert len(pictures) == 1


def test_no_program_two_programs_and_both_kinds_are_wrong_usage(program):
    for arguments in ((), (str(program), str(program)), (str(program), "-e", "full")):
        result = run("show", *arguments)
        assert result.exit_code == 2
        assert "FILE" in result.stderr
        assert not result.stdout


def test_parameters_are_set_from_the_command_line(program):
    narrow = run("show", str(program), "-n", "16", "-D", "w=0").stdout
    assert "16 of 256" in narrow


def test_a_parameter_takes_what_its_line_in_the_program_takes(program):
    plain = run("show", str(program), "-n", "16", "-D", "w=8").stdout
    assert run("show", str(program), "-n", "16", "-D", "w=2 * max(4, 3)").stdout == plain


def test_a_malformed_parameter_is_wrong_usage_and_an_unknown_one_an_error(program):
    malformed = run("check", str(program), "-D", "w")
    assert (malformed.exit_code, "NAME=VALUE" in malformed.stderr) == (2, True)
    unknown = run("check", str(program), "-D", "width=3")
    assert (unknown.exit_code, "width" in unknown.stderr) == (1, True)


@pytest.mark.parametrize("command", ["compile", "show", "fmt"])
def test_an_unreadable_file_is_one_line_and_exit_code_one(command, tmp_path):
    result = run(command, str(tmp_path / "missing.pat"))
    assert result.exit_code == 1
    assert result.stderr.startswith("error: cannot read")
    assert result.stderr.count("\n") == 1


def test_a_file_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "latin.pat"
    path.write_bytes(b"# caf\xe9\nfull\n")
    result = run("check", str(path))
    assert (result.exit_code, "byte 5 is not UTF-8" in result.stderr) == (1, True)


def test_a_mistake_is_told_on_the_standard_error_with_its_place(program):
    program.write_text("locl(4)\n")
    result = run("show", str(program))
    assert result.exit_code == 1
    assert f"{program}:1:1" in result.stderr
    assert "`local`" in result.stderr
    assert not result.stdout


# check


def test_check_reports_every_file_and_fails_if_one_has_an_error(program, tmp_path):
    wrong = tmp_path / "wrong.pat"
    wrong.write_text("local(\n")
    result = run("check", str(wrong), str(program))
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{wrong}: 1 error",
        f"{program}: any number of layers, any number of heads",
    ]
    assert result.stderr.startswith("error[")


def test_check_goes_on_after_a_file_that_cannot_be_read(program, tmp_path):
    missing = tmp_path / "missing.pat"
    result = run("check", str(program), str(missing), "-", text="full\n")
    assert result.exit_code == 1
    assert result.stderr == f"error[P000]: cannot read {missing}: no such file or directory\n"
    assert [line.partition(": ")[2] for line in result.stdout.splitlines()] == [
        "any number of layers, any number of heads",
        "1 error",
        "any number of layers, any number of heads",
    ]
    told = run("check", "--output-format", "json", str(missing), str(program))
    first, second = json.loads(told.stdout)
    assert (told.exit_code, told.stderr) == (1, "")
    assert (first["name"], first["diagnostics"][0]["code"]) == (str(missing), "P000")
    assert (second["name"], second["diagnostics"]) == (str(program), [])


LEAK = "local(left=255) + strided(128)"


@pytest.mark.parametrize("command", [("check",), ("show", "-n", "1024")])
def test_a_warning_that_is_meant_is_ignored_by_its_code(command):
    told, ignored = run(*command, "-e", LEAK), run(*command, "-e", LEAK, "--ignore", "p206")
    assert told.stderr.startswith("warning[P206]")
    assert (ignored.exit_code, ignored.stderr) == (0, "")
    other = run(*command, "-e", LEAK, "--ignore", "P207", "--ignore", "P208")
    assert other.stderr == told.stderr


def test_the_warnings_of_the_text_are_ignored_when_it_is_compiled():
    text = "mix(local(4))"
    assert "P202" in run("compile", "-e", text).stderr
    assert not run("compile", "-e", text, "--ignore", "P202").stderr


@pytest.mark.parametrize("code", ["P040", "P999", "leak"])
def test_only_warnings_can_be_ignored(code):
    result = run("check", "-e", "full", "--ignore", code)
    assert (result.exit_code, "P200 to P213" in result.stderr) == (2, True)


def test_check_lists_the_inputs_of_the_call():
    result = run("check", "-e", "same(document) & local(2)")
    assert result.exit_code == 0
    assert "  document: labels, integers [n]" in result.stdout


def test_check_as_json_carries_code_place_and_help():
    result = run("check", "--output-format", "json", "-e", "locl(4)")
    (report,) = json.loads(result.stdout)
    (finding,) = report["diagnostics"]
    assert result.exit_code == 1
    assert finding["severity"] == "error"
    assert finding["code"].startswith("P")
    assert finding["span"] == {"line": 1, "column": 1, "end_line": 1, "end_column": 5}
    assert "local" in finding["help"]
    assert not result.stderr


def test_check_as_json_names_heads_layers_and_inputs():
    text = "layers 3\nheads 2\nlocal(2) + global(question)"
    (report,) = json.loads(run("check", "--output-format", "json", "-e", text).stdout)
    assert (report["layers"], report["heads"]) == (3, 2)
    assert [item["name"] for item in report["inputs"]] == ["question"]


# show


def test_show_draws_the_mask():
    lines = run("show", "-e", "causal", "-n", "4").stdout.splitlines()
    assert lines[1:5] == ["┌────┐", "│█▄  │", "│███▄│", "└─ 4 ┘"]
    assert lines[5] == "pairs    10 of 16"


def test_show_writes_an_svg_beside_the_facts(tmp_path):
    target = tmp_path / "picture.svg"
    result = run("show", str(BIGBIRD), "-n", "1024", "--head", "3", "--svg", str(target))
    assert result.exit_code == 0
    assert target.read_text(encoding="utf-8").startswith("<svg")
    assert "density" in result.stdout
    assert "█" not in result.stdout


def test_a_picture_is_not_mixed_with_the_facts_nor_written_to_a_file_named_dash(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert run("show", "-e", "full", "--svg", "-").exit_code == 2
    assert not list(tmp_path.iterdir())


def test_show_finds_a_telling_length_even_where_one_length_only_is_right():
    assert "n = 48" in run("show", "-e", "neighborhood([6, 8], radius=[1, 1])").stdout


def test_a_layer_or_head_that_is_not_there_is_wrong_usage():
    for option in (("--layer", "12"), ("--head", "12")):
        result = run("show", str(BIGBIRD), *option)
        assert (result.exit_code, "out of range" in result.stderr) == (2, True)


def test_a_length_the_pattern_refuses_is_an_error():
    result = run("show", "-e", "neighborhood([6, 8], radius=[1, 1])", "-n", "50")
    assert (result.exit_code, "48" in result.stderr) == (1, True)


# fmt and explain


def test_fmt_rewrites_a_file_in_place_and_check_only_tells(tmp_path):
    path = tmp_path / "loose.pat"
    path.write_bytes(b"# a window\r\nlocal( 3 )+global([ 0 ])\r\n")
    told = run("fmt", "--check", str(path))
    assert (told.exit_code, told.stderr) == (1, f"would change {path}\n")
    assert b"( 3 )" in path.read_bytes()
    assert run("fmt", str(path)).exit_code == 0
    assert path.read_bytes() == b"# a window\nlocal(3) + global([0])\n"
    assert run("fmt", "--check", str(path)).exit_code == 0


def test_fmt_prints_what_has_no_file():
    assert run("fmt", "-", text="local( 3 )\n").stdout == "local(3)\n"
    assert run("fmt", "-e", "local( 3 )").stdout.rstrip("\n") == "local(3)"


def test_fmt_leaves_a_program_it_cannot_read(tmp_path):
    path = tmp_path / "wrong.pat"
    path.write_text("local( \n")
    assert run("fmt", str(path)).exit_code == 1
    assert path.read_text() == "local( \n"


def test_explain_tells_a_code_and_refuses_what_is_none():
    assert "Right:" in run("explain", "p040").stdout
    wrong = run("explain", "X1")
    assert (wrong.exit_code, wrong.stdout) == (1, "")


# compile


def test_compile_prints_what_it_would_write_and_check_knows_when_it_is_stale(program, tmp_path):
    target = tmp_path / "kernel.py"
    assert run("compile", str(program), "-o", str(target)).exit_code == 0
    assert run("compile", str(program)).stdout == target.read_text(encoding="utf-8")
    assert run("compile", str(program), "-o", str(target), "--check").exit_code == 0
    stale = run("compile", str(program), "-D", "w=5", "-o", str(target), "--check")
    assert (stale.exit_code, "stale" in stale.stderr) == (1, True)
    assert run("compile", str(program)).stdout == target.read_text(encoding="utf-8")


def test_a_compiled_file_names_the_command_that_wrote_it():
    text = "param w = 4\nlocal(w)"
    first = run("compile", "-e", text, "-D", "w=7").stdout
    assert "patternc compile -e" in first
    assert "-Dw=7" in first


def test_a_compiled_file_is_the_same_from_every_folder(program, monkeypatch):
    from_afar = run("compile", str(program)).stdout
    monkeypatch.chdir(program.parent)
    assert run("compile", program.name).stdout == from_afar
    assert str(program.parent) not in from_afar


def test_compile_check_needs_a_file_to_compare_with(tmp_path):
    assert run("compile", "-e", "full", "--check").exit_code == 2
    absent = run("compile", "-e", "full", "-o", str(tmp_path / "kernel.py"), "--check")
    assert (absent.exit_code, "without --check" in absent.stderr) == (1, True)


def test_a_mistake_leaves_the_output_as_it_was(program, tmp_path):
    target = tmp_path / "kernel.py"
    target.write_text("before")
    program.write_text("local(\n")
    assert run("compile", str(program), "-o", str(target)).exit_code == 1
    assert target.read_text() == "before"


# files


def test_an_interrupted_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    target = tmp_path / "kernel.py"
    target.write_text("before")

    def fails(self, other):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(files.FileError, match="no space left"):
        files.write(str(target), "after")
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(files.FileError, match="cannot write"):
        files.write(str(tmp_path / "no" / "kernel.py"), "text")


def test_a_link_stays_a_link_and_permissions_stay(tmp_path):
    target, link = tmp_path / "kernel.py", tmp_path / "link.py"
    target.write_text("before")
    target.chmod(0o640)
    link.symlink_to(target)
    files.write(str(link), "after")
    assert link.is_symlink()
    assert target.read_text() == "after"
    assert target.stat().st_mode & 0o777 == 0o640


def test_line_ends_are_written_as_they_are(tmp_path):
    target = tmp_path / "a.pat"
    files.write(str(target), "full\r\n")
    assert target.read_bytes() == b"full\r\n"
    assert files.read(str(target)) == "full\r\n"


# The process


def process(*arguments, **options):
    command = [sys.executable, "-m", "patternc", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("check", str(BIGBIRD)),
        ("compile", str(BIGBIRD)),
        ("fmt", "-e", "local(1)"),
        ("show", "-e", "local(1)", "-n", "8"),
        ("report", "-e", "local(1)", "-n", "8"),
        ("explain", "P040"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_no_heavy_library_is_imported(arguments):
    program = (
        "import sys\nfrom patternc.cli.main import commands\n"
        f"commands.main({list(arguments)!r}, standalone_mode=False)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr.splitlines()[-1:]) == (0, ["[]"])


def test_compile_imports_the_packages_on_its_way_alone(tmp_path):
    """Each further one makes every cold start slower, as `report`, `search` or `queries`."""
    program = (
        "import sys\nfrom patternc.cli.main import commands\n"
        f"commands.main(['compile', '-e', 'local(1)', '-o', {str(tmp_path / 'k.py')!r}],"
        " standalone_mode=False)\n"
        "print(*sorted({name.split('.')[1] for name in sys.modules if name[:9] == 'patternc.'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    home = Path(patternc.__file__).parent
    packages = {name for name in done.stdout.split() if (home / name).is_dir()}
    assert packages == {
        *("algebra", "cli", "emit", "ir", "language", "modifiers"),
        *("relation", "schedule", "semantics", "tiling"),
    }


def test_a_closed_pipe_is_quiet():
    child = process("compile", str(BIGBIRD))
    child.stdout.close()
    assert child.stderr.read() == b""
    child.wait()


def test_an_interrupt_exits_with_130():
    # Whoever runs the tests in the background may have them ignore interrupts.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    child = process("check", "-", stdin=subprocess.PIPE, preexec_fn=heard)
    assert child.stdin is not None
    # The child is past its start-up once it has read what stands in the pipe.
    child.stdin.write(b"local(")
    child.stdin.flush()
    _wait_until_read(child.stdin.fileno())
    child.send_signal(signal.SIGINT)
    _, told = child.communicate()
    assert child.returncode == 130
    assert b"Traceback" not in told


def _wait_until_read(descriptor):
    import fcntl
    import termios

    waiting = bytearray(4)
    while fcntl.ioctl(descriptor, termios.FIONREAD, waiting) == 0 and any(waiting):
        os.sched_yield()


# Stages.


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_can_be_looked_at(stage):
    result = run("compile", str(BIGBIRD), "--emit", stage, "--layer", "3")
    assert result.exit_code == 0
    assert result.stdout == run("compile", str(BIGBIRD), "--emit", stage, "--layer", "3").stdout
    told = {
        "ast": "random(3, pool=1:16) }",
        "program": "avoid=local(1) + global([0, -1])",
        "relation": "RandomTable",
        "decomposition": "piece 0\n        { (i, j) : ",
        "tilings": "listed  for 0 <= b < floor(n / 64)",
        "schedule": "query tiles of 64 rows",
        "module": "def attention(",
    }
    assert told[stage] in result.stdout


@pytest.mark.parametrize("former", FORMER_NAMES)
def test_former_names_of_stages_are_understood(former):
    one, other = (
        run("compile", "-e", "local(4)", "--emit", n) for n in (former, FORMER_NAMES[former])
    )
    assert (one.exit_code, one.stdout) == (0, other.stdout)


def test_an_unknown_stage_is_wrong_usage_and_the_stages_are_listed():
    result = run("compile", "-e", "local(4)", "--emit", "tiles")
    assert result.exit_code == 2
    assert all(f"'{stage}'" in result.stderr for stage in STAGES)


def test_the_tilings_stage_shows_closed_forms():
    result = run("compile", "-e", "local(256)", "--emit", "tilings")
    assert "full    for max(0, ((2 * a) - 2)) <= b < " in result.stdout


# Tile shapes.


def test_tiles_are_given_on_the_command_line_and_in_the_command_of_the_file(program):
    made = run("compile", str(program), "--tiles", "64x32").stdout
    assert "QUERY_TILE = 64\nKEY_TILE = 32\n" in made
    assert "--tiles=64x32" in made


@pytest.mark.parametrize("shape", ["64", "64x", "48x64", "64x64x64", "0x64"])
def test_a_shape_that_no_kernel_can_have_is_wrong_usage(program, shape):
    result = run("compile", str(program), "--tiles", shape)
    assert result.exit_code == 2
    assert "expected two sizes such as 128x64" in result.stderr


def test_tuning_needs_a_file_and_chooses_the_tiles_itself(program, tmp_path):
    for arguments in (("--tune", "512"), ("--tune", "512", "--tiles", "64x64", "-o", "x.py")):
        result = run("compile", str(program), *arguments)
        assert result.exit_code == 2
        assert "--tune needs an output file" in result.stderr


def test_tuning_without_a_gpu_says_so_and_writes_nothing(program, tmp_path):
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    output = tmp_path / "made.py"
    words = [sys.executable, "-m", "patternc", "compile", str(program), "--tune", "512"]
    done = subprocess.run(
        [*words, "-o", str(output)], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 1
    assert "torch finds none" in done.stderr
    assert list(tmp_path.iterdir()) == [program]


# report


def test_a_report_is_text_markdown_or_json():
    words = ("report", str(BIGBIRD.with_name("longformer.pat")), "-n", "512", "--layers", "2")
    assert "pairs" in run(*words).stdout
    assert run(*words, "--output-format", "markdown").stdout.startswith("# longformer.pat")
    document = json.loads(run(*words, "--output-format", "json").stdout)
    assert (document["format"], document["n"]) == ("patternc.report/1", 512)


def test_a_report_reads_the_standard_input_and_writes_a_file(tmp_path):
    target = tmp_path / "report.json"
    words = ("report", "-", "-n", "64", "--output-format", "json", "-o", str(target))
    result = run(*words, text="causal\nlocal(left=3)\n")
    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads(target.read_text())["layers"][0]["pairs"] == [64 * 4 - 6]


def test_a_report_at_a_length_that_does_not_fit_is_an_error():
    result = run("report", "-e", "neighborhood([8, 8], radius=[1, 1])", "-n", "63")
    assert (result.exit_code, "64" in result.stderr) == (1, True)


def test_a_report_with_numbers_out_of_range_is_wrong_usage():
    words = ("report", "-e", "heads 4\nfull", "-n", "8")
    assert run(*words, "--kv-heads", "3").exit_code == 2
    assert run(*words, "--slots", "cache=3").exit_code == 2
    assert run("report", "-e", "full").exit_code == 2


def test_slots_of_the_call_are_those_of_the_report():
    words = ("report", "-e", "full on encoder", "-n", "8", "--output-format", "json")
    given = json.loads(run(*words, "--slots", "encoder=5").stdout)
    assert (given["layers"][0]["pairs"], given["layers"][0]["keys"]) == ([40], 5)
    assert json.loads(run(*words).stdout)["layers"][0]["pairs"] == [64]


def test_show_draws_the_rows_of_a_stream():
    text = "local(1) + full on stream(g, 4)\nrows g\ncolumns([0])"
    told = run("show", "-e", text, "-n", "64", "--rows", "g").stdout
    assert "the 4 rows of g" in told
    assert "4 of 256" in told
    assert "--rows g" in run("show", "-e", text, "-n", "64").stdout
    wrong = run("show", "-e", text, "--rows", "h")
    assert (wrong.exit_code, "this pattern has g" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "-"], "-: any number of layers"),
        (["show", "-", "-n", "64"], "-: n = 64"),
        (["report", "-", "-n", "64"], "-: n = 64, 1 layer"),
        (
            ["why", "-", "-n", "64", "--query", "9", "--key", "2"],
            "query 9 does not attend to key 2",
        ),
        (["suggest", "-", "-n", "64", "--layers", "9", "--vary", "w=8:20"], "# pattern with w = "),
        (["compile", "-"], '"""pattern: block-sparse attention'),
        (["compile", "-", "--emit", "relation"], "layers 0\n  heads 0\n"),
        (["fmt", "-"], "param w = 3"),
    ],
)
def test_every_command_reads_the_standard_input(arguments, said):
    result = run(*arguments, text="param w = 3\nlocal(w)\n")
    assert result.exit_code == 0
    assert result.stdout.startswith(said)


def test_diff_reads_the_standard_input_on_either_side(tmp_path):
    path = tmp_path / "other.pat"
    path.write_text("local(left=3, right=3)\n", encoding="utf-8")
    for sides in (["-", str(path)], [str(path), "-"]):
        assert run("diff", *sides, "-n", "64", text="local(3)\n").exit_code == 0


@pytest.mark.parametrize("arguments", [["check", "-", "-"], ["diff", "-", "-"], ["fmt", "-", "-"]])
def test_the_standard_input_is_read_once(arguments):
    result = run(*arguments, text="local(3)\n")
    assert result.exit_code == 2
    assert "can be read only once" in result.stderr
