"""What the benchmark `soak` says of memory."""

import pytest

from benchmarks.soak import growth_percent


def test_only_growth_in_the_second_half_counts() -> None:
    """What a daemon takes while it gets going is no leak; what it takes at the end is."""
    settled = [float(each) for each in range(50)] + [100.0] * 50
    assert growth_percent(settled) == 0
    assert growth_percent(settled[:-10] + [110.0] * 10) == pytest.approx(10)
