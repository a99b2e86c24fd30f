"""What becomes of credentials that somebody sets: a pure decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from core.parties.suppliers import Supplier, Waiting


def with_credentials(
    before: Supplier, given: Mapping[str, str], *, by: int, at: datetime
) -> Supplier:
    """The supplier once `given` is set.

    What was not set counts at once, and so does everything of a supplier that was never live. What
    replaces another value waits, and the supplier is off, until a second person puts it live: till
    then calls and callbacks go by what was. What waits is one person's: another's goes.
    """
    if not before.lived:
        return replace(before, credentials={**before.credentials, **given})
    was = before.credentials
    added = {name: text for name, text in given.items() if not was.get(name)}
    after = replace(before, credentials={**was, **added})
    if len(added) == len(given):
        return after
    own = before.waiting if before.waiting is not None and before.waiting.by == by else None
    wanted = {**(own.credentials if own else {}), **given}
    replaced = {n: text for n, text in wanted.items() if n not in added and was[n] != text}
    if not replaced:
        return replace(after, waiting=None)
    return replace(after, waiting=Waiting(replaced, by, at), state="off")
