from collections.abc import Callable
from typing import Any

import pytest

from bot.documents.document_reader import DocumentReader
from bot.settings.documents import DocumentSettings

OpenReader = Callable[..., DocumentReader]


@pytest.fixture
def open_reader() -> OpenReader:
    """A reader with other limits."""

    def make(**limits: Any) -> DocumentReader:
        return DocumentReader(DocumentSettings(**limits))

    return make


@pytest.fixture
def reader(open_reader: OpenReader) -> DocumentReader:
    """A reader with the usual limits."""
    return open_reader()
