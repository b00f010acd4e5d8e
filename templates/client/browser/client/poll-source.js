// EventSource's face over repeated requests: long polling (the server holds each one) and short polling (at intervals).
// Long polling asks again at once: the server sets the pace, so that an answer in a busy room carries several events.
// It does not restart after a failure; stream.js does that.
//
// Every event comes under the one name "event" with its type inside, so a type that is newer than this page still counts.

const ANSWER_MS = 10000; // a request that takes this much longer than the server may hold it is dead
const HIDDEN = 4; // short polling is this much slower while the page is hidden
const page = globalThis.document; // a worker has none

// Answered without an event long before the time: the server drains.
const sentHome = ({ events, waitS, heldMs }) => events.length === 0 && heldMs < waitS * 500;

export class PollSource extends EventTarget {
  // url: with ?cursor=. holdS: how long the server may hold a request (long polling); 0 = short polling, every pollS
  // seconds unless the server's answer says otherwise. headers: for each request.
  constructor(url, { holdS = 0, pollS = 10, headers = {} }) {
    super();
    this.url = new URL(url);
    this.holdS = holdS;
    this.pollS = pollS;
    this.headers = headers;
    this.look = () => page.visibilityState === "visible" && this.holdS === 0 && this.wake?.();
    page?.addEventListener("visibilitychange", this.look);
    this.run();
  }

  async run() {
    try {
      let answer = await this.ask(0); // answered at once: it shows that polling works
      const cursor = this.url.searchParams.get("cursor") ?? answer.cursor;
      this.tell("hello", { types: ["event"], heartbeat_s: null }, cursor); // null: each request has its own deadline
      for (;;) {
        this.deliver(answer);
        if (sentHome(answer)) this.tell("drain", { retry_ms: answer.retry_ms ?? 1000 });
        if (this.closed) return;
        if (this.holdS === 0) await this.sleep(this.interval(answer));
        if (this.closed) return;
        answer = await this.ask(this.holdS);
      }
    } catch (error) {
      if (!this.closed) this.onerror?.(error);
    }
  }

  async ask(waitS) {
    const headers = { ...this.headers };
    const cursor = this.url.searchParams.get("cursor");
    if (waitS === 0 && cursor) headers["If-None-Match"] = `"${cursor}"`;
    this.url.searchParams.set("wait", waitS);
    this.abort = new AbortController();
    const abort = this.abort;
    const deadline = setTimeout(() => abort.abort(), waitS * 1000 + ANSWER_MS);
    const began = performance.now();
    try {
      const response = await fetch(this.url, { headers, cache: "no-store", credentials: "include", signal: abort.signal });
      const retryAfterS = Number(response.headers.get("Retry-After")) || undefined;
      const answer = { events: [], retryAfterS, ...(await this.bodyOf(response, retryAfterS)) };
      return { ...answer, waitS, heldMs: performance.now() - began };
    } finally {
      clearTimeout(deadline);
    }
  }

  async bodyOf(response, retryAfterS) {
    if (response.status === 304) return {};
    if (response.ok) return response.json();
    if (retryAfterS && [429, 503].includes(response.status)) {
      this.tell("drain", { retry_ms: retryAfterS * 1000 * (1 + Math.random()) }); // with jitter: all are told the same
    }
    throw new Error(`the poll answered ${response.status}`);
  }

  deliver({ cursor, reset, events }) {
    if (reset) this.tell("reset", reset);
    for (const { id, ...event } of events) this.tell("event", event, id);
    if (cursor) this.url.searchParams.set("cursor", cursor);
    this.tell("heartbeat", {});
  }

  // Short polling: the server says when to ask again; jitter keeps the clients apart.
  interval({ more, poll_s: pollS, retryAfterS }) {
    if (more) return 0; // the answer was full
    const rounded = retryAfterS === Math.ceil(this.pollS); // Retry-After has whole seconds only
    this.pollS = pollS ?? (rounded ? this.pollS : retryAfterS) ?? this.pollS;
    return this.pollS * 1000 * (page?.visibilityState === "hidden" ? HIDDEN : 1) * (0.8 + 0.4 * Math.random());
  }

  sleep(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  tell(name, data, lastEventId = "") {
    if (!this.closed) this.dispatchEvent(new MessageEvent(name, { data, lastEventId }));
  }

  close() {
    this.closed = true;
    page?.removeEventListener("visibilitychange", this.look);
    this.abort?.abort();
    this.wake?.();
  }
}
