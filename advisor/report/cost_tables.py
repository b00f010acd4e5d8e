"""The costs of a verdict as people read them: two tables, what the bars show, and the sentences around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from advisor.base.text import plural
from advisor.model.answers_in_words import in_words
from advisor.model.patterns import core, costed, costed_as
from advisor.model.rulebase import RuleBase
from advisor.report import words
from advisor.report.words import BEYOND, amount, delay, exact, quantity, size

if TYPE_CHECKING:
    from advisor.model.verdict import CostKey, FeatureVerdict, Input, Scale


class Column(NamedTuple):
    """One kind of cost: its key in the verdict, the head of its column, its words, and what the head means."""

    key: CostKey
    head: str
    say: Callable[[float], str]
    means: str
    title: str = ""  # of a chart

    @property
    def id(self) -> str:
        """The formula's id in rules/costs.yaml."""
        return self.key.replace("_", "-")


class Row(NamedTuple):
    """One pattern's line of a table."""

    pattern: str
    name: str
    cells: list[str]


TRAFFIC = (
    Column("requests_per_h", "requests/h", amount, "requests that ask or wait for news", "Requests per hour"),
    Column("queries_per_h", "queries/h", amount, "database queries that they cause"),
    Column("total_bytes_per_h", "bytes/h", size, "on the clients' hop, messages and overhead"),
    Column("overhead_bytes_per_h", "overhead/h", size, "the part of it that is not messages", "Overhead per hour"),
    Column("worst_delay_s", "delay", delay, "the longest, on top of the network's own"),
)
HELD = (
    Column("held_connections", "held", amount, "connections that stay open at the server", "Held open"),
    Column("proxy_descriptors", "proxy fds", amount, "descriptors at the reverse proxy"),
    Column("worker_connections", "nginx", amount, "worker_connections of all workers together, at least"),
    Column("upstream_ports", "ports", amount, "source ports of the proxy to each instance"),
    Column("server_memory_bytes", "server RAM", size, "memory of the server for what is held, all instances"),
    Column("proxy_memory_bytes", "proxy RAM", size, "memory of the proxy for what is open, with TLS"),
    Column("billed_hours_per_h", "billed", amount, "hours billed per hour, where open connections are billed"),
)
SCALES: dict[Scale, str] = {"patterns": "At these numbers", "at_ten_times": "With ten times the clients"}
AT: tuple[tuple[Scale, str], ...] = (("patterns", ""), ("at_ten_times", "With ten times the clients, "))
BARS = TRAFFIC[3]  # what a pattern adds to the messages


def columns(feature: FeatureVerdict, base: RuleBase, every: tuple[Column, ...]) -> list[Column]:
    """The columns that apply here: those of a proxy or a bill only where there is one."""
    costs = feature["costs"]["patterns"]
    return [column for column in every if any(costs[p][column.key] is not None for p in shown(feature, base))]


def shown(feature: FeatureVerdict, base: RuleBase) -> list[str]:
    """The patterns in the tables: the core ones, and what is acceptable besides."""
    costs, first = feature["costs"]["patterns"], core(base)
    return [*first, *(item["id"] for item in feature["acceptable"] if item["id"] in costs and item["id"] not in first)]


def name(pattern: str, base: RuleBase) -> str:
    """A pattern's title where it is short enough for a table, else its id."""
    title = words.title(pattern, base)
    return title if len(title) <= 18 else pattern


def table(feature: FeatureVerdict, base: RuleBase, key: Scale, heads: list[Column]) -> Iterator[Row]:
    """One row per pattern, with the cells of these columns; `key` is one of SCALES."""
    for pattern in shown(feature, base):
        row = feature["costs"][key][pattern]
        cells = ["-" if (value := row[column.key]) is None else column.say(value) for column in heads]
        yield Row(pattern, name(pattern, base), cells)


def lengths(feature: FeatureVerdict, base: RuleBase, key: Scale, column: Column) -> list[tuple[str, float, str]]:
    """For bars: a pattern's name, its number, and the number in words."""
    costs = feature["costs"][key]
    return [
        (name(p, base), value, column.say(value))
        for p in shown(feature, base)
        if (value := costs[p][column.key]) is not None
    ]


def formula_lines(formula: Mapping[str, Any], base: RuleBase) -> Iterator[tuple[str, str]]:
    """For which patterns a formula holds (nothing where it is the same for all), and its arithmetic in one line."""
    ways = formula["is"] if isinstance(formula["is"], dict) else {"": formula["is"]}
    for way, arithmetic in ways.items():
        of = [base.patterns[pattern].title for pattern in costed(base) if base.patterns[pattern].costed_as == way]
        yield ", ".join(of), " ".join(str(arithmetic).split())


def legend(heads: Iterable[Column]) -> str:
    """What the heads of these columns mean, in one line."""
    return "; ".join(f"{column.head}: {column.means}" for column in heads) + "."


def inputs(feature: FeatureVerdict, base: RuleBase) -> str:
    """The numbers behind the costs, the assumed ones marked."""
    parts = []
    for fact, given in feature["costs"]["inputs"].items():
        unit = base.questions[fact].unit if fact in base.questions else "s"
        parts.append(f"{fact} {in_words(given['value'], unit)}{' (assumed)' if given['assumed'] else ''}")
    return ", ".join(parts)


# --- sentences --------------------------------------------------------------------------------------------------------


def sentences(feature: FeatureVerdict, base: RuleBase) -> Iterator[str]:
    """What the numbers come to, where that is worth a sentence."""
    yield polling(feature, base)
    costs = feature["costs"]
    timer, held, stream = (costs["patterns"][costed_as(way, base)] for way in ("short-polls", "long-polls", "streams"))
    if BEYOND > held["requests_per_h"] > timer["requests_per_h"]:
        yield f"Long polling asks more often than short polling here: {_why_more(costs['inputs'])}."
    rate = stream["deliveries_per_s"]
    if rate:
        each = quantity(costs["inputs"]["server-msg-rate-per-s"]["value"])
        clients = quantity(costs["inputs"]["concurrent-clients"]["value"])
        yield f"Deliveries: {each} a second to each of {clients} clients are {amount(rate)} a second."
    listeners = costs["inputs"]["listeners-per-event"]
    if listeners["value"] > 1 and costs["fanout_per_s"]:
        room = plural(listeners["value"], "listener")
        yield f"One room of {room} causes {amount(costs['fanout_per_s'])} deliveries a second."
    uplink = stream["uplink_requests_per_h"]
    if uplink:
        yield f"What the clients send adds {exact(uplink)} requests per hour, except over a WebSocket."
    yield from _ports(feature, base)


def _why_more(inputs: Mapping[str, Input]) -> str:
    """Why long polling asks more often: a hold shorter than the interval, where it ends before a message comes."""
    hold, interval = inputs["hold-s"]["value"], inputs["poll-interval-s"]["value"]
    if hold < interval and inputs["server-msg-rate-per-s"]["value"] * hold < 1:
        return f"a request is held for {quantity(hold)} s at most, and a poll comes every {quantity(interval)} s"
    return "every message makes every client that it reaches ask again"


def polling(feature: FeatureVerdict, base: RuleBase) -> str:
    """The arithmetic of short polling in one sentence: 720 requests per hour per client, 72,000 for 100 clients."""
    costs = feature["costs"]
    row, given = costs["patterns"][costed_as("short-polls", base)], costs["inputs"]
    if row["requests_per_client_per_h"] >= BEYOND:
        return f"Short polling every {quantity(given['poll-interval-s']['value'])} s has no limit to what it costs."
    return (
        f"Short polling every {quantity(given['poll-interval-s']['value'])} s is "
        f"{exact(row['requests_per_client_per_h'])} requests per hour for each client and "
        f"{exact(row['requests_per_h'])} for all {quantity(given['concurrent-clients']['value'])}, and as many queries."
    )


def _ports(feature: FeatureVerdict, base: RuleBase) -> Iterator[str]:
    """Where held connections outgrow the ports of one pair of addresses, now or at ten times the clients."""
    ports = base.tables["costs"]["figures"]["ephemeral-ports"]["value"]
    costs = feature["costs"]
    instances = max(costs["inputs"]["instances"]["value"], 1)
    for key, when in AT:
        row = costs[key][costed_as("streams", base)]
        needed = row["upstream_addresses"]
        if needed is not None and needed > instances:
            yield (
                f"{when}{amount(row['held_connections'])} held connections through one proxy address need "
                f"{amount(needed)} addresses or ports of the server: each pair has {amount(ports)} ports."
            )
            return
