"""E-mail messages (RFC 5322) as text."""

from email import message_from_bytes, policy
from email.message import EmailMessage

from bot.documents.html_text import html_text

_HEADERS = ("From", "To", "Cc", "Date", "Subject")


def email_text(data: bytes) -> str:
    """The headers that people read, the body, and the names of what is attached."""
    message = message_from_bytes(data, _class=EmailMessage, policy=policy.default)
    headers = [f"{name}: {message[name]}" for name in _HEADERS if message[name]]
    attached = [part.get_filename() or part.get_content_type() for part in message.iter_attachments()]
    if attached:
        headers.append(f"Attached: {', '.join(attached)}")
    return "\n".join([*headers, "", _body(message)]).strip()


def _body(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    content = str(part.get_content())
    return html_text(content) if part.get_content_subtype() == "html" else content
