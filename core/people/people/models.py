"""Rows of staff (reference data)."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class PersonRow(Model):
    id = fields.UUIDField(primary_key=True)
    user_id = fields.BigIntField()
    name = fields.TextField()
    role = fields.TextField(null=True)
    language = fields.TextField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "person"
