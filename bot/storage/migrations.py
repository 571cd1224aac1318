"""The schema, as the numbered steps that lead to it.

A step that was released is never changed: databases out there have taken it. A new step is appended.
"""

APPLICATION_ID = 0x48424F54
"""`HBOT` in the file's header: https://www.sqlite.org/pragma.html#pragma_application_id"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    # 1: conversations and their turns.
    # AUTOINCREMENT: a deleted id is never given again, so a reply that is still being written when its turn is
    # deleted cannot end in somebody else's.
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        """
        CREATE TABLE conversations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            adapter TEXT NOT NULL,
            chat TEXT NOT NULL,
            thread TEXT NOT NULL,
            user TEXT NOT NULL,
            persona TEXT NOT NULL,
            context_start INTEGER NOT NULL DEFAULT 0,
            created_ms INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX conversations_by_user ON conversations (adapter, user, chat, thread)",
        """
        CREATE TABLE turns (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            message_id TEXT NOT NULL,
            sender_name TEXT NOT NULL,
            text TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('pending', 'done', 'failed', 'interrupted', 'discarded')),
            persona TEXT NOT NULL,
            created_ms INTEGER NOT NULL,
            reply TEXT,
            reasoning TEXT NOT NULL DEFAULT '',
            error_code TEXT,
            finished_ms INTEGER,
            finish_reason TEXT,
            prompt_tokens INTEGER,
            cached_tokens INTEGER,
            completion_tokens INTEGER,
            queue_ms REAL,
            prefill_ms REAL,
            ttft_ms REAL,
            decode_ms REAL,
            CHECK (status <> 'done' OR reply IS NOT NULL),
            CHECK (status <> 'failed' OR error_code IS NOT NULL),
            CHECK ((reply IS NULL) = (finish_reason IS NULL))
        ) STRICT
        """,
        # An index ends with the row's id, so these are ordered by it within their columns.
        "CREATE INDEX turns_by_conversation ON turns (conversation_id)",
        "CREATE INDEX turns_by_message ON turns (conversation_id, message_id)",
        "CREATE INDEX turns_pending ON turns (status) WHERE status = 'pending'",
    ),
    # 2: summaries of turns that the model is not shown word for word any more.
    # A conversation has at most one that stands in its prompt (shown) and one that waits to take its place.
    (
        """
        CREATE TABLE summaries (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            through_turn INTEGER NOT NULL,
            text TEXT NOT NULL,
            shown INTEGER NOT NULL DEFAULT 0 CHECK (shown IN (0, 1)),
            created_ms INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE UNIQUE INDEX summaries_by_conversation ON summaries (conversation_id, shown)",
    ),
    # 3: names that people give their conversations, and what adapters must still know after a restart.
    (
        "ALTER TABLE conversations ADD COLUMN title TEXT NOT NULL DEFAULT ''",
        """
        CREATE TABLE adapter_values (
            adapter TEXT NOT NULL,
            name TEXT NOT NULL,
            text TEXT NOT NULL,
            until_ms INTEGER,
            PRIMARY KEY (adapter, name)
        ) STRICT, WITHOUT ROWID
        """,
    ),
    # 4: who may talk to the bot, who asks to, and what admins did.
    (
        """
        CREATE TABLE people (
            adapter TEXT NOT NULL,
            user TEXT NOT NULL,
            name TEXT NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('admin', 'user', 'blocked')),
            changed_ms INTEGER NOT NULL,
            PRIMARY KEY (adapter, user)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE private_chats (
            adapter TEXT NOT NULL,
            user TEXT NOT NULL,
            chat TEXT NOT NULL,
            PRIMARY KEY (adapter, user)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE pairings (
            adapter TEXT NOT NULL,
            user TEXT NOT NULL,
            name TEXT NOT NULL,
            chat TEXT NOT NULL,
            code TEXT NOT NULL UNIQUE,
            status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'denied')),
            created_ms INTEGER NOT NULL,
            silent_until_ms INTEGER NOT NULL,
            PRIMARY KEY (adapter, user)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE TABLE code_attempts (adapter TEXT NOT NULL, user TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT",
        "CREATE INDEX code_attempts_by_time ON code_attempts (at_ms)",
        """
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at_ms INTEGER NOT NULL,
            actor TEXT NOT NULL,
            act TEXT NOT NULL,
            subject TEXT NOT NULL,
            detail TEXT NOT NULL
        ) STRICT
        """,
    ),
    # 5: what was read out of texts, and the schemas that people have saved for that.
    (
        """
        CREATE TABLE extractions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            adapter TEXT NOT NULL,
            user TEXT NOT NULL,
            schema TEXT NOT NULL,
            version TEXT NOT NULL,
            source TEXT NOT NULL,
            source_hash TEXT NOT NULL,
            text TEXT NOT NULL,
            value TEXT NOT NULL,
            grounding TEXT NOT NULL,
            model TEXT NOT NULL,
            created_ms INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX extractions_by_user ON extractions (adapter, user, schema)",
        "CREATE INDEX extractions_by_source ON extractions (source_hash)",
        """
        CREATE TABLE extraction_schemas (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            adapter TEXT NOT NULL,
            user TEXT NOT NULL,
            name TEXT NOT NULL COLLATE NOCASE,
            definition TEXT NOT NULL,
            created_ms INTEGER NOT NULL,
            UNIQUE (adapter, user, name)
        ) STRICT
        """,
    ),
    # 6: who used how much of the model, without a word of what; people who are the same on two platforms.
    (
        """
        CREATE TABLE usage (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            adapter TEXT NOT NULL,
            user TEXT NOT NULL,
            at_ms INTEGER NOT NULL,
            tokens INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX usage_by_user ON usage (adapter, user, at_ms)",
        "CREATE INDEX usage_by_time ON usage (at_ms)",
        """
        CREATE TABLE links (
            adapter TEXT NOT NULL,
            user TEXT NOT NULL,
            chat TEXT NOT NULL,
            to_adapter TEXT NOT NULL,
            to_user TEXT NOT NULL,
            to_chat TEXT NOT NULL,
            PRIMARY KEY (adapter, user)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX links_by_target ON links (to_adapter, to_user)",
        """
        CREATE TABLE link_codes (
            adapter TEXT NOT NULL,
            user TEXT NOT NULL,
            chat TEXT NOT NULL,
            code_hash TEXT NOT NULL UNIQUE,
            until_ms INTEGER NOT NULL,
            PRIMARY KEY (adapter, user)
        ) STRICT, WITHOUT ROWID
        """,
    ),
    # 7: who said what in conversations that several people share; answers that are owed.
    (
        "ALTER TABLE turns ADD COLUMN user TEXT NOT NULL DEFAULT ''",
        "UPDATE turns SET user = (SELECT user FROM conversations WHERE id = conversation_id)",
        "CREATE INDEX turns_by_user ON turns (user)",
        """
        CREATE TABLE answers (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            adapter TEXT NOT NULL,
            chat TEXT NOT NULL,
            thread TEXT NOT NULL,
            user TEXT NOT NULL,
            direct INTEGER NOT NULL,
            scope TEXT NOT NULL,
            message_id TEXT NOT NULL,
            pressed TEXT,
            text TEXT NOT NULL,
            sender_name TEXT NOT NULL,
            edited INTEGER NOT NULL,
            unread TEXT NOT NULL,
            state TEXT NOT NULL DEFAULT 'waiting'
                CHECK (state IN ('waiting', 'writing', 'finished', 'delivered', 'dropped')),
            turn_id INTEGER REFERENCES turns (id) ON DELETE SET NULL,
            reply TEXT,
            error TEXT,
            sent TEXT NOT NULL DEFAULT '[]',
            unsure INTEGER NOT NULL DEFAULT 0,
            button_id TEXT,
            received_ms INTEGER NOT NULL,
            finished_ms INTEGER,
            CHECK (state <> 'finished' OR reply IS NOT NULL)
        ) STRICT
        """,
        "CREATE INDEX answers_by_message ON answers (adapter, chat, message_id)",
        "CREATE INDEX answers_by_button ON answers (adapter, chat, button_id) WHERE button_id IS NOT NULL",
        "CREATE INDEX answers_by_turn ON answers (turn_id)",
        "CREATE INDEX answers_owed ON answers (adapter) WHERE state NOT IN ('delivered', 'dropped')",
    ),
    # 8: ids that chats had before, which the configuration may still name.
    (
        """
        CREATE TABLE chat_moves (
            adapter TEXT NOT NULL,
            former TEXT NOT NULL,
            chat TEXT NOT NULL,
            PRIMARY KEY (adapter, former)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX chat_moves_by_chat ON chat_moves (adapter, chat)",
    ),
    # 9: what is to be said to people who have not asked, until it has arrived.
    (
        """
        CREATE TABLE letters (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            adapter TEXT NOT NULL,
            user TEXT NOT NULL,
            chat TEXT NOT NULL,
            text TEXT NOT NULL,
            buttons TEXT NOT NULL,
            without_buttons TEXT NOT NULL,
            unsure INTEGER NOT NULL DEFAULT 0
        ) STRICT
        """,
    ),
)
