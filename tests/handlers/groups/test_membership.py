"""What the bot does about a group when its own standing there changes."""

from __future__ import annotations

from datetime import date
from typing import Any

from core.delivery.board import Subject
from core.delivery.outbox import Pin
from tests.handlers.support import ADMIN, SPRUCE, Desk

BOT = {"id": 7000000001, "is_bot": True, "first_name": "Paydesk"}
RIGHTS = (
    "can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members",
    "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories",
    "can_edit_stories", "can_delete_stories", "can_send_welcome_messages", "can_pin_messages",
)  # fmt: skip


def promotion(desk: Desk) -> dict[str, Any]:
    """The bot becomes an administrator with every right."""
    return {
        "date": int(desk.runtime.system.clock.now().timestamp()),
        "chat": {"id": SPRUCE, "type": "supergroup", "title": "a group"},
        "from": {"id": ADMIN, "is_bot": False, "first_name": "x"},
        "old_chat_member": {"status": "member", "user": BOT},
        "new_chat_member": {
            "status": "administrator", "user": BOT, "can_be_edited": False, "is_anonymous": False,
            **dict.fromkeys(RIGHTS, True),
        },
    }  # fmt: skip


async def test_a_bill_that_could_not_be_pinned_is_pinned_once_the_bot_may(desk: Desk) -> None:
    merchant = await desk.runtime.parties.merchants.by_no("M1001")
    posts = desk.runtime.delivery.board.posts
    for message_id, day in ((8, date(2026, 11, 20)), (9, date(2026, 11, 21))):
        await posts.posted(SPRUCE, message_id, Subject.live_bill(merchant.id, day), "x")
    await desk.feed(my_chat_member=promotion(desk))
    assert [f for f in await desk.news() if isinstance(f, Pin)] == [Pin(9)]
    await posts.pinned(SPRUCE, 9, is_pinned=True)
    await desk.runtime.system.store.execute("UPDATE outbox SET state = 'sent'")
    await desk.feed(my_chat_member=promotion(desk))
    assert [f for f in await desk.news() if isinstance(f, Pin)] == []
