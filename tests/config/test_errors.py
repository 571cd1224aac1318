from pathlib import Path

import pytest

from tests.support.config_files import refusal

BOMB = "a: &a [1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 8)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)
"""Eight to the power of eight values in ten lines."""


def test_all_problems_are_listed_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Unknown keys, wrong types, impossible values and clashes in one go, each with line and column."""
    lines = refusal(
        tmp_path,
        "engine:\n"
        "  n_cxt: 5\n"
        "  n_batch: 64\n"
        "  n_ubatch: 128\n"
        "generation:\n"
        "  top_p: 3\n"
        "  top_p: 1\n"
        "persona: cheff\n"
        "personas:\n"
        "  chef: {system_prompt: 3}\n"
        "adapters:\n"
        "  radio: {channel: x, colour: red}\n"
        "  rado: {}\n",
    ).splitlines()
    assert lines[0] == "9 problems in the configuration:"
    assert [line.split(": ")[0].strip() for line in lines[1:]] == [
        "config.yaml:2:3",
        "config.yaml:4:13",
        "config.yaml:6:10",
        "config.yaml:7:3",
        "config.yaml:8:10",
        "config.yaml:10:25",
        "config.yaml:12:20",
        "config.yaml:12:23",
        "config.yaml:13:3",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("engine: {n_cxt: 1}", "1:10: engine.n_cxt: unknown key; did you mean n_ctx?; known here: n_ctx, max"),
        ("temperature: 1", "1:1: temperature: unknown key; it belongs under generation; known here: model, engine"),
        ("engine:\n  personas: {}", "2:3: engine.personas: unknown key; it belongs at the top of the file"),
        ("engine: {n_ctx: 10}", "1:17: engine.n_ctx: must be a whole number of at least 64; found the number 10"),
        ("engine: {n_ctx: 1.5}", "must be a whole number of at least 64; found the number 1.5"),
        ("engine: {n_ctx: }", "1:16: engine.n_ctx: must be a whole number of at least 64; found nothing; remove"),
        ('engine: {n_ctx: "4096"}', 'found the text "4096"; remove the quotes'),
        ("engine: {n_ctx: 0400}", 'found the text "0400"'),
        ("engine: {n_ctx: [1]}", "must be a whole number of at least 64; found a list"),
        ("engine: {n_ctx: yes}", "must be a whole number of at least 64; found yes, which YAML reads as true"),
        ("engine: {max_parallel: 99}", "must be a whole number from 1 to 64; found the number 99"),
        ("engine: {n_gpu_layers: all}", 'must be a whole number of at least -1, or auto; found the text "all"'),
        ("engine: {flash_attn: atuo}", 'must be true or false, or auto; found the text "atuo"; did you mean auto?'),
        ("engine: {type_k: q8}", "must be one of: f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0, iq4_nl; found"),
        ("engine: {tensor_split: [1, -1]}", "1:28: engine.tensor_split[1]: must be a number of at least 0"),
        ("engine: 3", "1:9: engine: must be a section with keys of its own; found the number 3"),
        ("generation: {temperature: .nan}", "must be a number from 0 to 5; found the number .nan"),
        ("generation: {stop: x}", "must be a list, such as [a, b]; found text"),
        ("generation: {logit_bias: {a: 1}}", "1:27: generation.logit_bias.a: this key must be a whole number"),
        ("generation: {seed: 4294967295}", "must be a whole number from 0 to 4294967294"),
        ("persona: no", 'text that is not empty; found no, which YAML reads as false; put it in quotes: "no"'),
        ("persona: heart", "1:10: persona: must be one of personas: hearth; did you mean hearth?"),
        ("personas: {}", "must be a section with at least 1 entry, each written as key: value; found a section"),
        ("personas: {5: {}}", "1:12: personas[5]: this key must be a name on one line, in quotes"),
        ("personas: {no: {}}", "1:12: personas: a key must be a word; put it in quotes"),
        ("personas: {a: {prompt_start: x, system_prompt: y}}", "is another name of system_prompt, which is set too"),
        ("personas: {a: {examples: [{user: x}]}}", "personas.a.examples[0].assistant: is missing; it must be text"),
        ("personas: {a: {generation: {max_tokens: 4096}}}", "must be smaller than engine.n_ctx (4096)"),
        ("engine: {n_ctx: 512}", "1:17: engine.n_ctx: generation.max_tokens (512) must be smaller than"),
        ("generation: {reasoning_budget: 600}", "reasoning_budget (600) must be smaller than max_tokens (512)"),
        (
            "permissions: {users: {allowed_ids: [5]}}",
            "id written as adapter:id, with the adapter's name first, such as",
        ),
        ("permissions: {users: {blocked_ids: ['rado:5']}}", "1:37: permissions.users.blocked_ids[0]: there is no"),
        ("model: {repo: qwen}", "1:15: model.repo: must be owner/name, such as Qwen/Qwen2.5-3B-Instruct-GGUF; found"),
        ("model: {path: a.gguf, repo: b/c, file: d}", "1:15: model.path: set either path, or repo and file, not both"),
        ("model: {lora: [{scale: 1}]}", "model.lora[0].path: is missing; it must be text that is not empty"),
        ("logging: {file: 5}", 'must be text that is not empty; found the number 5; put it in quotes: "5"'),
        ("logging: {file: 'a\0b'}", "1:19: not valid YAML: a control"),
        ("adapters: {rado: {}}", "1:12: adapters.rado: there is no adapter called rado; did you mean radio?"),
        (
            "adapters: {radio: {chanel: 1}}",
            "1:20: adapters.radio.chanel: unknown key; did you mean channel?; known here: enabled",
        ),
        ("adapters: {radio: {}}", "1:12: adapters.radio.channel: is missing; it must be a whole number"),
        ("adapters: {pager: {}}", "1:12: adapters.pager: the adapter pager is not installed completely"),
        ("adapters: [radio]", "1:11: adapters: must be a section, each written as key: value; found a list"),
        ("a: 1\n---\nb: 1", "2:1: not valid YAML: a second document begins here"),
        ("engine:\n\tn_ctx: 5", "2:1: not valid YAML: a tab; YAML is indented with spaces only"),
        ("engine:\n  n_ctx: 5\n n_batch: 5", "not valid YAML: this is not indented as far as"),
        ("persona: a: b", "1:11: not valid YAML: an unexpected ':'"),
        ("engine:\n  n_ctx 5\n  n_batch: 5", "not valid YAML: a"),
        ("persona: 'a\n", "1:10: not valid YAML: a quote that was opened here is never closed"),
        ("engine: {n_ctx: 5\n", "1:9: not valid YAML: a bracket or brace that was opened here is never closed"),
        ("persona: @home", "1:10: not valid YAML: text that begins with this character must be put in quotes"),
        ('storage: {path: "C:\\data"}', "not valid YAML: in double quotes a backslash starts an escape sequence"),
        ('persona: "\\UFFFFFFFF"', "1:13: not valid YAML: in double quotes a backslash"),
        ("persona: a\x07b", "1:11: not valid YAML: a control character"),
        ("persona: !!python/name:os.system x", "1:10: persona: is not a plain value; tags (!)"),
        ("engine: {n_ctx: " + "9" * 5000 + "}", "1:17: engine.n_ctx: is not a plain value; tags (!) and endless"),
        ("- a\n- b", "1:1: must consist of sections"),
        ("just words", "1:1: must consist of sections"),
        ("? [a, b]\n: 1", "1:3: a key must be a word"),
        (b"engine:\n  \xff: 1", "2:3: is not UTF-8 text"),
        ("engine: &a {rope: *a}", "this alias stands inside the very part it repeats"),
        ("engine: &a\n  <<: *a", "this alias stands inside the very part it repeats"),
        ("engine:\n  <<: 5", "2:7: engine: << must be followed by a section"),
        ("[" * 2000, "not valid YAML: nested too deeply"),
        (BOMB, "too much is repeated by aliases"),
    ],
)
def test_errors_in_plain_words(tmp_path: Path, text: str | bytes, expected: str) -> None:
    """Each mistake is said with its place, what is allowed, what was found and what to do."""
    found = refusal(tmp_path, text)
    assert expected in found
    assert not {"Input should", "pydantic", "https://", "<class"} & set(found.split())


def test_what_follows_from_another_mistake_is_not_reported(tmp_path: Path) -> None:
    """A wrong value is one problem, also where its default would clash or its key is required."""
    assert len(refusal(tmp_path, "engine: {n_ctx: 10}\ngeneration: {max_tokens: 8000}").splitlines()) == 1
    assert len(refusal(tmp_path, "adapters: {radio: {channel: x}}").splitlines()) == 1
    assert len(refusal(tmp_path, "personas: {a: 3}\npersona: a").splitlines()) == 1
