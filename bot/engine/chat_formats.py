"""Chat formats by name, for models whose file has no template. The names are those of llama-cpp-python."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFormat:
    """How a family of models wants a conversation written down."""

    template: str
    """Jinja. The token that begins a text is left to the tokenizer."""
    stop: tuple[str, ...] = ()
    """Where a reply ends, for models whose end token is ordinary text."""


_PLACEHOLDER = re.compile(r"(\{\}|\{bos\}|\{eos\})")


def _turns(
    *, user: str, assistant: str, prompt: str, system: str = "", default_system: str = "", stop: tuple[str, ...] = ()
) -> ChatFormat:
    """A format that writes each message between fixed texts, `{}` being its content.

    `{bos}` and `{eos}` are the model's own tokens, `prompt` asks for the reply: it is the start of `assistant`.
    """
    branches = [("message.role == 'user'", user), ("message.role == 'assistant'", assistant)]
    if system:
        branches.insert(0, ("message.role == 'system'", system))
    template = ""
    if default_system:
        template += "{%- if messages[0]['role'] != 'system' -%}"
        template += f"{{{{- {_expression(system, json.dumps(default_system))} -}}}}{{%- endif -%}}"
    template += "{%- for message in messages -%}"
    for number, (condition, text) in enumerate(branches):
        template += f"{{%- {'elif' if number else 'if'} {condition} -%}}"
        template += f"{{{{- {_expression(text, 'message.content')} -}}}}"
    template += "{%- endif -%}{%- endfor -%}"
    template += f"{{%- if add_generation_prompt -%}}{{{{- {_expression(prompt, '')} -}}}}{{%- endif -%}}"
    return ChatFormat(template=template, stop=stop)


def _expression(text: str, content: str) -> str:
    """The Jinja expression that writes `text` around `content`."""
    values = {"{}": content, "{bos}": "bos_token", "{eos}": "eos_token"}
    parts = [part for part in _PLACEHOLDER.split(text) if part]
    return " ~ ".join(values.get(part) or json.dumps(part) for part in parts) or "''"


def _chatml(*, default_system: str = "") -> ChatFormat:
    return _turns(
        system="<|im_start|>system\n{}<|im_end|>\n",
        user="<|im_start|>user\n{}<|im_end|>\n",
        assistant="<|im_start|>assistant\n{}<|im_end|>\n",
        prompt="<|im_start|>assistant\n",
        default_system=default_system,
        stop=("<|im_end|>",),
    )


_LLAMA_2 = """\
{%- set system = '' -%}
{%- if messages[0]['role'] == 'system' -%}
    {%- set system = '<<SYS>>\n' ~ messages[0]['content'] ~ '\n<</SYS>>\n\n' -%}
    {%- set messages = messages[1:] -%}
{%- endif -%}
{%- for message in messages -%}
    {%- if (message.role == 'user') != (loop.index0 % 2 == 0) -%}
        {{- raise_exception('roles must alternate user/assistant') -}}
    {%- endif -%}
    {%- if message.role == 'user' -%}
        {%- if not loop.first -%}{{- bos_token -}}{%- endif -%}
        {{- '[INST] ' ~ (system if loop.first else '') ~ message['content'] ~ ' [/INST]' -}}
    {%- else -%}
        {{- ' ' ~ message['content'] ~ ' ' ~ eos_token -}}
    {%- endif -%}
{%- endfor -%}
"""

_VICUNA_SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, "
    "and polite answers to the user's questions."
)

CHAT_FORMATS: Mapping[str, ChatFormat] = MappingProxyType(
    {
        "alpaca": _turns(
            system="{}\n\n",
            user="### Instruction:\n{}\n\n",
            assistant="### Response:\n{}{eos}\n\n",
            prompt="### Response:\n",
            stop=("### Instruction:",),
        ),
        "baichuan": _turns(system="{}", user="<reserved_102>{}", assistant="<reserved_103>{}", prompt="<reserved_103>"),
        "baichuan-2": _turns(
            system="{}", user="<reserved_106>{}", assistant="<reserved_107>{}", prompt="<reserved_107>"
        ),
        "chatglm3": _turns(
            system="<|system|>\n {}",
            user="<|user|>\n {}",
            assistant="<|assistant|>\n {}",
            prompt="<|assistant|>\n",
            stop=("<|user|>", "<|observation|>"),
        ),
        "chatml": _chatml(),
        "command-r": _turns(
            system="<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>{}<|END_OF_TURN_TOKEN|>",
            user="<|START_OF_TURN_TOKEN|><|USER_TOKEN|>{}<|END_OF_TURN_TOKEN|>",
            assistant="<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>{}<|END_OF_TURN_TOKEN|>",
            prompt="<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
            stop=("<|END_OF_TURN_TOKEN|>",),
        ),
        "gemma": _turns(
            user="<start_of_turn>user\n{}<end_of_turn>\n",
            assistant="<start_of_turn>model\n{}<end_of_turn>\n",
            prompt="<start_of_turn>model\n",
            stop=("<end_of_turn>",),
        ),
        "intel": _turns(
            system="### System:\n{}\n",
            user="### User:\n{}\n",
            assistant="### Assistant:\n{}\n",
            prompt="### Assistant:\n",
            stop=("### User:",),
        ),
        "llama-2": ChatFormat(template=_LLAMA_2, stop=("[INST]",)),
        "llama-3": _turns(
            system="<|start_header_id|>system<|end_header_id|>\n\n{}<|eot_id|>",
            user="<|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|>",
            assistant="<|start_header_id|>assistant<|end_header_id|>\n\n{}<|eot_id|>",
            prompt="<|start_header_id|>assistant<|end_header_id|>\n\n",
            stop=("<|eot_id|>",),
        ),
        "mistral-instruct": _turns(user="[INST] {} [/INST]", assistant="{}{eos}", prompt="", stop=("[INST]",)),
        "mistrallite": _turns(
            system="<|system|>{}{eos}",
            user="<|prompter|>{}{eos}",
            assistant="<|assistant|>{}{eos}",
            prompt="<|assistant|>",
            stop=("<|prompter|>",),
        ),
        "oasst_llama": _turns(
            system="[INST] <<SYS>>\n{}\n<</SYS>>\n\n",
            user="<|prompter|>{}{eos}",
            assistant="<|assistant|>{}{eos}",
            prompt="<|assistant|>",
            stop=("<|prompter|>",),
        ),
        "open-orca": _turns(
            system="{}<|end_of_turn|>\n",
            user="User: {}<|end_of_turn|>\n",
            assistant="Assistant: {}<|end_of_turn|>\n",
            prompt="Assistant:",
            stop=("<|end_of_turn|>", "\nUser:"),
        ),
        "openbuddy": _turns(
            system="{}\n\n", user="User: {}\n", assistant="Assistant: {}\n", prompt="Assistant:", stop=("\nUser:",)
        ),
        "openchat": _turns(
            system="{}<|end_of_turn|>",
            user="GPT4 Correct User: {}<|end_of_turn|>",
            assistant="GPT4 Correct Assistant: {}<|end_of_turn|>",
            prompt="GPT4 Correct Assistant:",
            stop=("<|end_of_turn|>",),
        ),
        "phi-3": _turns(
            system="<|system|>\n{}<|end|>\n",
            user="<|user|>\n{}<|end|>\n",
            assistant="<|assistant|>\n{}<|end|>\n",
            prompt="<|assistant|>\n",
            stop=("<|end|>",),
        ),
        "phind": _turns(
            system="### System Prompt\n{}\n\n",
            user="### User Message\n{}\n\n",
            assistant="### Assistant\n{}\n\n",
            prompt="### Assistant\n",
            default_system="You are an intelligent programming assistant.",
            stop=("### User Message",),
        ),
        "pygmalion": _turns(
            system="<|system|>{}", user="<|user|>{}", assistant="<|model|>{}", prompt="<|model|>", stop=("<|user|>",)
        ),
        "qwen": _chatml(default_system="You are a helpful assistant."),
        "redpajama-incite": _turns(
            system="{}\n", user="<human>: {}\n", assistant="<bot>: {}\n", prompt="<bot>:", stop=("<human>",)
        ),
        "saiga": _turns(
            system="{bos}system\n{}{eos}",
            user="{bos}user\n{}{eos}",
            assistant="{bos}bot\n{}{eos}",
            prompt="{bos}bot\n",
        ),
        "snoozy": _turns(
            system="### Instruction:\n{}\n",
            user="### Prompt:\n{}\n",
            assistant="### Response:\n{}\n",
            prompt="### Response:\n",
            stop=("### Prompt:",),
        ),
        "vicuna": _turns(
            system="{} ",
            user="USER: {} ",
            assistant="ASSISTANT: {}{eos}",
            prompt="ASSISTANT:",
            default_system=_VICUNA_SYSTEM,
            stop=("USER:",),
        ),
        "zephyr": _turns(
            system="<|system|>\n{}{eos}\n",
            user="<|user|>\n{}{eos}\n",
            assistant="<|assistant|>\n{}{eos}\n",
            prompt="<|assistant|>\n",
            stop=("<|user|>",),
        ),
    }
)
