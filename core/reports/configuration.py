"""How the desk is set up, as values to be kept or compared: everything but secrets and money."""

from __future__ import annotations

from typing import Any, Final

from core.delivery.audit import Audit
from core.people.actors import Actor
from core.system.store import Store

RIGHT: Final = "watch"
# What is sealed or hashed goes nowhere; ids mean nothing to anybody else.
_KEPT_BACK: Final = ("_sealed", "_hash")
_MAX_ROWS: Final = 20_000  # of each kind


class Configuration:
    """Reads it, and leaves that in the trail."""

    def __init__(self, store: Store, audit: Audit) -> None:
        self._store = store
        self._audit = audit

    async def read(self, actor: Actor) -> dict[str, list[dict[str, Any]]]:
        """kind -> rows with JSON values, in a fixed order: two of them differ where the desk does.
        All of one instant. Refusals: those of `Actor.need_among_staff`."""
        actor.need_among_staff(RIGHT)
        found: dict[str, list[dict[str, Any]]] = {}
        async with self._store.transaction() as tx:
            rows = await tx.fetch(_ALL, _MAX_ROWS)  # one statement: all of one instant
            for kind in _KINDS:
                found[kind] = [_public(row["said"]) for row in rows if row["kind"] == kind]
            await self._audit.record(
                tx,
                "export_config",
                actor=actor.trail_name,
                facts={"actor_name": actor.name},
                chat_id=actor.chat_id,
            )
        return found


def _public(row: dict[str, Any]) -> dict[str, Any]:
    """Without what is kept back, and without what is not set."""
    return {
        name: value
        for name, value in row.items()
        if not name.endswith(_KEPT_BACK) and value not in (None, "", [], {})
    }


# kind -> its rows in their order, and how each is told: names in the place of ids.
_KINDS: Final[dict[str, str]] = {
    "settings": """
SELECT jsonb_build_object('name', name, 'currency', currency, 'value', value,
    'set_by', set_by_name, 'set_at', set_at)
FROM desk_setting ORDER BY name, currency""",
    "people": """
SELECT jsonb_build_object('user_id', user_id, 'name', name, 'role', role,
    'allowed', to_jsonb(allowed), 'denied', to_jsonb(denied), 'language', language)
FROM person WHERE role IS NOT NULL ORDER BY user_id""",
    "groups": """
SELECT jsonb_build_object('chat_id', g.chat_id, 'title', g.title, 'kind', g.kind,
    'type', g.type, 'language', g.language, 'label', g.label, 'zone', g.zone,
    'quiet_from', g.quiet_from, 'quiet_to', g.quiet_to, 'segments', to_jsonb(g.segments),
    'topics', g.topics,
    'merchants', (SELECT jsonb_agg(m.merchant_no ORDER BY m.merchant_no) FROM binding b
                  JOIN merchant m ON m.id = b.merchant_id WHERE b.chat_id = g.chat_id),
    'suppliers', (SELECT jsonb_agg(s.supplier_no ORDER BY s.supplier_no) FROM binding b
                  JOIN supplier s ON s.id = b.supplier_id WHERE b.chat_id = g.chat_id))
FROM chat_group g WHERE g.moved_to IS NULL ORDER BY g.chat_id""",
    "products": """
SELECT to_jsonb(p) || jsonb_build_object('channels', (
    SELECT jsonb_agg(c.channel_no ORDER BY c.channel_no) FROM product_channel pc
    JOIN channel c ON c.id = pc.channel_id
    WHERE pc.product_code = p.code AND pc.merchant_id IS NULL))
FROM product p ORDER BY p.code""",
    "documents": """
SELECT jsonb_build_object('code', code, 'version', version, 'digest', digest, 'state', state,
    'note', note, 'proposed_by', proposed_by_name, 'decided_by', decided_by_name)
FROM connector_document ORDER BY code, version""",
    "suppliers": """
SELECT (to_jsonb(s) - '{id,document_id,waiting_by,waiting_at,licence_told}'::text[])
    || jsonb_build_object('document', d.code || ' v' || d.version)
FROM supplier s JOIN connector_document d ON d.id = s.document_id ORDER BY s.supplier_no""",
    "channels": """
SELECT (to_jsonb(c)
    - '{id,supplier_id,paused_at,paused_until,paused_why,pauses,tries_from}'::text[])
    || jsonb_build_object('supplier', s.supplier_no)
FROM channel c JOIN supplier s ON s.id = c.supplier_id ORDER BY c.channel_no""",
    "costs": """
SELECT jsonb_build_object('channel', c.channel_no, 'valid_from', t.valid_from, 'tiers', t.tiers)
FROM channel_tariff t JOIN channel c ON c.id = t.channel_id
ORDER BY c.channel_no, t.valid_from, t.seq""",
    "merchants": """
SELECT (to_jsonb(m) - '{id,tag,credit_low}'::text[])
FROM merchant m ORDER BY m.merchant_no""",
    "apps": """
SELECT jsonb_build_object('merchant', m.merchant_no) || (to_jsonb(a) - '{id,merchant_id}'::text[])
FROM app a JOIN merchant m ON m.id = a.merchant_id ORDER BY m.merchant_no, a.key_id""",
    "offers": """
SELECT jsonb_build_object('merchant', m.merchant_no, 'product', o.product_code, 'state', o.state,
    'channels', (SELECT jsonb_agg(c.channel_no ORDER BY c.channel_no) FROM product_channel pc
                 JOIN channel c ON c.id = pc.channel_id
                 WHERE pc.product_code = o.product_code AND pc.merchant_id = m.id))
FROM merchant_product o JOIN merchant m ON m.id = o.merchant_id
ORDER BY m.merchant_no, o.product_code""",
    "rates": """
SELECT jsonb_build_object('merchant', m.merchant_no, 'product', t.product_code,
    'valid_from', t.valid_from, 'tiers_by', t.tiers_by, 'tiers', t.tiers)
FROM tariff t JOIN merchant m ON m.id = t.merchant_id
ORDER BY m.merchant_no, t.product_code, t.valid_from, t.seq""",
}
_ALL: Final = " UNION ALL ".join(
    f"SELECT '{kind}' AS kind, r.said FROM ({sql} LIMIT $1) r (said)"  # noqa: S608 (our own)
    for kind, sql in _KINDS.items()
)
