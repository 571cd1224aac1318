"""The size of a prefill chunk follows what was measured."""

from hypothesis import given
from hypothesis import strategies as st

from bot.engine.chunk_sizer import ChunkSizer


def test_a_chunk_fits_the_target_beside_a_stream() -> None:
    """With 100 tokens a second and 50 ms for the running replies, 200 ms have room for 15 tokens."""
    sizer = ChunkSizer(target_s=0.2, n_batch=512)
    sizer.measured(prefill=0, decoding=2, seconds=0.05)
    sizer.measured(prefill=100, decoding=0, seconds=1.0)
    assert sizer.size(decoding=2) == 15
    assert sizer.prefill_tokens_per_s == 100


def test_a_chunk_is_larger_when_nobody_streams() -> None:
    """With nobody to hold up, a chunk may take four times the target."""
    sizer = ChunkSizer(target_s=0.2, n_batch=512)
    sizer.measured(prefill=100, decoding=0, seconds=1.0)
    assert sizer.size(decoding=0) == 80


@given(
    st.lists(st.tuples(st.integers(0, 512), st.integers(0, 16), st.floats(1e-6, 1000)), max_size=20),
    st.integers(0, 64),
)
def test_a_chunk_never_overflows_the_batch(steps: list[tuple[int, int, float]], decoding: int) -> None:
    """Whatever was measured, the chunk and the running replies fit one batch, and a chunk is never empty for long."""
    sizer = ChunkSizer(target_s=0.2, n_batch=64)
    for prefill, beside, seconds in steps:
        sizer.measured(prefill=prefill, decoding=beside, seconds=seconds)
    size = sizer.size(decoding=decoding)
    assert 0 <= size <= 64 - decoding
    assert size > 0 or decoding == 64
