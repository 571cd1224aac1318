"""The configuration as frozen pydantic models. Every key of the YAML file is a field here, with its description.

`None` means "not set: the daemon or the library chooses". Loading, positions and error texts: `bot.config`.
"""

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, PositiveInt, SerializeAsAny, model_validator

from bot.settings.base import (
    AdapterSettings,
    HistoryScope,
    KvType,
    LogLevel,
    Name,
    PositiveFloat,
    ReasoningMode,
    Repository,
    Secret,
    Settings,
    Text,
    conflict,
)
from bot.settings.delivery import DeliverySettings
from bot.settings.documents import DocumentSettings
from bot.settings.extraction import ExtractionSettings
from bot.settings.generation import GenerationSettings, SamplingOverrides
from bot.settings.permissions import (
    PermissionSettings,
)


class LoraSettings(Settings):
    """One LoRA adapter that is applied to the model."""

    path: Text = Field(description="GGUF file of the adapter")
    scale: float = Field(1.0, description="how strongly it is applied")


class ModelSettings(Settings):
    """Which model. Without `path` and `repo`, the embedded demo model."""

    path: Text | None = Field(None, description="a GGUF file on this machine")
    repo: Repository | None = Field(
        None, description="a Hugging Face repository, such as Qwen/Qwen2.5-3B-Instruct-GGUF"
    )
    file: Text | None = Field(None, description="the GGUF file in that repository")
    revision: Text | None = Field(None, description="branch, tag or commit of that repository")
    hf_token: Secret | None = Field(None, description="access token for a gated repository")
    hf_token_env: Text | None = Field(None, description="environment variable that holds the token")
    chat_format: Text | None = Field(None, description="named chat format, for a model that has no template of its own")
    chat_template: Text | None = Field(None, description="a Jinja chat template that replaces the model's own")
    chat_template_kwargs: dict[str, Any] = Field({}, description="extra variables for the chat template")
    lora: tuple[LoraSettings, ...] = Field((), strict=False, description="LoRA adapters to apply")

    @model_validator(mode="after")
    def _one_source(self) -> "ModelSettings":
        if self.path is not None and (self.repo is not None or self.file is not None):
            raise conflict("set either path, or repo and file, not both", ("path",), ("repo",), ("file",))
        if (self.repo is None) != (self.file is None):
            raise conflict("repo and file belong together: set both or none", ("repo",), ("file",))
        if self.revision is not None and self.repo is None:
            raise conflict("revision belongs to a repo, and none is set", ("revision",))
        if self.chat_format is not None and self.chat_template is not None:
            raise conflict("set either chat_format or chat_template, not both", ("chat_format",), ("chat_template",))
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

    @model_validator(mode="after")
    def _has_effect(self) -> "RopeSettings":
        if self.scaling_type == "none" and self.freq_scale is not None:
            raise conflict("freq_scale has no effect with scaling_type: none", ("freq_scale",), ("scaling_type",))
        if self.scaling_type not in {None, "yarn"}:
            for key in ("yarn_ext_factor", "yarn_attn_factor", "yarn_beta_fast", "yarn_beta_slow", "yarn_orig_ctx"):
                if getattr(self, key) is not None:
                    raise conflict(f"{key} needs scaling_type: yarn", (key,), ("scaling_type",))
        return self


class EngineSettings(Settings):
    """How the model runs."""

    n_ctx: Annotated[int, Field(ge=64)] = Field(4096, description="window of one conversation, in tokens")
    max_parallel: Annotated[int, Field(ge=1, le=64)] = Field(
        2, description="conversations answered at the same time; each takes memory for n_ctx tokens"
    )
    max_waiting: PositiveInt = Field(64, description="requests that may wait in line")
    max_waiting_per_user: PositiveInt = Field(8, description="requests of one person that may wait in line")
    n_batch: Annotated[int, Field(ge=32)] = Field(512, description="most tokens in one step")
    n_ubatch: Annotated[int, Field(ge=32)] | None = Field(
        None, description="most tokens computed at once; never more than n_batch"
    )
    n_threads: PositiveInt | None = Field(None, description="CPU threads for writing")
    n_threads_batch: PositiveInt | None = Field(None, description="CPU threads for reading")
    n_gpu_layers: Annotated[int, Field(ge=-1)] | Literal["auto"] = Field(
        "auto", description="layers on the GPU; -1 is all, auto is as many as work"
    )
    vram_margin_mib: Annotated[int, Field(ge=0)] = Field(
        256, description="MiB of the card's free memory that n_gpu_layers leaves unused; the driver needs some itself"
    )
    main_gpu: Annotated[int, Field(ge=0)] = Field(0, description="which GPU, where there are several")
    split_mode: Literal["none", "layer", "row"] = Field("layer", description="how several GPUs share the model")
    tensor_split: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        (), max_length=16, strict=False, description="share of each GPU, such as [3, 1]"
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
    tune: Literal["auto", "off"] = Field(
        "auto", description="measure once which flash_attn, threads and n_ubatch suit this machine; needs probe: auto"
    )
    step_target_ms: PositiveInt = Field(
        200, description="longest step while somebody's reply streams; sizes the prefill chunk"
    )
    kv_ram_mb: Annotated[int, Field(ge=0)] = Field(
        512, description="MiB of RAM for conversations that are not being answered; 0 keeps none"
    )
    kv_disk_mb: Annotated[int, Field(ge=0)] = Field(
        4096, description="MiB on disk for them, so that they survive a restart; 0 keeps none"
    )
    share_prefix: bool = Field(
        True, description="one person's prompt may start from what was evaluated for another's, such as a persona"
    )
    prewarm: bool = Field(
        True,
        description="read ahead what is certain to come: personas at start-up, the next message's frame after a reply",
    )
    idle_unload_s: PositiveFloat | None = Field(
        None, description="seconds without requests after which the model's memory is freed until the next message"
    )
    shutdown_timeout: Annotated[float, Field(ge=0)] = Field(
        20.0, description="seconds that replies under way may take to finish when the daemon stops"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "EngineSettings":
        if self.n_ubatch is not None and self.n_ubatch > self.n_batch:
            raise conflict(
                f"n_ubatch ({self.n_ubatch}) must not be larger than n_batch ({self.n_batch})",
                ("n_ubatch",),
                ("n_batch",),
            )
        if self.flash_attn is False and self.type_v not in {"f32", "f16", "bf16"}:
            raise conflict(
                f"type_v: {self.type_v} needs flash attention; set flash_attn to true or auto",
                ("type_v",),
                ("flash_attn",),
            )
        if self.tensor_split and not any(self.tensor_split):
            raise conflict("tensor_split needs at least one share above 0", ("tensor_split",))
        if self.tensor_split and self.split_mode == "none":
            raise conflict("tensor_split has no effect with split_mode: none", ("tensor_split",), ("split_mode",))
        return self


class ExampleExchange(Settings):
    """A message and the reply it should get, shown to the model before the conversation."""

    user: str = Field(description="what a person says")
    assistant: str = Field(description="what the persona answers")


class PersonaSettings(Settings):
    """Who the bot is."""

    name: Name | None = Field(None, description="shown in lists; the key when not set")
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
    overflow: Literal["shift", "drop", "summarise"] = Field(
        "shift", description="what becomes of turns that are dropped, and of what is left"
    )
    retention_days: PositiveInt | None = Field(None, description="messages older than this many days are deleted")
    scope: HistoryScope = Field(
        "user", description="who shares a conversation in groups: nobody, everybody in the chat, or in the thread"
    )


class StorageSettings(Settings):
    """Where conversations are kept."""

    path: Text | None = Field(None, description="SQLite file; in the XDG data folder when not set")
    busy_timeout_s: PositiveFloat = Field(10.0, description="how long to wait for another process's lock, in seconds")


class LoggingSettings(Settings):
    """What is written to the log."""

    level: LogLevel = Field("info", description="least severity")
    levels: dict[Name, LogLevel] = Field({}, description="by module, such as bot.engine: debug")
    format: Literal["text", "json"] = Field("text", description="lines for people or for programs")
    file: Text | None = Field(None, description="a file instead of standard error")


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
    personas: dict[Name, PersonaSettings] = Field(
        {"hearth": DEFAULT_PERSONA}, min_length=1, description="who it can be"
    )
    persona: Text = Field(
        default_factory=lambda data: next(iter(data.get("personas", ())), "hearth"),
        description="who it is in a new conversation; the first of personas when not set",
    )
    history: HistorySettings = Field(HistorySettings(), description="what it keeps in mind")
    delivery: DeliverySettings = Field(DeliverySettings(), description="how answers reach people")
    documents: DocumentSettings = Field(DocumentSettings(), description="how much of files is read")
    permissions: PermissionSettings = Field(PermissionSettings(), description="who may talk to it")
    extraction: ExtractionSettings = Field(ExtractionSettings(), description="what it can read out of texts")
    adapters: dict[Name, SerializeAsAny[AdapterSettings]] = Field({}, description="where it can be reached")
    storage: StorageSettings = Field(StorageSettings(), description="where conversations are kept")
    logging: LoggingSettings = Field(LoggingSettings(), description="what is written to the log")

    @model_validator(mode="after")
    def _consistent(self) -> "Configuration":
        if self.persona not in self.personas:
            raise conflict(
                f"{self.persona!r} is not one of the personas: {', '.join(self.personas)}", ("persona",), ("personas",)
            )
        lengths: dict[tuple[str, ...], int] = {("generation", "max_tokens"): self.generation.max_tokens}
        for name, persona in self.personas.items():
            if persona.generation.max_tokens is not None:
                lengths["personas", name, "generation", "max_tokens"] = persona.generation.max_tokens
        for key, max_tokens in lengths.items():
            if max_tokens >= self.engine.n_ctx:
                raise conflict(
                    f"{'.'.join(key)} ({max_tokens}) must be smaller than engine.n_ctx ({self.engine.n_ctx}): "
                    "the window holds the conversation and the reply",
                    key,
                    ("engine", "n_ctx"),
                )
        return self
