"""The configuration as frozen pydantic models. Every key of the YAML file is a field here, with its description.

`None` means "not set: the daemon or the library chooses". Loading, positions and error texts: `bot.config`.
"""

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PositiveInt, model_validator

PositiveFloat = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
KvType = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]
ReasoningMode = Literal["hide", "show", "off"]
LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseModel):
    """Base of every section: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, strict=True, allow_inf_nan=False)


class AdapterSettings(Settings):
    """What every adapter has. A platform adds its own keys in a subclass."""

    enabled: bool = Field(True, description="false leaves the section in place and the adapter out")


class LoraSettings(Settings):
    """One LoRA adapter that is applied to the model."""

    path: str = Field(description="GGUF file of the adapter")
    scale: float = Field(1.0, description="how strongly it is applied")


class ModelSettings(Settings):
    """Which model. Without `path` and `repo`, the embedded demo model."""

    path: str | None = Field(None, description="a GGUF file on this machine")
    repo: str | None = Field(None, description="a Hugging Face repository, such as Qwen/Qwen2.5-3B-Instruct-GGUF")
    file: str | None = Field(None, description="the GGUF file in that repository")
    revision: str | None = Field(None, description="branch, tag or commit of that repository")
    hf_token: str | None = Field(None, description="access token for a gated repository")
    hf_token_env: str | None = Field(None, description="environment variable that holds the token")
    chat_format: str | None = Field(None, description="named chat format, for a model that has no template of its own")
    chat_template: str | None = Field(None, description="a Jinja chat template that replaces the model's own")
    chat_template_kwargs: dict[str, Any] = Field({}, description="extra variables for the chat template")
    lora: tuple[LoraSettings, ...] = Field((), strict=False, description="LoRA adapters to apply")

    @model_validator(mode="after")
    def _one_source(self) -> "ModelSettings":
        if self.path is not None and (self.repo is not None or self.file is not None):
            raise ValueError("set either path, or repo and file, not both")
        if (self.repo is None) != (self.file is None):
            raise ValueError("repo and file belong together")
        return self


class RopeSettings(Settings):
    """RoPE scaling, to stretch a model's window beyond what it was trained for."""

    scaling_type: Literal["none", "linear", "yarn", "longrope"] | None = Field(None, description="kind of scaling")
    freq_base: PositiveFloat | None = Field(None, description="base frequency")
    freq_scale: PositiveFloat | None = Field(None, description="frequency scale; 0.5 doubles the window")
    yarn_ext_factor: float | None = Field(None, description="YaRN extrapolation mix")
    yarn_attn_factor: float | None = Field(None, description="YaRN attention magnitude")
    yarn_beta_fast: float | None = Field(None, description="YaRN low correction dimension")
    yarn_beta_slow: float | None = Field(None, description="YaRN high correction dimension")
    yarn_orig_ctx: PositiveInt | None = Field(None, description="window the model was trained for, in tokens")


class EngineSettings(Settings):
    """How the model runs."""

    n_ctx: Annotated[int, Field(ge=64)] = Field(4096, description="window of one conversation, in tokens")
    max_parallel: Annotated[int, Field(ge=1, le=64)] = Field(
        2, description="conversations answered at the same time; each takes memory for n_ctx tokens"
    )
    max_waiting: PositiveInt = Field(64, description="requests that may wait in line")
    max_waiting_per_user: PositiveInt = Field(8, description="requests of one person that may wait in line")
    n_batch: Annotated[int, Field(ge=32)] = Field(512, description="most tokens in one step")
    n_ubatch: Annotated[int, Field(ge=32)] = Field(512, description="most tokens computed at once")
    n_threads: PositiveInt | None = Field(None, description="CPU threads for writing")
    n_threads_batch: PositiveInt | None = Field(None, description="CPU threads for reading")
    n_gpu_layers: Annotated[int, Field(ge=-1)] | Literal["auto"] = Field(
        "auto", description="layers on the GPU; -1 is all, auto is as many as work"
    )
    main_gpu: Annotated[int, Field(ge=0)] = Field(0, description="which GPU, where there are several")
    split_mode: Literal["none", "layer", "row"] = Field("layer", description="how several GPUs share the model")
    tensor_split: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        (), strict=False, description="share of each GPU, such as [3, 1]"
    )
    type_k: KvType = Field("f16", description="type of the K cache")
    type_v: KvType = Field("f16", description="type of the V cache; a quantized one needs flash_attn")
    flash_attn: bool | Literal["auto"] = Field("auto", description="flash attention")
    use_mmap: bool = Field(True, description="map the model file instead of reading it")
    use_mlock: bool = Field(False, description="keep the model in RAM, never swapped out")
    rope: RopeSettings = Field(RopeSettings(), description="RoPE scaling")
    seed: Annotated[int, Field(ge=0, lt=2**32 - 1)] | None = Field(
        None, description="fixed seed for every reply that sets none of its own"
    )
    probe: Literal["auto", "off"] = Field("auto", description="try the model in a child process before the first use")
    step_target_ms: PositiveInt = Field(
        200, description="longest step while somebody's reply streams; sizes the prefill chunk"
    )
    shutdown_timeout: Annotated[float, Field(ge=0)] = Field(
        20.0, description="seconds that replies under way may take to finish when the daemon stops"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "EngineSettings":
        if self.n_ubatch > self.n_batch:
            raise ValueError(f"n_ubatch ({self.n_ubatch}) must not be larger than n_batch ({self.n_batch})")
        if self.flash_attn is False and self.type_v not in {"f32", "f16", "bf16"}:
            raise ValueError(f"type_v: {self.type_v} needs flash attention; set flash_attn to true or auto")
        return self


class SamplingOverrides(Settings):
    """Sampling keys of a persona: only what differs from `generation`."""

    temperature: Annotated[float, Field(ge=0, le=5)] | None = Field(
        None, description="0 always takes the likeliest token"
    )
    top_k: Annotated[int, Field(ge=0)] | None = Field(None, description="keep the k likeliest tokens; 0 keeps all")
    top_p: Fraction | None = Field(None, description="keep the likeliest tokens up to this probability")
    min_p: Fraction | None = Field(None, description="drop tokens below this share of the likeliest one")
    typical_p: Fraction | None = Field(None, description="locally typical sampling; 1 is off")
    repeat_penalty: Annotated[float, Field(gt=0, le=5)] | None = Field(None, description="above 1 discourages repeats")
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = Field(None, description="penalty for being there")
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = Field(None, description="penalty per occurrence")
    penalty_last_n: Annotated[int, Field(ge=-1)] | None = Field(
        None, description="tokens the penalties look back; -1 is the whole window"
    )
    dry_multiplier: Annotated[float, Field(ge=0)] | None = Field(None, description="DRY strength; 0 is off")
    dry_base: Annotated[float, Field(ge=1)] | None = Field(None, description="DRY growth per repeated token")
    dry_allowed_length: Annotated[int, Field(ge=0)] | None = Field(None, description="repeats this long are free")
    dry_penalty_last_n: Annotated[int, Field(ge=-1)] | None = Field(
        None, description="tokens DRY looks back; -1 is all"
    )
    dry_sequence_breakers: tuple[str, ...] | None = Field(
        None, strict=False, description="strings at which DRY forgets"
    )
    seed: Annotated[int, Field(ge=0, lt=2**32 - 1)] | None = Field(None, description="makes replies repeatable")
    logit_bias: dict[int, float] | None = Field(None, strict=False, description="token id to added logit")
    max_tokens: PositiveInt | None = Field(None, description="longest reply, in tokens")
    stop: tuple[str, ...] | None = Field(None, strict=False, description="strings that end a reply")


class GenerationSettings(SamplingOverrides):
    """Sampling for every reply; a persona may override each key."""

    temperature: Annotated[float, Field(ge=0, le=5)] = Field(0.7, description="0 always takes the likeliest token")
    top_k: Annotated[int, Field(ge=0)] = Field(40, description="keep the k likeliest tokens; 0 keeps all")
    top_p: Fraction = Field(0.95, description="keep the likeliest tokens up to this probability")
    min_p: Fraction = Field(0.05, description="drop tokens below this share of the likeliest one")
    typical_p: Fraction = Field(1.0, description="locally typical sampling; 1 is off")
    repeat_penalty: Annotated[float, Field(gt=0, le=5)] = Field(1.0, description="above 1 discourages repeats")
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] = Field(0.0, description="penalty for being there")
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] = Field(0.0, description="penalty per occurrence")
    penalty_last_n: Annotated[int, Field(ge=-1)] = Field(
        64, description="tokens the penalties look back; -1 is the whole window"
    )
    dry_multiplier: Annotated[float, Field(ge=0)] = Field(0.0, description="DRY strength; 0 is off")
    dry_base: Annotated[float, Field(ge=1)] = Field(1.75, description="DRY growth per repeated token")
    dry_allowed_length: Annotated[int, Field(ge=0)] = Field(2, description="repeats this long are free")
    dry_penalty_last_n: Annotated[int, Field(ge=-1)] = Field(-1, description="tokens DRY looks back; -1 is all")
    dry_sequence_breakers: tuple[str, ...] = Field(
        ("\n", ":", '"', "*"), strict=False, description="strings at which DRY forgets"
    )
    logit_bias: dict[int, float] = Field({}, strict=False, description="token id to added logit")
    max_tokens: PositiveInt = Field(512, description="longest reply, in tokens")
    stop: tuple[str, ...] = Field((), strict=False, description="strings that end a reply")
    reasoning: ReasoningMode = Field(
        "hide", description="a thinking model's thoughts: hide them, show them, or ask it (where it can) not to think"
    )
    reasoning_budget: PositiveInt | None = Field(
        None, description="most tokens of thought before an answer is forced; half of max_tokens when not set"
    )


class ExampleExchange(Settings):
    """A message and the reply it should get, shown to the model before the conversation."""

    user: str = Field(description="what a person says")
    assistant: str = Field(description="what the persona answers")


class PersonaSettings(Settings):
    """Who the bot is."""

    name: str | None = Field(None, description="shown in lists; the key when not set")
    description: str = Field("", description="one line for lists")
    system_prompt: str = Field(
        "",
        validation_alias=AliasChoices("system_prompt", "prompt_start"),
        description="what the model is told first",
    )
    welcome_message: str = Field("", description="shown by /start and /new")
    examples: tuple[ExampleExchange, ...] = Field((), strict=False, description="exchanges that show the tone")
    generation: SamplingOverrides = Field(SamplingOverrides(), description="sampling keys that differ")
    reasoning: ReasoningMode | None = Field(None, description="as generation.reasoning, for this persona")


class HistorySettings(Settings):
    """What is kept in mind of a conversation."""

    keep_after_cut: Annotated[float, Field(gt=0, le=0.9)] = Field(
        0.5, description="when the window is full, old turns are dropped until this share of it is used"
    )


class UserPermissions(Settings):
    """Users by platform id, written as `adapter:id`."""

    admin_ids: tuple[str, ...] = Field((), strict=False, description="may do everything")
    allowed_ids: tuple[str, ...] = Field((), strict=False, description="may talk to the bot")
    blocked_ids: tuple[str, ...] = Field((), strict=False, description="are not answered")


class ChannelPermissions(Settings):
    """Group chats and channels by platform id, written as `adapter:id`."""

    allowed_ids: tuple[str, ...] = Field((), strict=False, description="everybody in them may talk to the bot")
    blocked_ids: tuple[str, ...] = Field((), strict=False, description="nobody in them is answered")


class PermissionSettings(Settings):
    """Who may talk to the bot. Nobody, when nothing is set; the console's user always may."""

    open: bool = Field(False, description="true lets everybody in")
    allow_dms: bool = Field(True, description="false answers in groups only, admins excepted")
    users: UserPermissions = Field(UserPermissions(), description="by person")
    channels: ChannelPermissions = Field(ChannelPermissions(), description="by chat")


class StorageSettings(Settings):
    """Where conversations are kept."""

    path: str | None = Field(None, description="SQLite file; in the XDG data folder when not set")
    busy_timeout_s: PositiveFloat = Field(10.0, description="how long to wait for another process's lock, in seconds")


class LoggingSettings(Settings):
    """What is written to the log."""

    level: LogLevel = Field("info", description="least severity")
    levels: dict[str, LogLevel] = Field({}, description="by module, such as bot.engine: debug")
    format: Literal["text", "json"] = Field("text", description="lines for people or for programs")
    file: str | None = Field(None, description="a file instead of standard error")


DEFAULT_PERSONA = PersonaSettings(
    name="Hearth",
    description="a friendly helper for everyday questions",
    system_prompt="You are Hearth, a friendly and helpful assistant. Answer clearly and briefly.",
    welcome_message="Hello! I am Hearth. Ask me anything, or type /help to see what I can do.",
)


class Configuration(Settings):
    """The whole YAML file. Adapters' sections are validated by the adapters' own `settings_type`."""

    model: ModelSettings = Field(ModelSettings(), description="which model")
    engine: EngineSettings = Field(EngineSettings(), description="how it runs")
    generation: GenerationSettings = Field(GenerationSettings(), description="how it writes")
    personas: dict[str, PersonaSettings] = Field({"hearth": DEFAULT_PERSONA}, description="who it can be")
    persona: str = Field("hearth", description="who it is in a new conversation")
    history: HistorySettings = Field(HistorySettings(), description="what it keeps in mind")
    permissions: PermissionSettings = Field(PermissionSettings(), description="who may talk to it")
    adapters: dict[str, AdapterSettings] = Field({}, description="where it can be reached")
    storage: StorageSettings = Field(StorageSettings(), description="where conversations are kept")
    logging: LoggingSettings = Field(LoggingSettings(), description="what is written to the log")
