"""Adds the page to the web application."""

from fastapi import FastAPI

from adapters.web.page import admin, conversations, documents, entry, messages, uploads
from adapters.web.page.documents import STATIC, FreshFiles
from adapters.web.page.page import Page
from adapters.web.page.safe_headers import SafeHeaders


def mount_page(app: FastAPI, page: Page) -> None:
    """Routes, files and headers."""
    app.state.page = page
    app.add_middleware(SafeHeaders)
    for each in (documents, entry, conversations, messages, uploads, admin):
        app.include_router(each.router)
    app.mount("/static", FreshFiles(directory=STATIC))
