"""The line of stages: in order, each computed once, by commands and by `Pattern` alike."""

import logging
from collections import Counter
from importlib import import_module

import pytest
from click.testing import CliRunner

from patternc import Pattern, frontend
from patternc.cli.main import commands
from patternc.frontend import Frontend
from patternc.language.elaborate.lower import Lowering
from patternc.pipeline import Compilation, Options
from patternc.relation import excluded_keys
from patternc.stages import STAGES
from patternc.zoo import published

TEXTS = {
    "window": "local(256) + global([0])",
    "heads": "heads 4\nlayers 6\ncausal\nhead < 2 -> local(8)\nelse -> local(2 ** head)",
    "streams": "local(4) + full on stream(g, 4)\nrows g\nfull + full on stream(g, 4)",
    "bigbird": published("bigbird"),
}


@pytest.fixture
def calls(monkeypatch):
    """How often each stage and each lowering is computed, by what it is computed from."""
    excluded_keys._lowered.cache_clear()
    counts = {name: Counter() for name in ("parse", "elaborate", "relation", "lowering", "avoid")}

    def counted(module, name, function, key):
        def call(*arguments):
            counts[name][key(*arguments)] += 1
            return function(*arguments)

        monkeypatch.setattr(module, function.__name__, call)

    counted(frontend, "parse", frontend.parse, lambda text, name: text)
    counted(frontend, "elaborate", frontend.elaborate, lambda program, given: program.source.text)
    counted(frontend, "relation", frontend.relation, lambda pattern: pattern)
    counted(excluded_keys, "avoid", excluded_keys.lower, lambda term, *scope: term)
    for module in ("check_heads", "elaborate"):
        module = import_module(f"patternc.language.elaborate.{module}")
        counted(module, "lowering", Lowering, lambda place, *rest: (place.layer, place.head))
    return counts


@pytest.mark.parametrize("name", TEXTS)
def test_a_program_is_parsed_elaborated_and_lowered_once_for_a_command(name, calls):
    result = CliRunner().invoke(commands, ["compile", "-e", TEXTS[name]])
    assert (result.exit_code, "def attention(" in result.stdout) == (0, True)
    for stage in ("parse", "elaborate"):
        assert list(calls[stage].values()) == [1]
    for stage in ("relation", "avoid"):
        assert set(calls[stage].values()) <= {1}
    program = Pattern.parse(TEXTS[name])
    layers = range(program.layers or 1)
    heads = {one for rows in ("", *program.rows) for at in layers
             for one in program._frontend.patterns(at, rows)}  # fmt: skip
    assert set(calls["relation"]) == heads


@pytest.mark.parametrize(("text", "most"), [(TEXTS["window"], 1), (TEXTS["heads"], 4)])
def test_a_rule_without_draws_becomes_a_term_once_for_each_head_that_it_differs_for(
    text, most, calls
):
    """The terms that values are checked on are those that are compiled, for all layers here."""
    assert Compilation(Frontend(text)).relation
    assert calls["lowering"].total() == most
    assert set(calls["lowering"].values()) == {1}


def test_a_pattern_computes_its_program_once_for_all_that_it_is_asked(calls):
    pattern = Pattern.parse(TEXTS["window"])
    pattern.mask(300)
    pattern.pairs(300)
    assert pattern.compile() == pattern.compile()
    pattern.check(512)
    assert [calls[stage].total() for stage in ("parse", "elaborate", "relation")] == [1, 1, 1]


def test_the_log_has_a_line_for_each_stage_in_order(caplog):
    with caplog.at_level(logging.DEBUG, "patternc"):
        assert Compilation(Frontend("local(4)", "window.pat")).module
    told = [record.getMessage() for record in caplog.records if record.name == "patternc"]
    assert [line.split(" in ")[0] for line in told] == [f"window.pat: {each}" for each in STAGES]
    assert all(line.endswith(" ms") for line in told)


def test_a_stage_computes_those_before_it_and_no_other(caplog):
    with caplog.at_level(logging.DEBUG, "patternc"):
        compilation = Compilation(Frontend("local(4)"))
        assert compilation.decomposition.layers
        assert compilation.relation
    told = [record.getMessage().split()[1] for record in caplog.records]
    assert told == ["ast", "program", "relation", "decomposition"]


def test_the_command_and_the_pattern_write_the_same_text(tmp_path):
    path = tmp_path / "window.pat"
    path.write_text("heads 4\nlocal(2 ** head)")
    command = "patternc compile window.pat --head-dim=32"
    result = CliRunner().invoke(commands, ["compile", str(path), "--head-dim", "32"])
    pattern = Pattern(path.read_text(), name="window.pat")
    assert result.stdout == pattern.compile(head_dim=32, command=command)


def test_options_choose_layers_and_tiles():
    found = Frontend("layers 3\nlocal(2 ** layer)")
    one = Compilation(found, Options(layer=1, tiles=(64, 32)))
    assert one.relation == (found.relations(1),)
    assert (one.schedule.query_tile, one.schedule.key_tile, one.schedule.layers) == (64, 32, None)
    assert len(Compilation(found).relation) == 3
