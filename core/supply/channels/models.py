"""Rows of products (reference data)."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class ProductRow(Model):
    code = fields.CharField(32, primary_key=True)
    name_zh = fields.TextField()
    name_en = fields.TextField()
    state = fields.TextField(default="on")

    class Meta:
        table = "product"
