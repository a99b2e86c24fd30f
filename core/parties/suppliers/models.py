"""Rows of suppliers, and the texts of connector documents (reference data)."""

from __future__ import annotations

from datetime import time

from tortoise import fields
from tortoise.models import Model


class DocumentRow(Model):
    id = fields.UUIDField(primary_key=True)
    body = fields.TextField()

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
    waiting_sealed = fields.BinaryField(null=True)
    waiting_by = fields.BigIntField(null=True)
    waiting_at = fields.DatetimeField(null=True)
    sandbox = fields.BooleanField(default=False)
    currency = fields.TextField()
    day_cut = fields.TimeField(default=time(0, 0))
    zone = fields.TextField(default="Asia/Shanghai")
    state = fields.TextField(default="off")
    created_at = fields.DatetimeField()
    live_at = fields.DatetimeField(null=True)

    class Meta:
        table = "supplier"
