"""What the business stands on: the store, the way out, limits, secrets, settings."""
