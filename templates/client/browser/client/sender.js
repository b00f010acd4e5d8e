// Sends events to the server, one after the other, each until the server has answered: over the stream's WebSocket if
// one is open, else as POST /send. The key makes a repetition harmless: the server keeps one event for each key.

const ANSWER_MS = 5000;
const PACE_MS = 100; // between two events: the server takes ten a second of one viewer (rate.py)

export class Sender {
  // options:
  //   url, headers            of POST /send
  //   source()                the stream's source now; it is used if it can send
  //   retryMs, retryMaxMs     delay before the second try, and the longest; each has jitter
  //   onChange(item)          item: {key, type, data, state: "sending" | "sent" | "refused", tries, over, id, error}
  constructor(options) {
    this.options = options;
    this.queue = [];
  }

  send(type, data) {
    const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID() is missing on plain HTTP
    const key = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const item = { key, type, data, state: "sending", tries: 0 };
    this.queue.push(item);
    this.options.onChange(item);
    if (this.queue.length === 1) this.work();
    return item;
  }

  async work() {
    while (this.queue.length > 0) {
      const item = this.queue[0];
      const answer = await this.attempt(item);
      if (answer.id || answer.error) Object.assign(item, answer, { state: answer.id ? "sent" : "refused" });
      this.options.onChange(item);
      const ms = item.state === "sending" ? this.delay(item, answer) : PACE_MS;
      await new Promise((resolve) => setTimeout(resolve, ms));
      if (item.state !== "sending") this.queue.shift();
    }
  }

  // {id}, {error}, or neither: then the outcome is unknown, so it is sent again.
  attempt(item) {
    item.tries += 1;
    // The first try only: a server that ends the socket because of a message says why in its answer to the POST.
    if (item.tries === 1) {
      const source = this.options.source();
      if (source?.send?.({ type: "send", feature: item.type, data: item.data, key: item.key })) {
        item.over = "WebSocket";
        return this.answerOn(source, item.key);
      }
    }
    item.over = "POST";
    return this.post(item);
  }

  answerOn(source, key) {
    const end = new AbortController();
    return new Promise((resolve) => {
      const listen = (name, answer) =>
        source.addEventListener(name, (message) => answer(message.data), { signal: end.signal });
      listen("sent", (data) => data.key === key && resolve({ id: data.id }));
      listen("refused", (data) => data.key === key && resolve({ error: data.error }));
      listen("end", () => resolve({}));
      setTimeout(() => resolve({}), ANSWER_MS);
    }).finally(() => end.abort());
  }

  async post({ key, type, data }) {
    try {
      const response = await fetch(this.options.url, {
        method: "POST",
        headers: { ...this.options.headers, "Content-Type": "application/json", "Idempotency-Key": key },
        body: JSON.stringify({ type, data }),
        credentials: "include",
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const retryAfterS = Number(response.headers.get("Retry-After"));
      if (response.status === 429 || response.status >= 500) return { retryAfterS };
      const body = await response.json();
      return response.ok ? { id: body.id } : { error: body.error ?? `status ${response.status}` };
    } catch {
      return {}; // no network, no answer in time, or an answer that is not the server's
    }
  }

  delay(item, { retryAfterS = 0 }) {
    const longest = Math.min(this.options.retryMaxMs, this.options.retryMs * 2 ** (item.tries - 1));
    return Math.max(retryAfterS * 1000, longest / 2) + (Math.random() * longest) / 2;
  }
}
