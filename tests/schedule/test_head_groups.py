"""Heads share a kernel exactly when their patterns differ in numbers or tables only."""

from __future__ import annotations

from patternc.algebra.intervals import Interval
from patternc.algebra.queries import variables_of
from patternc.ir.formula import Scalar
from patternc.pattern import Pattern


def groups(text, layer=0):
    schedule = Pattern.parse(text).schedule()
    return schedule.groups[schedule.group_of_layer[layer]]


def test_equal_heads_share_one_tiling_and_no_scalars():
    (group,) = groups("heads 4\nlocal(5)")
    assert group.heads == (0, 1, 2, 3)
    assert group.passes[0].scalars == ((), (), (), ())
    assert group.passes[0].tiling_of_head == (0, 0, 0, 0)


def test_numbers_that_differ_become_scalars_of_each_head():
    (group,) = groups("heads 3\nlocal(left=64 * head + 2, right=7)")
    assert group.passes[0].scalars == ((-2,), (-66,), (-130,))
    assert len(group.passes[0].tilings) == 3
    assert "Scalar(slot=0)" in str(group.passes[0].predicate)
    assert "value=7" in str(group.passes[0].predicate)


def test_numbers_that_differ_alike_share_one_scalar():
    (group,) = groups("heads 2\nsegment(8 + head) & segment(8 + head, back=1)")
    assert [len(row) for row in group.passes[0].scalars] == [1, 1]


def test_another_shape_is_another_launch():
    found = groups("heads 3\nhead == 1 -> strided(4)\nelse -> local(3)")
    assert [group.heads for group in found] == [(0, 2), (1,)]


def test_random_heads_share_a_kernel_and_have_tables_of_their_own():
    (group,) = groups("heads 3\nlocal(1) + random(2)")
    assert len(group.passes[0].tables) == 1
    assert len(set(group.passes[0].tables[0])) == 3
    assert len(group.passes[0].tilings) == 1


def test_each_argument_of_a_mix_is_a_pass():
    (group,) = groups("mix(local(3), segment(8), segment(8))")
    assert [launch.multiplicity for launch in group.passes] == [1, 2]


def test_layers_with_equal_patterns_share_their_groups():
    schedule = Pattern.parse("layers 6\nlayer % 3 == 2 -> full\nelse -> local(3)").schedule()
    assert schedule.group_of_layer == (0, 0, 1, 0, 0, 1)
    assert len(schedule.groups) == 2


def test_runs_of_kernels_never_filter_tiles_for_windows_and_globals():
    (group,) = groups("local(256) + global([0])")
    runs = group.passes[0].tilings[0].full + group.passes[0].tilings[0].partial
    assert all(isinstance(run, Interval) and "j" not in variables_of(run.guard) for run in runs)
    assert not any(isinstance(run.start, Scalar) for run in runs)
