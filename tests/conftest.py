"""What holds for every test."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.hearthbot_process import Hearthbot

# How long an example takes says nothing about the code on a box that does something else at the same time.
settings.register_profile("hearthbot", deadline=None)
settings.load_profile("hearthbot")


@pytest.fixture(scope="session")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that outlives a test, so that the embedded model is tried in a child process only once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def hearthbot(tmp_path: Path, probed: Path) -> Hearthbot:
    """The program with empty folders, on a machine where the model was tried before."""
    return Hearthbot(tmp_path, cache=probed)
