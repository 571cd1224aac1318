"""Who may talk to the bot, and how much."""

from pydantic import Field, PositiveInt

from bot.settings.base import PlatformId, Settings


class UserPermissions(Settings):
    """Users by platform id, written as `adapter:id`."""

    admin_ids: tuple[PlatformId, ...] = Field((), strict=False, description="may do everything")
    allowed_ids: tuple[PlatformId, ...] = Field((), strict=False, description="may talk to the bot")
    blocked_ids: tuple[PlatformId, ...] = Field((), strict=False, description="are not answered")


class ChannelPermissions(Settings):
    """Group chats and channels by platform id, written as `adapter:id`."""

    allowed_ids: tuple[PlatformId, ...] = Field((), strict=False, description="everybody in them may talk to the bot")
    blocked_ids: tuple[PlatformId, ...] = Field((), strict=False, description="nobody in them is answered")


class RolePermissions(Settings):
    """Roles that a platform gives people, such as Discord's, by platform id, written as `adapter:id`."""

    allowed_ids: tuple[PlatformId, ...] = Field(
        (), strict=False, description="everybody who has one may talk to the bot"
    )


class QuotaSettings(Settings):
    """How much one person may have the bot do. Nothing set is no limit."""

    messages_per_hour: PositiveInt | None = Field(None, description="answered messages within an hour")
    messages_per_day: PositiveInt | None = Field(None, description="answered messages within 24 hours")
    tokens_per_hour: PositiveInt | None = Field(None, description="tokens newly read and written within an hour")
    tokens_per_day: PositiveInt | None = Field(None, description="tokens newly read and written within 24 hours")
    waiting: PositiveInt | None = Field(None, description="messages that may wait at the same time, in all chats")
    admins: bool = Field(False, description="whether they hold for admins, too")


class PermissionSettings(Settings):
    """Who may talk to the bot. Nobody, when nothing is set and nobody was let in; the console's user always may."""

    open: bool = Field(False, description="true lets everybody in")
    allow_dms: bool = Field(True, description="false answers in groups only, admins excepted")
    users: UserPermissions = Field(UserPermissions(), description="by person")
    channels: ChannelPermissions = Field(ChannelPermissions(), description="by chat")
    roles: RolePermissions = Field(RolePermissions(), description="by what the platform says a person is there")
    quotas: QuotaSettings = Field(QuotaSettings(), description="how much each person may have it do")
