"""Delivery: what arrives and what leaves is kept before anybody acts on it. And the trail."""
