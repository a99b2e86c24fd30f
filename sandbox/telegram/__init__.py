"""A Telegram for one bot: Bot API, control interface for tests, and a chat page for people."""
