"""Statements that take effect together or not at all."""

import sqlite3

import aiosqlite

Value = str | int | float | None


class Transaction:
    """What `Database.transaction` lends out for the length of its `async with` block."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def run(self, sql: str, /, **values: Value) -> list[sqlite3.Row]:
        """Run one statement with `:name` placeholders and return all its rows.

        Everything is fetched at once: a cursor left half read would hold its snapshot and keep the write-ahead log
        from being emptied.
        """
        parameters = {name: _encodable(value) for name, value in values.items()}
        return list(await self._connection.execute_fetchall(sql, parameters))


def _encodable(value: Value) -> Value:
    r"""Lone surrogates, which SQLite cannot keep, as `\udc80`: half an emoji must not make a message unstorable."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(value, str) else value
