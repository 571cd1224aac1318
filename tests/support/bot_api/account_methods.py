"""Methods about the bot itself and its updates."""

import re
from typing import TYPE_CHECKING, Any

from tests.support.bot_api.api_error import bad_request, conflict
from tests.support.bot_api.parameters import integer

if TYPE_CHECKING:
    from tests.support.bot_api.bot_api_server import BotApiServer

LARGEST_DOWNLOAD = 20 * 2**20
"""Bytes: https://core.telegram.org/bots/api#getfile"""
MOST_COMMANDS = 100
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
LONGEST_DESCRIPTION = 256


class AccountMethods:
    """Each method takes the parameters of a call and returns its result."""

    def __init__(self, server: "BotApiServer") -> None:
        self._server = server

    async def get_me(self, _params: dict[str, Any]) -> dict[str, Any]:
        """Who the bot is."""
        return self._server.me | {
            "can_join_groups": True,
            "can_read_all_group_messages": not self._server.privacy,
            "supports_inline_queries": False,
        }

    async def get_updates(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        """Long polling."""
        server = self._server
        if server.webhook:
            raise conflict("can't use getUpdates method while webhook is active; use deleteWebhook to delete it first")
        if "allowed_updates" in params:
            server.updates.allowed = params["allowed_updates"]
        return await server.updates.get(
            offset=integer(params, "offset", 0),
            limit=integer(params, "limit", 100),
            timeout_s=float(params.get("timeout", 0)),
        )

    async def set_webhook(self, params: dict[str, Any]) -> bool:
        """Updates are posted from now on."""
        url = params.get("url", "")
        if url and not url.startswith("https://") and not self._server.plain_webhooks:
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if params.get("drop_pending_updates"):
            self._server.updates.drop()
        self._server.updates.allowed = params.get("allowed_updates", [])
        self._server.set_webhook(url, params.get("secret_token", ""))
        return True

    async def delete_webhook(self, params: dict[str, Any]) -> bool:
        """Updates are polled from now on."""
        if params.get("drop_pending_updates"):
            self._server.updates.drop()
        self._server.set_webhook("", "")
        return True

    async def get_webhook_info(self, _params: dict[str, Any]) -> dict[str, Any]:
        """Where updates go."""
        pending = len(self._server.updates.pending)
        info = {"url": self._server.webhook, "has_custom_certificate": False, "pending_update_count": pending}
        failed = {"last_error_date": self._server.date(), "last_error_message": self._server.webhook_error}
        return info | (failed if self._server.webhook_error else {})

    async def get_file(self, params: dict[str, Any]) -> dict[str, Any]:
        """Where a file can be downloaded."""
        file_id = params.get("file_id")
        if file_id not in self._server.files:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        name, data = self._server.files[file_id]
        if len(data) > LARGEST_DOWNLOAD:
            raise bad_request("file is too big")
        return {
            "file_id": file_id,
            "file_unique_id": f"u{file_id}",
            "file_size": len(data),
            "file_path": f"documents/{file_id}/{name}",
        }

    async def answer_callback_query(self, params: dict[str, Any]) -> bool:
        """Take the clock off a pressed button."""
        query = params.get("callback_query_id", "")
        if query not in self._server.queries:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        self._server.answered[query] = params.get("text", "")
        return True

    async def set_my_commands(self, params: dict[str, Any]) -> bool:
        """The menu of a scope and language."""
        commands = params.get("commands", [])
        if len(commands) > MOST_COMMANDS:
            raise bad_request("too many commands specified")
        for command in commands:
            if not _COMMAND.fullmatch(command["command"]):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= LONGEST_DESCRIPTION:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        self._server.menus[_menu(params)] = {each["command"]: each["description"] for each in commands}
        return True

    async def get_my_commands(self, params: dict[str, Any]) -> list[dict[str, str]]:
        """What was set."""
        menu = self._server.menus.get(_menu(params), {})
        return [{"command": name, "description": text} for name, text in menu.items()]

    async def delete_my_commands(self, params: dict[str, Any]) -> bool:
        """Take a menu away."""
        self._server.menus.pop(_menu(params), None)
        return True


def _menu(params: dict[str, Any]) -> tuple[str, str]:
    return (params.get("scope", {}).get("type", "default"), params.get("language_code", ""))
