"""What the answers ask for and a kit does not do, in sentences for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.base.text import visible
from advisor.kit import manifest, sizing
from advisor.model.values import UNKNOWN

if TYPE_CHECKING:
    from advisor.kit.manifest import Option
    from advisor.kit.member import Member
    from advisor.model.rulebase import RuleBase


def ways(auth: str, serves: list[str], instances: int, edge: Option) -> list[str]:
    """Notes to print about how clients reach the servers of this kit."""
    notes = []
    if auth == "bearer-header" and "websocket" in serves:
        notes.append(
            "auth: bearer-header: no browser sends a header with a WebSocket, so the page fetches a ticket first (POST "
            "/ticket) and sends it in the address; a ticket works for 30 s, and more than once in that time"
        )
    if instances > 1 and edge.name == "none":
        notes.append(f"instances: {instances}: the kit has no proxy; spread the clients over them yourself")
    return notes


def limits(members: list[Member], needs: list[sizing.Feature], instances: int, log: str, base: RuleBase) -> list[str]:
    """What the answers ask for and this kit does not do."""
    notes = []
    wanted, most = sizing.wanted_streams(needs), sizing.most_streams(instances)
    if wanted > most:
        carry = "one server carry" if instances == 1 else f"{instances} servers carry while one of them is away"
        notes.append(
            f"{wanted:,.0f} clients are more than one proxy and {carry} ({most:,} streams): "
            "the kit is sized for that many"
        )
    if max(need.payload for need in needs) > 1 << 20:
        notes.append("an event of this kit holds at most 1 MB; publish a link to larger data")
    if any(m.answers.get("binary") is True for m in members):
        notes.append("binary: events of this kit are JSON text; send bytes as a link, or as base64 (a third larger)")
    brokers = {w for m in members if m.answered("broker") for w in manifest.words(m.answers["broker"])}
    if instances > 1:
        brokers -= {"redis"}
        why = "there is no template for it yet; the event servers share a log in Redis or Valkey"
    else:
        why = f"one event server needs no broker; it keeps its log in {log}"
    notes += [f"broker: {', '.join(map(visible, sorted(brokers)))}: {why}"] if brokers else []
    if others := own_clients(members, base):
        named = ", ".join(map(visible, others))
        notes.append(
            f"clients: {named}: no template yet; the README describes the protocol, and client/ is a page that uses it"
        )
    return notes


def own_clients(members: list[Member], base: RuleBase) -> list[str]:
    """Those that no template is for, sorted."""
    named = {w for m in members if "clients" in m.answers for w in manifest.words(m.answers["clients"])}
    return sorted(named - {*base.questions["clients"].on_a_page, str(UNKNOWN)})
