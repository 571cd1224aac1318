from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bot.settings import (
    AdapterSettings,
    Configuration,
    EngineSettings,
    GenerationSettings,
    ModelSettings,
    PermissionSettings,
    PersonaSettings,
    RopeSettings,
    Settings,
    UserPermissions,
)


def _refused(model: type[Settings], values: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    return str(caught.value)


def test_a_secret_without_a_variable_key_is_no_settings_class() -> None:
    """Whoever writes an adapter cannot forget the key with `_env`."""
    with pytest.raises(TypeError, match="needs a sibling field token_env"):

        class _Forgetful(AdapterSettings):
            token: SecretStr | None = None


def test_settings_are_immutable() -> None:
    """Nothing changes the configuration while the daemon runs."""
    with pytest.raises(ValidationError):
        EngineSettings().n_ctx = 5  # type: ignore[misc] # this is what must fail


def test_errors_do_not_repeat_what_was_found() -> None:
    """The text of a validation error, wherever it is logged, has no input and so no secret."""
    assert "hunter2" not in _refused(ModelSettings, {"hf_token": ["hunter2"]})


def test_n_ubatch_is_not_larger_than_n_batch() -> None:
    """Lowering n_batch alone is enough; a larger n_ubatch is refused."""
    assert EngineSettings(n_batch=128).n_ubatch is None
    assert "n_ubatch (256) must not be larger" in _refused(EngineSettings, {"n_batch": 128, "n_ubatch": 256})


@pytest.mark.parametrize(
    "values",
    [
        {"flash_attn": False, "type_v": "q8_0"},
        {"tensor_split": [0, 0]},
        {"tensor_split": [1.0] * 17},
        {"tensor_split": [1], "split_mode": "none"},
        {"n_gpu_layers": -2},
        {"n_gpu_layers": True},
        {"n_ctx": True},
        {"seed": 2**32 - 1},
        {"shutdown_timeout": float("inf")},
    ],
)
def test_engine_refuses_what_has_no_effect_or_meaning(values: dict[str, Any]) -> None:
    """Every accepted key works; what llama.cpp would ignore or choke on is refused."""
    assert _refused(EngineSettings, values)


@pytest.mark.parametrize(
    ("values", "culprit"),
    [
        ({"scaling_type": "none", "freq_scale": 0.5}, "freq_scale"),
        ({"scaling_type": "linear", "yarn_orig_ctx": 4096}, "yarn_orig_ctx"),
        ({"scaling_type": "longrope", "yarn_beta_slow": 1.0}, "yarn_beta_slow"),
    ],
)
def test_rope_keys_need_their_scaling(values: dict[str, Any], culprit: str) -> None:
    """A key that the kind of scaling ignores is refused."""
    assert culprit in _refused(RopeSettings, values)


def test_rope_keys_may_adjust_the_models_own_scaling() -> None:
    """Without a kind of scaling the model's own one holds, and its keys may be set."""
    assert RopeSettings(freq_scale=0.5, yarn_orig_ctx=4096).scaling_type is None


@pytest.mark.parametrize(
    "values",
    [
        {"path": "a.gguf", "repo": "b/c", "file": "d.gguf"},
        {"repo": "b/c"},
        {"file": "d.gguf"},
        {"revision": "main"},
        {"chat_format": "chatml", "chat_template": "{{ x }}"},
        {"repo": "c", "file": "d.gguf"},
        {"path": ""},
        {"path": "a\0b"},
        {"hf_token": ""},
    ],
)
def test_a_model_is_named_in_one_way(values: dict[str, Any]) -> None:
    """A model that is named by halves, twice or not at all is refused."""
    assert _refused(ModelSettings, values)


def test_replies_fit_the_window() -> None:
    """Neither the daemon's nor a persona's longest reply may fill the window, nor thoughts the reply."""
    engine = EngineSettings(n_ctx=1024)
    assert "generation.max_tokens (1024)" in _refused(
        Configuration, {"engine": engine, "generation": {"max_tokens": 1024}}
    )
    assert "personas.a.generation.max_tokens (2000)" in _refused(
        Configuration, {"engine": engine, "personas": {"a": {"generation": {"max_tokens": 2000}}}}
    )
    assert "reasoning_budget (512)" in _refused(GenerationSettings, {"reasoning_budget": 512})


def test_the_persona_is_one_of_the_personas() -> None:
    """The first one is the default, and an unknown one is refused."""
    personas = {"zoe": PersonaSettings(), "adam": PersonaSettings()}
    assert Configuration(personas=personas).persona == "zoe"
    assert "'eve' is not one of the personas: zoe, adam" in _refused(
        Configuration, {"personas": personas, "persona": "eve"}
    )
    assert _refused(Configuration, {"personas": {}})


@pytest.mark.parametrize("wrong", ["anna", "telegram:", ":5", "telegram: 5", "Telegram:5", "", 5, None])
def test_ids_name_their_adapter(wrong: Any) -> None:
    """An id without its adapter would mean somebody else on another platform, so it is refused."""
    assert _refused(UserPermissions, {"allowed_ids": [wrong]})


def test_ids_may_have_colons() -> None:
    """Only the first colon divides; a Matrix-like id is an id."""
    assert UserPermissions(blocked_ids=("matrix:@anna:home.org",)).blocked_ids == ("matrix:@anna:home.org",)


def test_nobody_is_let_in_by_default() -> None:
    """An empty list admits nobody."""
    permissions = PermissionSettings()
    assert not permissions.open
    assert not permissions.users.allowed_ids
