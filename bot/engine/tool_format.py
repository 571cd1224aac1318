"""How families of models write a function call."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

ToolShape = Literal["object", "array", "named"]
"""`{"name": …, "arguments": …}`, a list of those, or the name in front of the arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFormat:
    """One family's way. Markers may be texts or tokens of their own."""

    begin: str
    """In front of a call; empty where a call can only begin a reply."""
    end: str = ""
    """Behind it."""
    shape: ToolShape = "object"
    arguments_key: str = "arguments"
    gap: str = ""
    """Between the markers and what is inside of them."""
    middle: str = ""
    """Between name and arguments, where the name comes first."""
    begun_by_prompt: bool = False
    """The template's generation prompt ends with `begin`; plain content is a call of `content_name`."""
    content_name: str = ""
    several: bool = True
    """More than one call can be made in one reply."""
    signature: str
    """Regular expression for a call of `probe_name`, as a template writes it."""

    def head(self, name: str) -> str:
        """What stands in front of the arguments, markers left out."""
        if self.shape == "named":
            return f"{name}{self.middle}"
        return f'{{"name": {json.dumps(name, ensure_ascii=False)}, "{self.arguments_key}": '

    @property
    def tail(self) -> str:
        """What stands behind the arguments."""
        return "" if self.shape == "named" else "}"

    def written(self, name: str, arguments: Mapping[str, Any]) -> str:
        """A whole call, markers and all."""
        inside = f"{self.head(name)}{json.dumps(arguments, ensure_ascii=False)}{self.tail}"
        return f"{self.begin}{self.gap}{inside}{self.gap}{self.end}"


HERMES = ToolFormat(  # Hermes, Qwen 2.5 and 3, SmolLM3; also told to models that know no tools
    begin="<tool_call>",
    end="</tool_call>",
    gap="\n",
    signature=r'<tool_call>\s*\{"name": ?"probe_name", ?"arguments": ?',
)
TOOL_FORMATS = (
    HERMES,
    ToolFormat(  # Mistral Small 3.1 and later
        begin="[TOOL_CALLS]", shape="named", middle="[ARGS]", signature=r"\[TOOL_CALLS\]probe_name\[ARGS\]"
    ),
    ToolFormat(  # Mistral 7B v0.3, Nemo, Large
        begin="[TOOL_CALLS]",
        shape="array",
        signature=r'\[TOOL_CALLS\]\s*\[\{(?:"id": ?"[^"]*", ?)?"name": ?"probe_name", ?"arguments": ?',
    ),
    ToolFormat(  # functionary v3.2
        begin=">>>",
        shape="named",
        middle="\n",
        begun_by_prompt=True,
        content_name="all",
        signature=r">>>probe_name\n",
    ),
    ToolFormat(  # functionary v3.1, Llama 3.1's custom calls
        begin="<function=", shape="named", middle=">", end="</function>", signature="<function=probe_name>"
    ),
    ToolFormat(  # Llama 3.1 to 3.3; one call a reply
        begin="", arguments_key="parameters", several=False, signature=r'\{"name": ?"probe_name", ?"parameters": ?'
    ),
)
"""The known ones, more particular signatures first."""


def recognised(rendered: str) -> ToolFormat | None:
    """The format in which a template wrote a call of `probe_name`."""
    return next((known for known in TOOL_FORMATS if re.search(known.signature, rendered)), None)
