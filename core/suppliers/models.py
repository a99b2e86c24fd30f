"""Rows of suppliers and connector documents (reference data)."""

from __future__ import annotations

from datetime import time

from tortoise import fields
from tortoise.models import Model


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
