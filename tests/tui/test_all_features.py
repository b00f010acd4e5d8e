"""The screen of all features: every key, what is shared, what does not go together."""

from __future__ import annotations

import pytest


def names(app):
    return [f.name for f in app.session.project.features]


@pytest.mark.long
def test_features_are_added_renamed_copied_removed_and_chosen(drive):
    app = drive("n", "=chat", "enter")
    assert names(app) == ["order status", "chat"]
    assert app.session.current == 1
    assert "2 of 2" in app.shown
    app = drive("f", "m", "=status", "enter", "look", "b")
    assert names(app) == ["status"]
    assert "> status" in app.seen[0]
    app = drive("f", "d", "enter", "look", "up", "enter")
    assert names(app) == ["order status", "order status 2"]
    assert "> order status 2" in app.seen[0]
    assert app.session.current == 0
    app = drive("f", "d", "enter", "x", "look", "u", "look")
    assert "order status 2" not in app.seen[0]
    assert "u restores it" in app.seen[0]
    assert 'Undone: feature "order status 2" removed' in app.seen[1]
    assert len(names(app)) == 2
    assert "at least one feature" in drive("f", "x").shown
    refused = drive("n", "=Order status", "enter")
    assert "already" in refused.shown
    app = drive("f", "n", "=chat", "enter")
    assert names(app) == ["order status", "chat"]
    assert "describes the feature best" in app.shown  # its first question, not the list
    assert drive("f", "p", "=Acme 2", "enter").session.project.name == "Acme 2"


THREE = """\
project: Acme
path: {reverse-proxy: nginx, http2-to-browser: no, idle-timeout-s: 60}
features:
  - {name: order status, page: shop, kind: notifications, bidirectional-realtime: no, clients: [browser], media: no}
  - {name: chat, page: shop, kind: chat, bidirectional-realtime: yes, clients: [browser], media: no}
  - {name: board, kind: dashboard, clients: [browser], page: /board, tabs-per-user: 6, idle-timeout-s: 300}
"""


@pytest.mark.long
def test_the_screen_of_all_features_says_what_they_share_and_conflicts(drive, golden):
    app = drive("f", text=THREE, size=(120, 32))
    golden("portfolio-wide", app.shown)
    flat = " ".join(app.shown.split())
    assert "order status and chat share one WebSocket connection" in flat
    assert "order status uses a connection that is already open: WebSocket; alone it would use Server-Sent" in flat
    assert "1 held response x 6 tabs = 6 connections; over HTTP/1.1 a browser opens at most six to one host" in flat
    assert "! board: idle-timeout-s is 300 s here, 60 s for the others." in flat
    golden("portfolio-60x18", drive("f", text=THREE, size=(60, 18)).shown)
    scrolled = drive("f", *["pagedown"] * 3, text=THREE, size=(60, 18))
    assert "To watch in more than one" in scrolled.shown.replace("\n", " ")
    unstated = drive("f", text=THREE.replace("page: shop, ", ""), size=(120, 32))
    assert "order status, board could use the WebSocket connection of chat" in " ".join(unstated.shown.split())
    alone = drive("f")
    assert "These answers show no conflict." in alone.shown


@pytest.mark.long
def test_contradictions_and_features_without_a_pattern_are_conflicts(drive):
    text = "path: {websockets-blocked: always}\nfeatures: [{name: a, existing-connection: websocket}]\n"
    assert "! a: its answers contradict each other." in drive("f", text=text).shown
