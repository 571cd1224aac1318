"""The load gauge tells others' work from one's own."""

import subprocess
import sys

from bot.engine.load_gauge import LoadGauge

WORK = (sys.executable, "-c", "import time\nwhile time.process_time() < 0.5: pass")


def test_the_share_is_a_share() -> None:
    """It lies between 0 and 1, from the first moment on."""
    gauge = LoadGauge()
    assert 0 <= gauge.others() <= 1


def test_a_child_that_works_is_not_somebody_else() -> None:
    """The half second that an ended child computed is counted once for all and once for us."""
    gauge = LoadGauge()
    before = gauge._ours_s
    subprocess.run(WORK, check=True)
    later = LoadGauge()
    assert later._ours_s - before >= 0.4
    assert later._busy_s - gauge._busy_s >= later._ours_s - before - 0.1
