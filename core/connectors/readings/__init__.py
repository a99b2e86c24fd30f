"""Whether what is signed can be read in one way only.

A signature proves a text, not a message. `attach=1&status=2` is one field or two, and whoever may
choose a value (the payer's note, the merchant's subject) could have a signed failure read as paid.
So a message is believed only where every legal reading of its text says the same of what decides.

A reading is legal where a message of the supplier could have been written like it:

- Fields stand in the order that the document says, and no name comes twice.
- A number, an amount, a state, a code holds nothing of what parts values. An amount is digits.
- What each message must say is there, or the engine would refuse that message anyway.
- What a header brings holds nothing of what parts values: no payer writes headers.

A way to pay may hold what parts fields, since an address has a query. It may end in two ways, but
it begins in one: the payer is sent to the same page.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.connectors.document import Sign
from core.connectors.messages import Tree
from core.connectors.pipes import Scope
from core.connectors.readings.fields import of_params
from core.connectors.readings.fields import signs_of as signs_of
from core.connectors.readings.roles import Role as Role
from core.connectors.readings.slots import of_text

__all__ = ["Role", "second_reading", "signs_of"]


def second_reading(rule: Sign, tree: Tree, scope: Scope, roles: Sequence[Role]) -> str | None:
    """Why a signed message reads in a second way as well; None where it reads in one. roles: what
    of it decides. Raises ValueFault, UnreadableError."""
    if why := of_text(rule, scope, roles):
        return why
    return of_params(rule, tree, scope, roles) if "params" in rule.names else None
