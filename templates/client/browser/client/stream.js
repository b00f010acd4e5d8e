// One resumable stream of events: connects, notices silence, connects again, and never shows an event twice.
//
// A bare EventSource is not enough: it closes for good when a proxy answers 502 during a deploy, it cannot see a
// connection that died without a word, and all clients come back at the same moment. So every failure ends the source
// here, and a new one is opened with the last id in the address, after a delay with jitter.

export class EventStream {
  // options:
  //   eventsUrl, snapshotUrl   where to read
  //   retryMs, retryMaxMs      delay before the first attempt, and the longest; each has jitter
  //   heartbeatS               the server's heartbeat until its hello says otherwise
  //   onEvent({id, type, at, data})    each event once, in order
  //   onSnapshot({latest, events})     replaces everything that was shown: at the start, and after a gap
  //   onState(state, detail)   "connecting" | "open" | "waiting" (detail: ms) | "stopped" | "refused" (detail: status)
  //   open(url)                makes the source; another one with EventSource's face may stand in
  //   headers                  for the snapshot's request
  constructor(options) {
    this.options = { headers: {}, open: (url) => new EventSource(url, { withCredentials: true }), ...options };
    this.counts = { events: 0, repeated: 0, missing: 0, resets: 0, connects: 0 };
    this.lastId = null; // the cursor: everything up to here was shown
    this.source = null;
    this.timer = null; // the next attempt, or the watchdog: never both
    this.failures = 0; // since the last hello
    this.gapAfter = null; // the cursor at which a gap was seen
    this.heartbeatMs = options.heartbeatS * 1000;
    this.nudge = this.nudge.bind(this);
  }

  start() {
    addEventListener("online", this.nudge);
    document.addEventListener("visibilitychange", this.nudge);
    this.connect();
  }

  stop(state = "stopped", detail) {
    removeEventListener("online", this.nudge);
    document.removeEventListener("visibilitychange", this.nudge);
    this.close();
    this.options.onState(state, detail);
  }

  async connect() {
    this.close();
    this.options.onState("connecting");
    if (this.lastId === null && !(await this.resync())) return;
    const url = `${this.options.eventsUrl}?cursor=${encodeURIComponent(this.lastId)}`;
    const source = this.options.open(url);
    this.source = source;
    this.listening = new Set();
    this.counts.connects += 1;
    this.listen("hello", (message) => this.greet(JSON.parse(message.data)));
    this.listen("heartbeat", () => {});
    this.listen("reset", () => {
      this.counts.resets += 1;
      this.lastId = null;
      this.fail(); // with the delay: a server that keeps saying "reset" must not be asked in a tight loop
    });
    this.listen("drain", (message) => this.wait(JSON.parse(message.data).retry_ms)); // the server spread us out itself
    source.onerror = () => {
      if (source === this.source) this.fail();
    };
    this.watch();
  }

  // Fetch where things stand; the stream goes on from there. False = another attempt is on its way.
  async resync() {
    const attempt = (this.attempt = {}); // a newer attempt makes this one void
    try {
      const response = await fetch(this.options.snapshotUrl, {
        headers: this.options.headers,
        credentials: "include",
        signal: AbortSignal.timeout(2.5 * this.heartbeatMs),
      });
      if (attempt !== this.attempt) return false;
      if (response.status === 401 || response.status === 403) {
        this.stop("refused", response.status);
        return false;
      }
      if (!response.ok) throw new Error(`the snapshot answered ${response.status}`);
      const snapshot = await response.json();
      if (attempt !== this.attempt) return false;
      this.lastId = snapshot.latest;
      this.options.onSnapshot(snapshot);
      return true;
    } catch {
      if (attempt === this.attempt) this.fail();
      return false;
    }
  }

  // Listen to one event name; every message of any name shows that the stream is alive.
  listen(name, handle) {
    if (this.listening.has(name)) return;
    this.listening.add(name);
    const source = this.source;
    source.addEventListener(name, (message) => {
      if (source !== this.source) return;
      this.watch();
      handle(message);
    });
  }

  greet(hello) {
    this.failures = 0;
    this.heartbeatMs = hello.heartbeat_s * 1000;
    this.watch();
    for (const type of hello.types) this.listen(type, (message) => this.receive(type, message));
    this.options.onState("open", hello);
  }

  receive(type, message) {
    const number = (id) => Number(id.slice(id.lastIndexOf("-") + 1));
    const missing = number(message.lastEventId) - number(this.lastId) - 1;
    if (missing < 0) {
      this.counts.repeated += 1;
      return;
    }
    if (missing > 0) {
      this.counts.missing += missing;
      // Once, ask the log for what is missing; if that does not help, start anew from a snapshot.
      // (A server that shows each viewer only some events must number them for each viewer.)
      if (this.gapAfter === this.lastId) this.lastId = null;
      else this.gapAfter = this.lastId;
      this.fail();
      return;
    }
    this.lastId = message.lastEventId;
    this.counts.events += 1;
    this.options.onEvent({ id: message.lastEventId, type, ...JSON.parse(message.data) });
  }

  // Nothing for two and a half heartbeats: the connection is dead, whatever the browser thinks of it.
  watch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fail(), 2.5 * this.heartbeatMs);
  }

  fail() {
    const longest = Math.min(this.options.retryMaxMs, this.options.retryMs * 2 ** this.failures);
    this.failures += 1;
    this.wait(longest * (0.5 + Math.random() / 2));
  }

  wait(ms) {
    this.close();
    this.waiting = true;
    this.timer = setTimeout(() => this.connect(), ms);
    this.options.onState("waiting", ms);
  }

  // The network or the page is back: do not sit out the delay.
  nudge() {
    if (this.waiting && document.visibilityState === "visible") this.connect();
  }

  close() {
    clearTimeout(this.timer);
    this.waiting = false;
    this.attempt = null;
    this.source?.close();
    this.source = null;
  }
}
