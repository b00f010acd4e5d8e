// EventSource's face over one connection that all tabs of this page share; shared-worker.js holds it.
//
// Over HTTP/1.1 a browser opens at most six connections to an origin, for all its tabs together. Each stream and each
// held poll keeps one, so with the seventh tab nothing loads any more, not even the page. HTTP/2 and WebSocket have no
// such limit and are not shared.
//
// Why a SharedWorker, and not a tab that leads the others (Web Locks to elect it, BroadcastChannel to pass events on):
// browsers speak HTTP/1.1 above all to plain http:// addresses, and there navigator.locks is missing (but for this
// machine's own); a SharedWorker is not. And no tab has to take over when another one is closed, crashes, sleeps or
// goes to the back/forward cache. A browser may still end the worker, and then each tab connects again from where it is.

const SILENT_MS = 2000; // a worker that has not answered by then is not waited for
const LOST_MS = 12000; // one that says nothing for so long, although it pings every 5 s, has ended
const FORMAT = 1; // of the messages between tab and worker: tabs of different versions of this page must not meet

// "" where the browser does not tell; the entry is that of the newest request to this address.
export function protocolOf(url) {
  return performance.getEntriesByName(url).at(-1)?.nextHopProtocol ?? "";
}

export class SharedSource extends EventTarget {
  // url: with ?cursor=. options:
  //   transport, config, headers   the worker opens this transport as transports.js says
  //   viewer                       the server's mark for who reads: tabs of different viewers never share
  //   quietS                       the longest time without a heartbeat where the transport's hello names none
  //   own(url)                     the source that this tab opens itself if the worker does not answer
  //   onTabs()                     `tabs` or `why` has changed
  constructor(url, options) {
    super();
    this.url = url;
    this.options = options;
    this.names = new Set();
    this.tabs = null; // how many share this connection
    this.why = ""; // why this tab has a connection of its own, as a sentence
    this.leave = () => this.end("the page goes away");
    // A page that is put aside must neither hold a connection nor fill with messages: it comes back from its cursor.
    addEventListener("pagehide", this.leave);
    document.addEventListener("freeze", this.leave);
    this.join();
  }

  join() {
    const { transport, config, headers, viewer } = this.options;
    if (viewer === undefined) this.alone("The server does not say which tabs may share.");
    else if (!globalThis.SharedWorker) this.alone("This browser has no SharedWorker.");
    else {
      const name = JSON.stringify([FORMAT, transport, new URL(this.url).pathname, viewer, config]);
      try {
        this.worker = new SharedWorker(new URL("shared-worker.js", import.meta.url), { type: "module", name });
      } catch {
        this.alone("The shared worker is not allowed here.");
        return;
      }
      const silent = () => this.alone("The shared worker does not start.");
      this.worker.onerror = silent;
      this.timer = setTimeout(silent, SILENT_MS);
      this.worker.port.onmessage = (message) => this.take(message.data);
      this.watch = setInterval(() => this.look(), LOST_MS / 4); // no event tells that a worker has ended
      this.worker.port.postMessage({ join: this.url, transport, config, headers });
    }
  }

  take({ name, data, lastEventId }) {
    if (this.closed || this.source) return;
    clearTimeout(this.timer);
    this.heardAt = performance.now();
    if (name === "ping") this.worker.port.postMessage({ awake: true });
    else if (name === "tabs") {
      this.tabs = data;
      this.options.onTabs();
    } else if (name === "error") this.end(data);
    else this.tell(name, name === "hello" ? this.watched(data) : data, lastEventId);
  }

  look() {
    if (performance.now() - this.heardAt > LOST_MS) this.end("the worker is silent");
  }

  // A transport with deadlines of its own keeps them in the worker; this tab has to notice that the worker has ended.
  watched(data) {
    return data?.heartbeat_s === null ? { ...data, heartbeat_s: this.options.quietS } : data;
  }

  // Without the worker: a connection of this tab's own.
  alone(why) {
    if (this.closed || this.source) return;
    this.release();
    this.why = why;
    this.options.onTabs();
    this.source = this.options.own(this.url);
    this.source.onerror = (error) => this.end(error);
    for (const name of this.names) this.relay(name);
  }

  relay(name) {
    this.source.addEventListener(name, ({ data, lastEventId }) => this.tell(name, data, lastEventId));
  }

  addEventListener(name, ...rest) {
    super.addEventListener(name, ...rest);
    if (this.names.has(name)) return;
    this.names.add(name);
    if (this.source) this.relay(name);
  }

  tell(name, data, lastEventId) {
    if (!this.closed) this.dispatchEvent(new MessageEvent(name, { data, lastEventId }));
  }

  end(reason) {
    if (this.closed) return;
    this.close();
    this.onerror?.(reason);
  }

  release() {
    clearTimeout(this.timer);
    clearInterval(this.watch);
    this.worker?.port.postMessage({ leave: true });
    this.worker?.port.close();
    this.worker = null;
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    removeEventListener("pagehide", this.leave);
    document.removeEventListener("freeze", this.leave);
    this.release();
    this.source?.close();
  }
}
