"""A sealed secret that stands in another row or column than its own opens nowhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from uuid import UUID

import pytest

from bot.world import apps
from core.kernel.errors import Bug, Refusal
from core.parties.suppliers import Waiting
from core.runtime import Runtime
from tests.core.support import FINANCE, OPERATOR, SetClock


@dataclass(frozen=True)
class Place:
    """One sealed value. It is read by whoever opens its row."""

    table: str
    column: str
    row: UUID | int

    @property
    def key(self) -> str:
        return "user_id" if self.table == "factor" else "id"

    async def get(self, runtime: Runtime) -> bytes:
        select = f"SELECT {self.column} FROM {self.table} WHERE {self.key} = $1"
        return bytes(await runtime.system.store.fetchval(select, self.row))

    async def put(self, runtime: Runtime, sealed: bytes) -> None:
        update = f"UPDATE {self.table} SET {self.column} = $2 WHERE {self.key} = $1"
        await runtime.system.store.execute(update, self.row, sealed)

    async def read(self, runtime: Runtime) -> object:
        match self.row:
            case int(user_id):
                actor = await runtime.people.access.actor(user_id, "", user_id, private=True)
                await runtime.system.store.execute("DELETE FROM factor_lock")
                with pytest.raises(Refusal, match="not right"):  # it was opened, to be compared
                    await runtime.people.factors.finish_totp(actor, "no code")
                return "opened"
            case UUID() as app_id if self.table == "app":
                return (await runtime.supply.market.now()).app(app_id)
            case UUID() as supplier_id:
                return await runtime.parties.suppliers.by_id(supplier_id)


_COLUMNS = (
    "SELECT table_name || '.' || column_name AS name FROM information_schema.columns"
    " WHERE table_schema = 'public' AND column_name LIKE '%sealed'"
)


async def places(runtime: Runtime, clock: SetClock) -> list[Place]:
    """Every sealed column, in two rows each."""
    two = await runtime.parties.suppliers.all()
    async with runtime.system.store.transaction() as tx:
        for supplier in two[:2]:
            waiting = Waiting({"key": f"new of {supplier.supplier_no}"}, OPERATOR, clock.now())
            held = replace(supplier, state="off", waiting=waiting)
            await runtime.parties.suppliers.keep_credentials(tx, held)
    found = [
        Place("app", column, app.id)
        for _, app in (await apps(runtime))[:2]
        for column in ("secrets_sealed", "notify_secrets_sealed")
    ]
    found += [
        Place("supplier", column, supplier.id)
        for supplier in two[:2]
        for column in ("credentials_sealed", "waiting_sealed")
    ]
    for user_id in (OPERATOR, FINANCE):
        actor = await runtime.people.access.actor(user_id, "", user_id, private=True)
        await runtime.people.factors.begin_totp(actor, "Paydesk")
        found.append(Place("factor", "secret_sealed", user_id))
    columns = {row["name"] for row in await runtime.system.store.fetch(_COLUMNS)}
    assert {f"{place.table}.{place.column}" for place in found} == columns
    return found


async def test_a_secret_in_a_wrong_place_is_refused_and_changes_nothing(
    runtime: Runtime, clock: SetClock
) -> None:
    sealed = await places(runtime, clock)
    own = {place: await place.get(runtime) for place in sealed}
    right = {place: await place.read(runtime) for place in sealed}
    for theirs, here in permutations(sealed, 2):
        await here.put(runtime, own[theirs])
        with pytest.raises(Bug, match=f"of {here.row} does not open: it was sealed for another"):
            await here.read(runtime)
        assert await here.get(runtime) == own[theirs]
        await here.put(runtime, own[here])
        assert await here.read(runtime) == right[here]
    assert {place: await place.read(runtime) for place in sealed} == right
