"""Rows of merchants, their apps and what they buy (reference data; see core/system/migrations)."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class MerchantRow(Model):
    id = fields.UUIDField(primary_key=True)
    merchant_no = fields.TextField()
    tag = fields.IntField()
    name = fields.TextField()
    state = fields.TextField(default="open")
    reviewed_at = fields.DatetimeField(null=True)
    currency = fields.TextField(default="CNY")
    day_cut = fields.TimeField()
    zone = fields.TextField()
    credit_line_minor = fields.BigIntField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "merchant"


class AppRow(Model):
    id = fields.UUIDField(primary_key=True)
    merchant_id = fields.UUIDField()
    mode = fields.TextField()
    name = fields.TextField()
    key_id = fields.TextField()
    secrets_sealed = fields.BinaryField()
    notify_secrets_sealed = fields.BinaryField()
    notify_url = fields.TextField(null=True)
    ip_allow: ArrayField = ArrayField(element_type="text", default=list)
    state = fields.TextField(default="open")
    created_at = fields.DatetimeField()

    class Meta:
        table = "app"
