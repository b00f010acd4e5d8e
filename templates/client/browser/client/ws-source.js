// EventSource's face over a WebSocket. It does not reconnect; stream.js does that.
// No browser sends an Authorization header with a socket: where the server wants one, a ticket is fetched with it first.
//
// Every event comes under the one name "event" with its type inside, so a type that is newer than this page still counts.

const TICKET_MS = 5000; // a request for a ticket that takes longer is dead

export class WsSource extends EventTarget {
  // ticket: {url, headers} of the request for one, if the server wants it.
  constructor(url, ticket) {
    super();
    if (ticket) this.fetchTicket(url, ticket);
    else this.open(url);
  }

  async fetchTicket(url, { url: from, headers }) {
    try {
      const response = await fetch(from, { method: "POST", headers, signal: AbortSignal.timeout(TICKET_MS) });
      if (!response.ok) throw new Error(`the request for a ticket answered ${response.status}`);
      const { ticket } = await response.json();
      const full = new URL(url);
      full.searchParams.set("ticket", ticket);
      if (!this.closed) this.open(full);
    } catch (error) {
      this.end(error);
    }
  }

  open(url) {
    try {
      this.socket = new WebSocket(url);
    } catch (error) {
      setTimeout(() => this.end(error)); // the page's policy forbids it; the caller has added its listeners by then
      return;
    }
    this.socket.onmessage = (message) => this.take(message.data);
    this.socket.onclose = (close) => this.end(close);
  }

  take(text) {
    const { type, ...rest } = JSON.parse(text);
    if (type === "event") this.tell("event", { type: rest.event, at: rest.at, data: rest.data }, rest.id);
    else if (type === "hello") this.tell("hello", { ...rest, types: ["event"] }, rest.id);
    else this.tell(type, rest); // heartbeat, reset, drain; sent and refused are for sender.js
  }

  tell(name, data, lastEventId = "") {
    if (!this.closed) this.dispatchEvent(new MessageEvent(name, { data, lastEventId }));
  }

  // False = not open, nothing was sent. True means only that it was sent: wait for "sent" or "refused".
  send(message) {
    if (this.closed || this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  end(reason) {
    if (this.closed) return;
    this.closed = true;
    this.dispatchEvent(new Event("end"));
    this.onerror?.(reason);
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    this.socket?.close();
    this.dispatchEvent(new Event("end"));
  }
}
