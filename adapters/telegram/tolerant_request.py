"""Requests for updates, of which one that cannot be read does not hide the others."""

import logging
from typing import Any

from telegram import Update
from telegram.request import HTTPXRequest

_LOGGER = logging.getLogger(__name__)


class TolerantRequest(HTTPXRequest):
    """Takes updates that python-telegram-bot cannot parse out of an answer, all but their ids.

    Otherwise the same answer would fail for ever, because its updates are never confirmed.
    """

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Return the answer with readable updates."""
        answer: dict[str, Any] = HTTPXRequest.parse_json_payload(payload)
        if isinstance(answer.get("result"), list):
            answer["result"] = [readable(each) for each in answer["result"] if is_update(each)]
        return answer


def readable(update: dict[str, Any]) -> dict[str, Any]:
    """The update, or what is left of it: an update with nothing in it."""
    try:
        Update.de_json(update, None)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the next one must be answered
        _LOGGER.warning("an update cannot be read and is left out (%s)", type(error).__name__)
        return {"update_id": update["update_id"]}
    return update


def is_update(update: Any) -> bool:
    """Whether it has at least an id, by which it can be confirmed."""
    return isinstance(update, dict) and isinstance(update.get("update_id"), int)
