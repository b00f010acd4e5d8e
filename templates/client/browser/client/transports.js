// The transports by which events can reach the page, by their names in settings.json, and how each is opened.

import { FetchSource } from "./fetch-source.js";
import { PollSource } from "./poll-source.js";
import { SharedSource } from "./shared-source.js";
import { WsSource } from "./ws-source.js";

const HOLDS = ["sse", "long-polling"]; // those that keep one of the browser's HTTP connections all the time

// In the order in which stream.js tries them. config: what GET /config answers; address: path -> absolute URL;
// headers: for a server that wants Authorization. sharing: {needed(), viewer(), onTabs()} (shared-source.js), or nothing.
// Each: {name, title, url, open(url)}; what `open` returns has EventSource's face (addEventListener, onerror, close).
export function transportsOf(config, address, headers, sharing) {
  const needsHeader = config.auth === "bearer-header";
  const holdS = config.hold_s ?? 20;
  const known = {
    websocket: {
      title: "WebSocket",
      url: address("ws").replace(/^http/, "ws"),
      open: (url) => new WsSource(url, needsHeader ? { url: address("ticket"), headers } : undefined),
    },
    sse: {
      title: "SSE",
      url: address("events"),
      open: (url) => (needsHeader ? new FetchSource(url, headers) : new EventSource(url, { withCredentials: true })),
    },
    "long-polling": {
      title: "long polling",
      url: address("poll"),
      open: (url) => new PollSource(url, { holdS, headers }),
    },
    "short-polling": {
      title: "short polling",
      url: address("poll"),
      open: (url) => new PollSource(url, { pollS: config.poll_s, headers }),
    },
  };
  const openerOf = (transport, own) => {
    if (!sharing || !HOLDS.includes(transport)) return own;
    const options = { transport, config, headers, own, quietS: holdS + 10, onTabs: sharing.onTabs };
    return (url) => (sharing.needed() ? new SharedSource(url, { ...options, viewer: sharing.viewer() }) : own(url));
  };
  const names = (config.transports ?? ["sse"]).filter((name) => name in known);
  return names.map((name) => ({ name, ...known[name], open: openerOf(name, known[name].open) }));
}
