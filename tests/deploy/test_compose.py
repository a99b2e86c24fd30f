"""No engine runs here: what the composition promises is read from its text."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.system.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service.get("user") != "root"
    assert "/tmp" in service["tmpfs"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_and_has_no_address(name: str) -> None:
    image = SERVICES[name]["image"]
    assert re.fullmatch(r"(?:[a-z]+/)?[a-z]+:\d[\w.-]*", image), image


def test_only_the_desk_is_published_and_only_on_loopback() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["desk"]
    assert SERVICES["desk"]["ports"] == ["127.0.0.1:${DESK_PORT:-8080}:8080"]
    assert not {"HOST", "ADMIN_HOST"} & SERVICES["desk"]["environment"].keys()


def test_the_stores_are_reachable_from_inside_only() -> None:
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for store in ("postgres", "valkey", "migrate"):
        assert SERVICES[store]["networks"] == ["inside"]


def test_the_desk_waits_for_the_migration_and_the_stores() -> None:
    conditions = {name: wait["condition"] for name, wait in SERVICES["desk"]["depends_on"].items()}
    assert conditions == {
        "migrate": "service_completed_successfully",
        "postgres": "service_healthy",
        "valkey": "service_healthy",
    }
    assert SERVICES["migrate"]["restart"] == "no"
    for store in ("postgres", "valkey"):
        assert SERVICES[store]["healthcheck"]["test"][0] == "CMD"


def test_a_missing_secret_stops_the_start() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|TOKEN|KEY|URL|OWNER_IDS", name) and "$" in value:
                assert ":?" in value, name


def test_every_variable_of_the_desk_is_a_setting() -> None:
    known = {field.upper() for field in Settings.model_fields}
    for name in ("migrate", "desk"):
        assert SERVICES[name]["environment"].keys() <= known


def test_what_an_operator_may_set_reaches_the_desk() -> None:
    # What the composition itself decides: where the desk listens, and lives.
    decided = {"paydesk_home", "host", "port", "admin_host", "admin_port", "drain_notice_s"}
    # Never with a real desk, or never in the same process.
    never = {"allow_private_targets", "database_owner_url"}
    wanted = {field.upper() for field in Settings.model_fields.keys() - decided - never}
    assert wanted == SERVICES["desk"]["environment"].keys()


def test_the_desk_does_not_hold_the_owners_password() -> None:
    assert "OWNER_DB_PASSWORD" not in str(SERVICES["desk"]["environment"])


def test_every_named_volume_is_declared_and_every_script_parses() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                script = ROOT / "deploy" / source
                assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
            else:
                assert source in COMPOSE["volumes"]
