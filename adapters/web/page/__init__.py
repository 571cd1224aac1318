"""The chat page and the admin page: sessions, and what the browser asks for."""
