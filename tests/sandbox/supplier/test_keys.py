from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.process import ConfigError
from sandbox.supplier.app import start
from sandbox.supplier.keys import KeyPair, read_public_key, verified
from tests.sandbox.supplier.peer import config
from tests.sandbox.supplier.tongues import accounts


async def test_the_supplier_keeps_its_key(tmp_path: Path) -> None:
    settings = config(tmp_path, accounts=accounts())
    async with start(settings) as ready:
        told = ready["public_key"]
    async with start(settings) as ready:
        assert ready["public_key"] == told
    kept = tmp_path / "supplier_key.pem"
    assert kept.stat().st_mode & 0o777 == 0o600
    keys = KeyPair(tmp_path)
    assert verified("茶", keys.sign("茶"), read_public_key(told))
    for forged in ("", "AAAA", "签", keys.sign("x")):
        assert not verified("茶", forged, read_public_key(told))


async def test_a_supplier_without_rsa_has_no_key(tmp_path: Path) -> None:
    async with start(config(tmp_path)) as ready:
        assert set(ready) == {"base", "control"}
    assert not (tmp_path / "supplier_key.pem").exists()


async def test_a_spoiled_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "supplier_key.pem").write_text("nonsense")
    with pytest.raises(ConfigError, match="holds no private key"):
        async with start(config(tmp_path, accounts=accounts())):
            pass
