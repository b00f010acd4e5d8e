// EventSource's face over fetch, for servers that want an Authorization header: EventSource cannot send one.
// It does not connect again by itself; stream.js does that.

export class FetchSource extends EventTarget {
  constructor(url, headers) {
    super();
    this.abort = new AbortController();
    this.lastEventId = "";
    this.read(url, headers);
  }

  async read(url, headers) {
    try {
      const response = await fetch(url, { headers, cache: "no-store", signal: this.abort.signal });
      if (!response.ok) throw new Error(`the stream answered ${response.status}`);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) throw new Error("the stream ended");
        // An event ends with an empty line; a line ends with LF, CR LF or CR. A CR at the end may have its LF to come.
        const text = rest + value;
        const held = text.endsWith("\r") ? 1 : 0;
        const blocks = text.slice(0, text.length - held).replace(/\r\n?/g, "\n").split("\n\n");
        rest = blocks.pop() + text.slice(text.length - held);
        blocks.forEach((block) => this.dispatch(block));
      }
    } catch (error) {
      if (!this.abort.signal.aborted) this.onerror?.(error);
    }
  }

  dispatch(block) {
    let name = "message";
    const data = [];
    for (const line of block.split("\n")) {
      const [, field, value] = /^([^:]*)(?:: ?(.*))?$/.exec(line);
      if (field === "event") name = value;
      if (field === "data") data.push(value ?? "");
      if (field === "id" && !value?.includes("\0")) this.lastEventId = value ?? "";
    }
    if (data.length === 0 || this.abort.signal.aborted) return;
    this.dispatchEvent(new MessageEvent(name, { data: data.join("\n"), lastEventId: this.lastEventId }));
  }

  close() {
    this.abort.abort();
  }
}
