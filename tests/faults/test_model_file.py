"""What happens to the model's file while it is in use."""

import os
import shutil
from pathlib import Path

import pytest

from bot.engine.model_file import resolve
from bot.settings import ModelSettings
from tests.faults.test_death import check
from tests.support.faulty_daemon import FaultyDaemon


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the embedded model."""
    embedded = resolve(ModelSettings(), cache_dir=tmp_path, notify=print).path
    return Path(shutil.copy(embedded, tmp_path / "model.gguf"))


async def test_a_model_that_is_cut_short_costs_no_reply(daemon: FaultyDaemon, model: Path) -> None:
    """The process may die of it; once the file is whole again, what was asked is answered."""
    whole = model.read_bytes()
    daemon.model = model
    async with daemon.living() as process:
        os.truncate(model, len(whole) // 2)
        daemon.ann.say("Tell me about the sea.")
        await daemon.until(
            lambda: process.poll() is not None or daemon.query("SELECT 1 FROM answers WHERE state = 'delivered'")
        )
    model.write_bytes(whole)
    async with daemon.living():
        await daemon.until_settled()
    check(daemon, daemon.ann, 1)


async def test_a_model_that_is_replaced_is_used_at_the_next_start(daemon: FaultyDaemon, model: Path) -> None:
    """A new file under the old name does not disturb the one that is mapped."""
    daemon.model = model
    async with daemon.living() as process:
        other = model.with_name("other.gguf")
        other.write_bytes(b"not a model")
        other.rename(model)
        daemon.ann.say("Tell me about the sea.")
        await daemon.until(lambda: daemon.query("SELECT 1 FROM answers WHERE state = 'delivered'"))
        assert process.poll() is None
    check(daemon, daemon.ann, 1)
