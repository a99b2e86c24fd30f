"""Rows of chats and what they are bound to."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class GroupRow(Model):
    chat_id = fields.BigIntField(primary_key=True, generated=False)
    kind = fields.TextField(default="unbound")
    type = fields.TextField()
    title = fields.TextField(default="")
    language = fields.TextField(default="zh")
    label = fields.TextField(default="预付")
    usdt_rate = fields.TextField(null=True)
    bot_status = fields.TextField(default="member")
    moved_to = fields.BigIntField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "chat_group"


class BindingRow(Model):
    id = fields.UUIDField(primary_key=True)
    chat_id = fields.BigIntField()
    merchant_id = fields.UUIDField(null=True)
    supplier_id = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "binding"
