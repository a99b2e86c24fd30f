"""Rows of products, suppliers, connector documents and channels (reference data)."""

from __future__ import annotations

from datetime import time

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


class DocumentRow(Model):
    id = fields.UUIDField(primary_key=True)
    code = fields.TextField()
    version = fields.TextField()
    body = fields.TextField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "connector_document"


class SupplierRow(Model):
    id = fields.UUIDField(primary_key=True)
    supplier_no = fields.TextField()
    name = fields.TextField()
    legal_name = fields.TextField(default="")
    licence_no = fields.TextField(default="")
    licence_expires_on = fields.DateField(null=True)
    settles_to = fields.TextField(null=True)
    document_id = fields.UUIDField()
    credentials_sealed = fields.BinaryField()
    sandbox = fields.BooleanField(default=False)
    currency = fields.TextField()
    day_cut = fields.TimeField(default=time(0, 0))
    zone = fields.TextField(default="Asia/Shanghai")
    state = fields.TextField(default="off")
    created_at = fields.DatetimeField()

    class Meta:
        table = "supplier"


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
