"""What a process keeps in memory: it is told of its own writes, each keeper of its own tables."""

from __future__ import annotations

from contextlib import suppress

from core.runtime import Runtime


async def test_each_keeper_is_told_of_writes_to_its_own_tables(runtime: Runtime) -> None:
    store = runtime.system.store
    told: list[str] = []
    store.own_writes.watch(("merchant",), lambda: told.append("merchant"))
    await store.execute("UPDATE merchant SET name = name || '!'")
    store.own_writes.watch(("channel",), lambda: told.append("channel"))
    assert told == ["merchant"]

    await store.execute("UPDATE merchant SET name = name || '!'")
    assert told == ["merchant"] * 2
    await store.execute("UPDATE channel SET weight = 3")
    assert told == ["merchant"] * 2 + ["channel"]

    told.clear()
    async with store.transaction() as tx:
        await tx.execute("UPDATE channel SET weight = 4")
        await tx.execute("UPDATE merchant SET name = name || '!'")
        await tx.execute("UPDATE channel SET weight = 5")
        assert told == [], "nothing is committed"
    assert sorted(told) == ["channel", "merchant"]

    told.clear()
    with suppress(ZeroDivisionError):
        async with store.transaction() as tx:
            await tx.execute("UPDATE channel SET weight = 6")
            raise ZeroDivisionError
    await store.fetchval("SELECT count(*) FROM merchant")
    assert told == []
