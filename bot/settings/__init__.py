"""Every section of the configuration as a frozen pydantic model."""

from bot.settings.base import (
    MASK,
    AdapterSettings,
    Fraction,
    HistoryScope,
    KvType,
    LogLevel,
    Name,
    PlatformId,
    PositiveFloat,
    ReasoningMode,
    Secret,
    Settings,
    Text,
    Wording,
    conflict,
)
from bot.settings.configuration import (
    DEFAULT_PERSONA,
    Configuration,
    EngineSettings,
    ExampleExchange,
    HistorySettings,
    LoggingSettings,
    LoraSettings,
    ModelSettings,
    PersonaSettings,
    RopeSettings,
    StorageSettings,
)
from bot.settings.delivery import (
    DeliverySettings,
)
from bot.settings.documents import (
    DocumentSettings,
)
from bot.settings.extraction import (
    ExtractionSettings,
)
from bot.settings.generation import (
    GenerationSettings,
    SamplingOverrides,
)
from bot.settings.permissions import (
    ChannelPermissions,
    PermissionSettings,
    QuotaSettings,
    RolePermissions,
    UserPermissions,
)

__all__ = [
    "DEFAULT_PERSONA",
    "MASK",
    "AdapterSettings",
    "ChannelPermissions",
    "Configuration",
    "DeliverySettings",
    "DocumentSettings",
    "EngineSettings",
    "ExampleExchange",
    "ExtractionSettings",
    "Fraction",
    "GenerationSettings",
    "HistoryScope",
    "HistorySettings",
    "KvType",
    "LogLevel",
    "LoggingSettings",
    "LoraSettings",
    "ModelSettings",
    "Name",
    "PermissionSettings",
    "PersonaSettings",
    "PlatformId",
    "PositiveFloat",
    "QuotaSettings",
    "ReasoningMode",
    "RolePermissions",
    "RopeSettings",
    "SamplingOverrides",
    "Secret",
    "Settings",
    "StorageSettings",
    "Text",
    "UserPermissions",
    "Wording",
    "conflict",
]
