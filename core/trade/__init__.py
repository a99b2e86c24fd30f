"""Orders from their creation to their end: callbacks, refunds, discrepancies, completions."""
