"""The web: an OpenAI-compatible API and a page, on the same model as the chats."""

from adapters.web.settings import ApiKeySettings, WebSettings
from adapters.web.web_adapter import WebAdapter

__all__ = ["ApiKeySettings", "WebAdapter", "WebSettings"]
