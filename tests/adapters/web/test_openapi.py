"""schemathesis against a running server: whatever the OpenAPI document allows, and what it does not."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from adapters.web import WebAdapter
from tests.support.scripted_engine import ScriptedEngine
from tests.support.web_client import web

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
PATHS = (
    ("GET", "/v1/models"),
    ("GET", "/v1/models/{name}"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/completions"),
    ("POST", "/v1/responses"),
    ("POST", "/v1/embeddings"),
    ("GET", "/health"),
    ("GET", "/metrics"),
)


@pytest.fixture
async def adapter() -> AsyncIterator[WebAdapter]:
    """The server, whose model answers everything."""
    async with web(ScriptedEngine(n_ctx=1_000_000)) as adapter:
        yield adapter


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_no_answer_is_undocumented(adapter: WebAdapter, method: str, path: str) -> None:
    """For what fits the document and what does not: no 5xx, no other status, type or shape than the document has."""
    async with httpx2.AsyncClient() as client:
        document = (await client.get(f"{adapter.url}/openapi.json")).json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.base_url = adapter.url
    operation = schema[path][method]

    def try_all() -> None:
        # Where nothing can be given, nothing can be given wrongly.
        takes = operation.body or operation.query
        wrong = (schemathesis.GenerationMode.NEGATIVE,) if takes else ()
        for mode in (schemathesis.GenerationMode.POSITIVE, *wrong):

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=20,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def one(case: Any) -> None:
                case.call_and_validate(checks=CHECKS, timeout=20)

            one()

    await asyncio.to_thread(try_all)


async def test_every_operation_is_tried(adapter: WebAdapter) -> None:
    """The list above is complete."""
    async with httpx2.AsyncClient() as client:
        document = (await client.get(f"{adapter.url}/openapi.json")).json()
    there = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert there == set(PATHS)
