"""The text of a message as the core works with it."""


def clean_text(text: str) -> str:
    """Without null characters, lone surrogates and space around it: what SQLite and the tokenizer can both take.

    A null character ends a C string; a lone surrogate (half an emoji) has no UTF-8 form.
    """
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()
