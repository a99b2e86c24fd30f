"""The system: database, calls out, Redis, secrets, settings, the lease queue, retention."""
