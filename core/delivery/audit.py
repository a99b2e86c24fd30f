"""The trail: who did what, where, and a hash over each row."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal
from uuid import UUID

from core.kernel.clock import Clock
from core.kernel.ids import Ids
from core.system.store import Queries

# Every deed that the trail knows. Whoever records another one adds it here, and says it in words.
Action = Literal[
    "adjusted", "adjusted_undone", "allow_right", "amend_merchant", "amend_supplier", "appoint",
    "approve_document", "approve_keys", "archive_merchant", "ask_keys", "ask_review", "bind",
    "channel_added", "channel_changed", "channel_resumed", "channel_set", "channel_turned",
    "close_alarm", "complete_dropped", "complete_second_dropped", "complete_second_used",
    "complete_used", "cost_set", "day_cut", "deny_right", "end_appointment", "end_invitation",
    "end_old_keys", "end_refund", "end_role", "enrol_factor", "export_config", "hire", "invite",
    "left_group", "link_group", "lock_factor", "messages_dropped", "messages_sent_again",
    "open_app", "open_merchant", "open_supplier", "paid_in", "paid_in_undone", "pass_review",
    "prepaid", "prepaid_undone", "product_added", "product_named", "product_turned",
    "propose_document",
    "rate_set", "refund_end_approved", "refund_end_dropped", "refund_end_rejected",
    "refund_end_used", "refund_order_dropped", "refund_order_used", "refund_second_dropped",
    "refund_second_used", "reject_document", "reject_keys", "reject_review", "rerated",
    "resolve", "resolve_dropped", "resolve_second_dropped", "resolve_second_used",
    "resolve_used", "resume_merchant", "retry_broadcast", "revise_broadcast", "revoke_app",
    "roll_back", "rotate_keys", "send_broadcast", "set_credentials", "set_credit", "set_group",
    "set_ip_allow", "set_limit", "set_notify_url", "set_payout_address", "set_role",
    "set_setting", "set_usdt_rate", "stop_broadcast", "supplier_live", "supplier_off",
    "suspend_merchant", "switch_document", "take_alarm", "take_back_keys", "take_factors",
    "trial_ordered", "unbind", "uncomplete_dropped", "uncomplete_used", "withdraw_broadcast",
    "withdraw_document", "warn_of_lookalike",
]  # fmt: skip


class Audit:
    """Writes the trail. Rows are never changed: the desk's role cannot."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    async def record(
        self,
        tx: Queries,
        action: Action,
        *,
        actor: str,
        facts: dict[str, Any],
        merchant_id: UUID | None = None,
        chat_id: int | None = None,
        message_id: int | None = None,
    ) -> None:
        """Write one row in the transaction of what it tells of.

        actor: api:<key id> | supplier:<no> | timetable | telegram:<numeric id>.
        facts: JSON values; never secrets.
        """
        row_id, at = self._ids.uuid7(), self._clock.now()
        text = json.dumps(
            [
                str(row_id),
                at.isoformat(),
                actor,
                chat_id,
                message_id,
                str(merchant_id),
                action,
                facts,
            ],
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
            default=str,
        )
        await tx.execute(
            "INSERT INTO audit (id, at, actor, chat_id, message_id, merchant_id, action, facts,"
            " hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            row_id,
            at,
            actor,
            chat_id,
            message_id,
            merchant_id,
            action,
            facts,
            hashlib.sha256(text.encode()).digest(),
        )
