"""The gates: whatever a supplier lacks is named, and only that."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.connectors import Connector, DocumentFaults, load
from core.kernel.clock import DayCut
from core.parties.suppliers import Supplier
from core.supply.onboarding import GATES, gates
from handlers.kit.vocabulary import WORDS
from tests.core.supply.onboarding.support import (
    CREDENTIALS,
    FORGERY_BELIEVED,
    MORE_CREDENTIALS,
    NO_CALLBACK,
    PINNED,
    TEXT,
)

TODAY = date(2026, 11, 21)
CONNECTORS: list[Connector | None] = [
    None,
    *map(load, (TEXT, NO_CALLBACK, FORGERY_BELIEVED, MORE_CREDENTIALS, PINNED)),
]
SUPPLIERS = st.builds(
    Supplier,
    id=st.just(UUID(int=1)),
    supplier_no=st.just("S07"),
    name=st.just("Gulf Pay"),
    document_id=st.just(UUID(int=2)),
    credentials=st.dictionaries(
        st.sampled_from([*CREDENTIALS, "app_id", "terminal"]),
        st.sampled_from(["", "x", "http://127.0.0.1:1029"]),
    ),
    sandbox=st.booleans(),
    state=st.just("off"),
    currency=st.just("CNY"),
    day_cut=st.just(DayCut()),
    legal_name=st.sampled_from(["", "Gulf Pay W.L.L."]),
    licence_no=st.sampled_from(["", "L1"]),
    licence_expires_on=st.sampled_from([None, *(TODAY + timedelta(days=d) for d in (-1, 0, 1))]),
    settles_to=st.sampled_from([None, "merchant"]),
)


@settings(deadline=None)  # what is slow here is the forging, which has a bound of its own
@given(
    SUPPLIERS,
    st.sampled_from(CONNECTORS),
    st.sampled_from(["proposed", "approved", "rejected", "withdrawn"]),
)
def test_nothing_is_missing_only_where_all_is_there(
    supplier: Supplier, connector: Connector | None, state: str
) -> None:
    missing = gates.missing(supplier, connector, state, TODAY)
    expires_on = supplier.licence_expires_on
    ready = (
        bool(supplier.legal_name and supplier.licence_no and supplier.settles_to)
        and expires_on is not None and expires_on >= TODAY  # its last day counts
        and state == "approved"
        and connector is not None and connector in (CONNECTORS[1], *CONNECTORS[4:])
        and (supplier.sandbox or not connector.sandbox_only)
        and all(supplier.credentials.get(name) for name in connector.credential_names)
        and (not connector.servers or "127.0.0.1" in supplier.credentials["base_url"])
    )  # fmt: skip
    assert (missing == ()) == ready
    assert len(set(missing)) == len(missing)
    named = {name for name in missing if not name.startswith("credentials.")}
    assert named <= set(GATES)
    assert not {"licence_over", "licence_expires_on"} <= named


def test_every_gate_has_words() -> None:
    # Each credential is a gate of its own, told by one sentence.
    assert set(WORDS["gate"]) == {*GATES, "credentials"}


@pytest.mark.parametrize("text", [NO_CALLBACK, FORGERY_BELIEVED])
def test_a_document_that_is_understood_can_still_be_unsound(text: str) -> None:
    faults = gates.unsound(load(text))
    assert faults == tuple(sorted(faults, key=lambda fault: fault.line))
    with pytest.raises(DocumentFaults) as error:
        gates.load_sound(text)
    assert error.value.faults == faults
