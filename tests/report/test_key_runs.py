"""Keys in words."""

from hypothesis import given
from hypothesis import strategies as st

from patternc.report.key_runs import in_words, key_runs


def test_strides_are_told_as_steps():
    keys = [0, 1, 2, 3, *range(770, 1793, 2), 1800, 1807]
    told = [in_words(run) for run in key_runs(keys)]
    assert told == ["0 to 3", "770 to 1,792 step 2", "1,800", "1,807"]


@given(st.sets(st.integers(0, 60)))
def test_runs_hold_the_keys_in_order(keys):
    assert [key for run in key_runs(sorted(keys)) for key in run] == sorted(keys)
