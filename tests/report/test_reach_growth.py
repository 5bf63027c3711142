"""Growth, terms and curves: what is drawn is what masks and their products say."""

from __future__ import annotations

import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from patternc import Pattern
from patternc.analysis.cost.layer_cost import Workload
from patternc.relation.tables import HeadTables
from patternc.report.charts import chart, curves, figure
from patternc.report.reach_growth import reach_growth
from patternc.report.reach_svg import fields, layers_map, matrices, strip, terms
from patternc.report.svg import shares
from patternc.report.term_shares import term_shares
from patternc.report.view import view

PROGRAMS = [
    "local(3) + global([0])",
    "causal\nlocal(left=2) + strided(7)",
    "layers 2\nlayer == 0 -> segment(8)\nelse -> columns(period(8, 7:8))",
    "heads 2\nblocks(4) { local(1) + random(1) }",
    "local(2) + full on pool(5, mean)",
]


def products(pattern: Pattern, n: int, layers: int) -> list[np.ndarray]:
    """Fields by dense products; programs on tokens only."""
    field, found = np.eye(n, dtype=bool), []
    for layer in range(layers):
        mask = pattern.mask(n, layer=layer % (pattern.layers or 1)).any(axis=0)
        field = field | (mask.astype(int) @ field.astype(int) > 0)
        found.append(field)
    return found


def grown(text: str, n: int, layers: int, cell: int, query: int):
    pattern = Pattern.parse(text)
    own = range(pattern.layers or 1)
    relations = [pattern.relations(layer) for layer in own]
    return reach_growth(relations, HeadTables(n), layers, cell, query)


@pytest.mark.parametrize("cell", [1, 3, 8])
@pytest.mark.parametrize("n", [1, 17, 64, 70])
@pytest.mark.parametrize("text", PROGRAMS[:-1])
def test_growth_is_that_of_products_of_masks(text, n, cell):
    expected = products(Pattern.parse(text), n, 4)
    found = grown(text, n, 4, cell, n // 2)
    for layer, field in enumerate(expected):
        assert np.array_equal(found.shares[layer], shares(field, cell))
        assert np.array_equal(found.row[layer], field[n // 2])
    assert found.full_at == Pattern.parse(text).reach(n, 4).full_at


def test_growth_through_a_pool_is_that_of_reach():
    text, n = PROGRAMS[-1], 40
    found, reach = grown(text, n, 3, 4, 7), Pattern.parse(text).reach(n, 3)
    assert found.full_at == reach.full_at
    sizes = [round(share.sum() * 16) for share in found.shares]
    assert sizes == list(reach.connected)


@pytest.mark.parametrize("n", [12, 64, 100])
@pytest.mark.parametrize("text", PROGRAMS[:2] + PROGRAMS[3:])
def test_the_terms_of_a_rule_unite_to_its_mask(text, n):
    pattern = Pattern.parse(text)
    seen = view(pattern, n, 0, None)
    found = term_shares(seen, pattern.elaborated_program, 0)
    united = np.maximum.reduce([part.shares for part in found])
    whole = seen.cells(0)
    assert len(found) == 2
    assert ((united > 0) == (whole > 0)).all()
    assert (united <= whole + 1e-9).all()


def test_terms_on_several_sources_stand_in_their_own_columns():
    pattern = Pattern.parse("causal\nfull on memory(8) + local(left=3)")
    memory, window = term_shares(view(pattern, 8, 0, None), pattern.elaborated_program, 0)
    assert np.array_equal(memory.shares, np.hstack([np.ones((8, 8)), np.zeros((8, 8))]))
    assert np.array_equal(window.shares[:, 8:], pattern.mask(8)[0, :, 8:])
    assert not window.shares[:, :8].any()


def test_pictures_are_well_formed_and_say_when_all_is_connected():
    found = grown("local(3) + global([0])", 70, 4, 2, 40)
    root = ElementTree.fromstring(fields("a & b", "x < y", found))
    texts = {node.text for node in root.iter() if node.text}
    assert {"a & b", "x < y", "query 40", "after 1 layer", "after 2 layers, full"} <= texts
    assert "after 3 layers" not in texts
    for element in (strip(found), matrices(found), layers_map(found, 100)):
        assert ElementTree.fromstring(element).tag == "svg"
    pattern = Pattern.parse("local(1) + global([0])")
    own = term_shares(view(pattern, 9, 0, None), pattern.elaborated_program, 0)
    drawn = ElementTree.fromstring(terms("t", "c", own, 9, 9))
    assert {"local(1)", "global([0])"} <= {node.text for node in drawn.iter() if node.text}


STRIP = """\
<svg class="patternc" width="708" height="58" viewBox="0 0 708 58" role="img">
<g transform="translate(64 22)">
<text x="0" y="-10" class="head">query 1</text>
<rect class="field" width="640" height="14"/>
<g transform="scale(160 14)" shape-rendering="crispEdges">
<path class="l5" d="M0 0h3v1h-3z"/>
</g>
<text x="-7" y="11" text-anchor="end">layer 1</text>
<path class="rule" d="M0 14h640"/>
<path class="here" d="M240 0v14"/>
<text x="0" y="30" text-anchor="start">0</text>
<text x="320" y="30" text-anchor="middle">position →</text>
<text x="640" y="30" text-anchor="end">4</text>
</g>
</svg>"""


def test_the_field_of_a_query_is_drawn_letter_by_letter():
    assert strip(grown("local(1)", 4, 1, 1, 1)) == STRIP


def test_curves_are_the_counts_of_reports():
    pattern = Pattern.parse("layers 3\nheads 2\nlocal(4) + global([0])")
    found = curves(pattern, Workload(256), 3)
    assert found is not None
    assert found.lengths == (64, 128, 256, 512, 1024)
    assert list(found.pairs.values) == [6 * pattern.pairs(n)[0] for n in found.lengths]
    assert list(found.dense.values) == [6 * n * n for n in found.lengths]
    report = pattern.report(256)
    for series, roofline in zip(found.seconds, report.facts.rooflines, strict=True):
        assert series.name == roofline.device.name
        assert series.values[2] == roofline.forward.seconds


def test_a_chart_is_well_formed_and_names_its_curves():
    found = curves(Pattern.parse("local(4)"), Workload(100), 1)
    assert found is not None
    root = ElementTree.fromstring(chart("a < b", found.lengths, [found.pairs, found.dense], ""))
    texts = {node.text for node in root.iter() if node.text}
    assert {"a < b", "pairs", "every pair"} <= texts
    assert any("n = 100: " in text for text in texts)


def test_curves_end_at_the_greatest_length():
    found = curves(Pattern.parse("local(4)"), Workload(1 << 30), 1)
    assert found is not None
    assert found.lengths[-1] == 1 << 30


def test_grids_have_no_curves():
    pattern = Pattern.parse("neighborhood([4, 4], radius=[1, 1])")
    assert curves(pattern, Workload(16), 1) is None


def test_figures_need_matplotlib_and_say_so(monkeypatch):
    found = curves(Pattern.parse("local(4)"), Workload(64), 1)
    assert found is not None
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match="pip install 'patternc"):
        figure(found, "local(4)", "svg")


def test_figures_are_drawn_by_matplotlib():
    pytest.importorskip("matplotlib")
    found = curves(Pattern.parse("local(4)"), Workload(64), 1)
    assert found is not None
    assert ElementTree.fromstring(figure(found, "local(4)", "svg")).tag.endswith("svg")
    assert figure(found, "local(4)", "pdf").startswith(b"%PDF")
    with pytest.raises(ValueError, match="not supported"):
        figure(found, "local(4)", "nothing")
