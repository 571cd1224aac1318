"""Telegram: private chats, groups, supergroups and forum topics, by long polling or a webhook."""

from adapters.telegram.settings import TelegramSettings
from adapters.telegram.telegram_adapter import TelegramAdapter

__all__ = ["TelegramAdapter", "TelegramSettings"]
