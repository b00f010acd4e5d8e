// EventSource's face over fetch, for servers that want an Authorization header: EventSource cannot send one.
// It does not reconnect; stream.js does that.

// The text of an event stream, in pieces that are cut anywhere, as the WHATWG HTML Standard reads it (section 9.2.6).
// Only CR, LF and CR LF end a line. Every other character is data: also those at which other programs break lines
// (U+0085, U+2028, U+2029, VT, FF), so no regular expression with "." or "$" looks at a line here.
export class EventStreamParser {
  // onEvent({type, data, lastEventId})
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.rest = ""; // of a line that has not ended
    this.afterReturn = false; // the last piece has ended with CR: an LF that comes next belongs to it
    this.lastEventId = "";
    this.clear();
  }

  clear() {
    this.type = "";
    this.data = [];
  }

  push(piece) {
    if (piece === "") return;
    const text = this.afterReturn && piece.startsWith("\n") ? piece.slice(1) : piece;
    this.afterReturn = piece.endsWith("\r");
    const lines = text.split(/\r\n|\n|\r/);
    lines[0] = this.rest + lines[0];
    this.rest = lines.pop();
    for (const line of lines) this.take(line);
  }

  take(line) {
    if (line === "") {
      const event = { type: this.type || "message", data: this.data.join("\n"), lastEventId: this.lastEventId };
      const any = this.data.length > 0;
      this.clear();
      if (any) this.onEvent(event);
      return;
    }
    const colon = line.indexOf(":"); // 0: a comment, which is a field without a name
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "event") this.type = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id" && !value.includes("\0")) this.lastEventId = value;
  }
}

export class FetchSource extends EventTarget {
  constructor(url, headers) {
    super();
    this.abort = new AbortController();
    this.parser = new EventStreamParser(({ type, ...event }) => {
      if (!this.abort.signal.aborted) this.dispatchEvent(new MessageEvent(type, event));
    });
    this.read(url, headers);
  }

  async read(url, headers) {
    try {
      const response = await fetch(url, { headers, cache: "no-store", signal: this.abort.signal });
      if (!response.ok) throw new Error(`the stream answered ${response.status}`);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader(); // takes a BOM at the start away
      for (;;) {
        const { done, value } = await reader.read();
        if (done) throw new Error("the stream ended"); // an event without its empty line is none
        this.parser.push(value);
      }
    } catch (error) {
      if (!this.abort.signal.aborted) this.onerror?.(error);
    }
  }

  close() {
    this.abort.abort();
  }
}
