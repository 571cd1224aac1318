"""The fuzzer's targets are right for the inputs that broke something once, and for some others."""

import pytest

from tests.fuzz.targets import TARGETS

SEEDS = (b"", b"\x00", b"\xff\xfe\x80", b"/help me", b"name, age? int, tags [str]", b"GGUF\x03\x00\x00\x00", b"{}")


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_anything(name: str) -> None:
    """Without a fuzzer, so that the targets keep working where there is none."""
    for seed in SEEDS:
        TARGETS[name](seed)
