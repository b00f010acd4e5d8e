// One resumable stream of events: connects, notices silence, connects again, and never shows an event twice.
//
// A bare EventSource is not enough: it closes for good when a proxy answers 502 during a deploy, it cannot see a
// connection that died without a word, and all clients come back at the same moment. So every failure ends the source
// here, and a new one is opened with the last id in the address, after a delay with jitter.
//
// A connection is good after two heartbeats, after a goodbye, or if it ends at the age at which a proxy on the path is
// known to end every connection. A greeting alone proves little: some proxies let a connection open and cut it a moment
// later. Delays grow until a connection is good.
//
// With several transports: one that does not greet in time although the server answers is blocked by the network, as is
// one whose connections are never good; the next transport takes over. The first is tried again later beside it, and
// the stream goes back to it when it is good.

const PROBE_MS = { worked: 5000, first: 30000, longest: 600000 }; // worked: a transport that has been good
const GOOD_BEATS = 2; // heartbeats
const CUTS = { never: 2, worked: 4 }; // connections in a row that greet and are not good: more is no accident
const NEAR = 0.1; // an end within this share of the known age is one of those
const REFUSED = "was refused";
const parsed = (message) => (typeof message.data === "string" ? JSON.parse(message.data) : message.data);

export class EventStream {
  // options:
  //   transports               [{name, title, url, open(url)}], tried in this order (transports.js)
  //   eventsUrl, open(url)     instead of transports: one SSE stream; any source with EventSource's interface will do
  //   snapshotUrl              where to start from; HEAD shows whether this viewer may (still) read
  //   healthUrl                to distinguish a server that is away from a transport that is blocked
  //   retryMs, retryMaxMs      delay before the first attempt, and the longest; each has jitter
  //   heartbeatS               the server's heartbeat until its hello says otherwise
  //   maxConnectionS           the age at which a proxy on the path ends every connection; 0 = none is known
  //   patienceMs               how long a transport may take to greet while there is another one to try
  //   onEvent({id, type, at, data})    each event once, in order
  //   onSnapshot({latest, events})     replaces everything that was shown: at the start, and after a gap
  //   onState(state, detail)   "connecting" | "open" | "waiting" (detail: ms) | "stopped" | "refused" (detail: status)
  //   onTransport(transport, notes)    the one in use; notes: why not the ones before it, one sentence each
  //   headers                  for the snapshot's request
  constructor(options) {
    const open = options.open ?? ((url) => new EventSource(url, { withCredentials: true }));
    const sse = { name: "sse", title: "SSE", url: options.eventsUrl, open };
    const defaults = { headers: {}, patienceMs: 2500, maxConnectionS: 0, transports: [sse], onTransport() {} };
    this.options = { ...defaults, ...options };
    this.counts = { events: 0, repeated: 0, missing: 0, resets: 0, connects: 0 };
    this.lastId = null; // the cursor: everything up to here was shown
    this.source = null;
    this.timer = null; // the next attempt, or the watchdog: never both
    this.failures = 0; // since the last good connection
    this.beats = 0; // heartbeats of this connection
    this.cuts = new Map(); // place of a transport -> connections in a row that have greeted and were not good
    this.unsure = false; // the last attempt was not greeted: perhaps the viewer may no longer read
    this.gapAfter = null; // the cursor at which a gap was seen
    this.place = 0; // of the transport in use
    this.worked = new Set(); // the places of transports that have been good
    this.doubted = null; // the place of a transport that has failed once although the server answered
    this.notes = []; // one for each transport before it
    this.probe = null;
    this.probeMs = PROBE_MS.first;
    this.nudge = this.nudge.bind(this);
  }

  get transport() {
    return this.options.transports[this.place];
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
    if ((this.lastId === null || this.unsure) && !(await this.resync())) return;
    const source = this.transport.open(`${this.transport.url}?cursor=${encodeURIComponent(this.lastId)}`);
    this.source = source;
    this.greeted = false;
    this.beats = 0;
    this.openedAt = performance.now();
    this.silenceMs = 2500 * this.options.heartbeatS; // two and a half heartbeats
    this.listening = new Set();
    this.counts.connects += 1;
    this.listen("hello", (message) => this.greet(parsed(message)));
    this.listen("heartbeat", () => {
      this.beats += 1;
      if (this.beats === GOOD_BEATS) this.isGood();
    });
    this.listen("reset", () => {
      this.counts.resets += 1;
      this.lastId = null;
      this.retry(); // with the delay: a server that keeps saying "reset" must not be asked in a tight loop
    });
    this.listen("drain", (message) => {
      if (this.greeted) this.isGood();
      this.wait(parsed(message).retry_ms); // the server spreads its clients out itself
    });
    source.onerror = () => {
      if (source === this.source) this.fail(REFUSED);
    };
    const patient = this.isLast ? this.silenceMs : this.options.patienceMs;
    this.watch(patient, `did not open within ${patient / 1000} s`);
  }

  // Fetch the snapshot; the stream continues from there. With a cursor, only ask whether the viewer may read: a page
  // cannot see that the status of a stream was 401. False = another attempt is planned, or none makes sense.
  async resync() {
    const attempt = (this.attempt = {}); // a newer attempt makes this one void
    const fresh = this.lastId === null;
    try {
      const response = await fetch(this.options.snapshotUrl, {
        method: fresh ? "GET" : "HEAD",
        headers: this.options.headers,
        credentials: "include",
        signal: AbortSignal.timeout(2500 * this.options.heartbeatS),
      });
      if (attempt !== this.attempt) return false;
      if (response.status === 401 || response.status === 403) {
        this.stop("refused", response.status);
        return false;
      }
      if (fresh ? !response.ok : response.status >= 500) throw new Error(`the snapshot answered ${response.status}`);
      if (!fresh) return true;
      const snapshot = await response.json();
      if (attempt !== this.attempt) return false;
      this.lastId = snapshot.latest;
      this.options.onSnapshot(snapshot);
      return true;
    } catch {
      if (attempt === this.attempt) this.retry();
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
      if (this.greeted) this.watch();
      handle(message);
    });
  }

  greet(hello) {
    this.unsure = false;
    this.greeted = true;
    this.silenceMs = 2500 * hello.heartbeat_s; // 0: the source has deadlines of its own
    this.watch();
    for (const type of hello.types) this.listen(type, (message) => this.receive(type, message));
    if (this.place > 0) this.probeLater();
    this.options.onTransport(this.transport, this.notes);
    this.options.onState("open", hello);
  }

  isGood() {
    this.failures = 0;
    this.doubted = null;
    this.cuts.delete(this.place);
    this.worked.add(this.place);
    if (this.place === 0) this.probeMs = PROBE_MS.worked;
  }

  // Whether this connection ends at the age at which every one does.
  get isOfAge() {
    const limitMs = this.options.maxConnectionS * 1000;
    return this.beats > 0 && Math.abs(performance.now() - this.openedAt - limitMs) <= NEAR * limitMs;
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
      // Once, ask the log for what is missing; if that does not help, restart from a snapshot.
      // (A server that shows each viewer only some events must number them for each viewer.)
      if (this.gapAfter === this.lastId) this.lastId = null;
      else this.gapAfter = this.lastId;
      this.retry();
      return;
    }
    this.lastId = message.lastEventId;
    this.counts.events += 1;
    this.options.onEvent({ id: message.lastEventId, type, ...parsed(message) });
  }

  // Nothing for so long: the connection is dead, even if the browser still shows it as open.
  watch(ms = this.silenceMs, why = "fell silent") {
    clearTimeout(this.timer);
    if (ms > 0) this.timer = setTimeout(() => this.fail(why), ms);
  }

  get isLast() {
    return this.place === this.options.transports.length - 1;
  }

  fail(why) {
    this.unsure ||= !this.greeted;
    const cuts = this.greeted ? this.countCut() : 0;
    const most = this.worked.has(this.place) ? CUTS.worked : CUTS.never;
    if (this.isLast || (this.greeted && cuts < most)) this.retry();
    else this.fallBack(this.greeted ? `was cut off ${cuts} times soon after it had opened` : why);
  }

  // A connection that has greeted ends; how many in a row were not good.
  countCut() {
    if (this.beats >= GOOD_BEATS || this.isOfAge) this.isGood();
    else this.cuts.set(this.place, (this.cuts.get(this.place) ?? 0) + 1);
    return this.cuts.get(this.place) ?? 0;
  }

  // The transport did not greet, or was cut off too often. If the server answers a plain request, the network blocks
  // the transport.
  async fallBack(why) {
    const { title } = this.transport;
    this.close();
    const attempt = (this.attempt = {});
    const answers = await fetch(this.options.healthUrl, { cache: "no-store", signal: AbortSignal.timeout(2500) })
      .then((response) => response.ok)
      .catch(() => false);
    if (attempt !== this.attempt) return;
    if (!answers) {
      this.retry();
      return;
    }
    // Once more: the server may have come up between the refusal and its answer, and one that worked may only be slow.
    if (!this.greeted && (why === REFUSED || this.worked.has(this.place)) && this.doubted !== this.place) {
      this.doubted = this.place;
      this.connect();
      return;
    }
    this.place += 1;
    this.notes = [...this.notes, `${title} ${why}; using ${this.transport.title}.`];
    this.connect();
  }

  retry() {
    const longest = Math.min(this.options.retryMaxMs, this.options.retryMs * 2 ** this.failures);
    // A first transport that was good once is where every new attempt starts.
    if (this.worked.has(0) || (this.isLast && this.failures > 0)) this.goTo(0);
    this.failures += 1;
    this.wait(longest * (0.5 + Math.random() / 2));
  }

  goTo(place) {
    this.place = place;
    this.notes = this.notes.slice(0, place);
  }

  // Later, see whether the first transport is good by now, while the present one goes on.
  probeLater() {
    clearTimeout(this.probeTimer);
    this.probeTimer = setTimeout(() => this.probeFirst(), this.probeMs * (0.5 + Math.random() / 2));
    this.probeMs = Math.min(PROBE_MS.longest, this.probeMs * 2);
  }

  probeFirst() {
    this.endProbe();
    const first = this.options.transports[0];
    const probe = (this.probe = first.open(first.url)); // no cursor: from now on, so nothing is repeated
    const end = (works) => {
      if (probe !== this.probe) return;
      this.endProbe();
      if (!works) this.probeLater();
      else {
        this.goTo(0);
        this.isGood();
        this.connect();
      }
    };
    const within = (ms) => {
      clearTimeout(this.probeTimer);
      if (ms > 0) this.probeTimer = setTimeout(() => end(false), ms);
    };
    let beats = 0;
    probe.addEventListener("hello", (message) => within(2500 * parsed(message).heartbeat_s)); // as after any greeting
    probe.addEventListener("heartbeat", () => {
      beats += 1;
      if (beats === GOOD_BEATS) end(true);
    });
    probe.onerror = () => end(false);
    within(this.options.patienceMs);
  }

  endProbe() {
    clearTimeout(this.probeTimer);
    this.probe?.close();
    this.probe = null;
  }

  wait(ms) {
    this.close();
    this.doubted = null; // that was another time
    this.waiting = true;
    this.timer = setTimeout(() => this.connect(), ms);
    this.options.onState("waiting", ms);
  }

  // The network or the page is back: do not wait for the end of the delay.
  nudge(event) {
    if (this.waiting && document.visibilityState === "visible") this.connect();
    else if (event.type === "online" && this.place > 0 && this.greeted) this.probeFirst(); // it may be another network
  }

  close() {
    clearTimeout(this.timer);
    this.endProbe();
    this.waiting = false;
    this.attempt = null;
    this.source?.close();
    this.source = null;
  }
}
