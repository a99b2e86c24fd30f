"""Bot API methods about the bot itself: who it is, its webhook, commands, texts and files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from sandbox.process import is_loopback_host
from sandbox.telegram.errors import bad_request
from sandbox.telegram.model import Json, Webhook
from sandbox.telegram.sandbox import Sandbox
from sandbox.telegram.wire import Call

COMMANDS_MAX = 100
DOWNLOAD_MAX_BYTES = 20 * 1024 * 1024
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
COMMAND = re.compile(r"[a-z0-9_]{1,32}")
UPDATE_KINDS_TEXT = (
    "message edited_message channel_post edited_channel_post business_connection business_message"
    " edited_business_message deleted_business_messages message_reaction message_reaction_count"
    " inline_query chosen_inline_result callback_query shipping_query pre_checkout_query"
    " purchased_paid_media poll poll_answer my_chat_member chat_member chat_join_request"
    " chat_boost removed_chat_boost guest_message managed_bot stopped_message_generation"
    " subscription"
)
UPDATE_KINDS = frozenset(UPDATE_KINDS_TEXT.split())
OWN_TEXTS = {
    "Description": ("description", "my_description"),
    "ShortDescription": ("short_description", "my_short_description"),
    "Name": ("name", "my_name"),
}


def get_me(sandbox: Sandbox, _: Call) -> Json:
    return sandbox.world.bot.wire() | {
        "can_join_groups": True,
        "can_read_all_group_messages": True,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def set_webhook(sandbox: Sandbox, call: Call) -> bool:
    params = call.params
    url = params["url"]
    if not url:
        return delete_webhook(sandbox, call)
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback_host(parts.netloc)):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    secret = params.get("secret_token", "")
    if secret and not SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    most = params.get("max_connections", 40)
    if not 1 <= most <= 100:
        raise bad_request("max_connections must be between 1 and 100")
    _drop_pending(sandbox, params)
    allowed = check_allowed(params.get("allowed_updates", sandbox.world.webhook.allowed_updates))
    sandbox.world.webhook = Webhook(url, secret, most, allowed)
    sandbox.world.save(sandbox.world.webhook)
    sandbox.world.tell({"event": "webhook"})
    return True


def delete_webhook(sandbox: Sandbox, call: Call) -> bool:
    _drop_pending(sandbox, call.params)
    allowed = sandbox.world.webhook.allowed_updates
    sandbox.world.webhook = Webhook(allowed_updates=allowed)
    sandbox.world.save(sandbox.world.webhook)
    sandbox.world.tell({"event": "webhook"})
    return True


def get_webhook_info(sandbox: Sandbox, _: Call) -> Json:
    webhook = sandbox.world.webhook
    info: Json = {
        "url": webhook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(sandbox.world.pending),
    }
    if webhook.url:
        info |= {"max_connections": webhook.max_connections, "ip_address": "127.0.0.1"}
    if webhook.allowed_updates:
        info["allowed_updates"] = webhook.allowed_updates
    if webhook.last_error_date is not None:
        info["last_error_date"] = webhook.last_error_date
        info["last_error_message"] = webhook.last_error_message
    return info


def check_allowed(kinds: list[str]) -> list[str]:
    """Known update kinds without repetition; unknown ones are refused, not ignored."""
    unknown = set(kinds) - UPDATE_KINDS
    if unknown:
        raise bad_request(f"unknown allowed_updates {', '.join(sorted(unknown))}")
    return list(dict.fromkeys(kinds))


def set_my_commands(sandbox: Sandbox, call: Call) -> bool:
    commands = call.params["commands"]
    if len(commands) > COMMANDS_MAX:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not COMMAND.fullmatch(command["command"].removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not command["description"].strip():
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    plain = [{**c, "command": c["command"].removeprefix("/")} for c in commands]
    sandbox.world.set_text("commands", _scope_key(sandbox, call.params), plain)
    return True


def get_my_commands(sandbox: Sandbox, call: Call) -> list[Json]:
    commands = sandbox.world.texts("commands").get(_scope_key(sandbox, call.params), [])
    return list(commands)


def delete_my_commands(sandbox: Sandbox, call: Call) -> bool:
    sandbox.world.set_text("commands", _scope_key(sandbox, call.params), None)
    return True


def get_file(sandbox: Sandbox, call: Call) -> Json:
    stored = sandbox.world.files.get(call.params["file_id"])
    if stored is None:
        raise bad_request("invalid file_id")
    if stored.size > DOWNLOAD_MAX_BYTES:
        raise bad_request("file is too big")
    return {
        "file_id": stored.file_id,
        "file_unique_id": stored.file_unique_id,
        "file_size": stored.size,
        "file_path": stored.path,
    }


def close_or_log_out(_: Sandbox, __: Call) -> bool:
    return True


def _scope_key(sandbox: Sandbox, params: Json) -> str:
    scope = params.get("scope", {"type": "default"})
    if "chat_id" in scope:
        sandbox.chat_for_bot(scope["chat_id"])
    return json.dumps([scope, params.get("language_code", "")], sort_keys=True)


def _drop_pending(sandbox: Sandbox, params: Json) -> None:
    if params.get("drop_pending_updates"):
        for pending in list(sandbox.world.pending.values()):
            pending.twice = False
            sandbox.world.taken(pending.update_id)


def _own_text_methods() -> dict[str, Callable[[Sandbox, Call], Any]]:
    methods: dict[str, Callable[[Sandbox, Call], Any]] = {}
    for suffix, (field, record) in OWN_TEXTS.items():

        def write(sandbox: Sandbox, call: Call, field: str = field, record: str = record) -> bool:
            language = call.params.get("language_code", "")
            sandbox.world.set_text(record, language, call.params.get(field) or None)
            return True

        def read(sandbox: Sandbox, call: Call, field: str = field, record: str = record) -> Json:
            kept = sandbox.world.texts(record)
            default = sandbox.world.bot.first_name if field == "name" else ""
            language = call.params.get("language_code", "")
            return {field: kept.get(language, kept.get("", default))}

        methods[f"setMy{suffix}"] = write
        methods[f"getMy{suffix}"] = read
    return methods


METHODS: dict[str, Callable[[Sandbox, Call], Any]] = {
    "getMe": get_me,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "getFile": get_file,
    "close": close_or_log_out,
    "logOut": close_or_log_out,
    **_own_text_methods(),
}
