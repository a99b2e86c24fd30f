"""Rows of products and channels (reference data)."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class ProductRow(Model):
    code = fields.CharField(32, primary_key=True)
    name_zh = fields.TextField()
    name_en = fields.TextField()
    state = fields.TextField(default="on")

    class Meta:
        table = "product"


class ChannelRow(Model):
    id = fields.UUIDField(primary_key=True)
    channel_no = fields.TextField()
    supplier_id = fields.UUIDField()
    name = fields.TextField()
    supplier_code = fields.TextField()
    currency = fields.TextField()
    amount_list: ArrayField = ArrayField(element_type="bigint", default=list)
    amount_min = fields.BigIntField(null=True)
    amount_max = fields.BigIntField(null=True)
    weight = fields.IntField(default=1)
    priority = fields.IntField(default=0)
    state = fields.TextField(default="on")
    created_at = fields.DatetimeField()

    class Meta:
        table = "channel"


class ProductChannelRow(Model):
    id = fields.UUIDField(primary_key=True)
    product_code = fields.TextField()
    channel_id = fields.UUIDField()

    class Meta:
        table = "product_channel"
