import pytest

from bot.errors import (
    ChatGoneError,
    DeliveryError,
    FormatRefusedError,
    MessageGoneError,
    RateLimitedError,
)
from bot.messages import ChatAddress, OutgoingMessage
from tests.support.hosted_discord import HostedDiscord

TEXT = OutgoingMessage(text="hi")


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, 50007, ChatGoneError),
        (403, 50278, ChatGoneError),
        (403, 50001, ChatGoneError),
        (404, 10003, ChatGoneError),
        (404, 10008, MessageGoneError),
        (400, 30046, MessageGoneError),
        (400, 50083, MessageGoneError),
        (400, 50035, FormatRefusedError),
        (429, 0, RateLimitedError),
        (503, 0, DeliveryError),
    ],
)
async def test_errors_say_what_can_be_done(
    hosted: HostedDiscord, status: int, code: int, error: type[DeliveryError]
) -> None:
    """Each of Discord's answers is one of the errors that the core acts on."""
    target = hosted.adapter.target(ChatAddress(adapter="discord", chat=str(hosted.channel.id), direct=False))
    assert target is not None
    hosted.env.inject_error("POST", "/channels/*/messages", status=status, code=code, message="no")
    with pytest.raises(DeliveryError) as caught:
        await target.send(TEXT)
    assert type(caught.value) is error


async def test_a_deleted_answer_cannot_be_edited(hosted: HostedDiscord) -> None:
    """The core is told that a new one will do."""
    target = hosted.adapter.target(ChatAddress(adapter="discord", chat=str(hosted.channel.id), direct=False))
    assert target is not None
    sent = await target.send(TEXT)
    await target.delete(sent)
    with pytest.raises(MessageGoneError):
        await target.edit(sent, TEXT)


async def test_the_length_is_what_is_sent(hosted: HostedDiscord) -> None:
    """2000 code points fit, also of emoji; rendering counts; one more is refused."""
    target = hosted.adapter.target(ChatAddress(adapter="discord", chat=str(hosted.channel.id), direct=False))
    assert target is not None
    limits = target.limits
    assert limits.max_length == 2000
    full = "😀" * 2000
    assert limits.measure(full) == 2000
    await target.send(OutgoingMessage(text=full))
    assert limits.measure("| a | b |\n|---|---|\n| 1 | 2 |") == len("```\na  b\n─  ─\n1  2\n```")
    with pytest.raises(FormatRefusedError):
        await target.send(OutgoingMessage(text=full + "x"))


async def test_nobody_is_pinged(hosted: HostedDiscord) -> None:
    """Whatever the model writes; and no link of it is fetched."""
    target = hosted.adapter.target(ChatAddress(adapter="discord", chat=str(hosted.channel.id), direct=False))
    assert target is not None
    await target.send(OutgoingMessage(text=f"@everyone <@{hosted.ann.id}> http://example.org"))
    (body,) = hosted.bodies("POST", f"/channels/{hosted.channel.id}/messages")
    assert body["allowed_mentions"] == {"parse": []}
    assert body["flags"] == 4


async def test_somebody_can_be_written_to_by_their_id_alone(hosted: HostedDiscord) -> None:
    """Their private chat is opened; and what is plain is seen as it is."""
    ann = str(hosted.ann.id)
    target = hosted.adapter.target(ChatAddress(adapter="discord", chat=ann, user=ann))
    assert target is not None
    await target.send(OutgoingMessage(text="__Ann__ asks", plain=True))
    assert hosted.texts(hosted.ann.user.dm_channel) == [r"\_\_Ann\_\_ asks"]
