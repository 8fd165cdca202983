// One WebSocket, for whoever asks in turn: used in the page of a browser and, with `ws`, in Node.
class Talk {
  constructor(WebSocket) {
    this.WebSocket = WebSocket;
  }

  // Resolves to what went wrong, or to null when the connection is open.
  open(url) {
    const heard = (this.heard = []);
    const hear = (event) => {
      heard.push(event);
      this.waiting?.();
    };
    this.socket = new this.WebSocket(url);
    return new Promise((resolve) => {
      this.socket.onopen = () => resolve(null);
      this.socket.onerror = (event) => resolve(event.message ?? '');
      this.socket.onmessage = (event) => hear({ text: event.data });
      this.socket.onclose = (event) => hear({ code: event.code, reason: event.reason });
    });
  }

  send(...texts) {
    for (const text of texts) this.socket.send(text);
  }

  // The next message, or how it ended.
  async receive() {
    while (!this.heard.length) await new Promise((resolve) => (this.waiting = resolve));
    return this.heard.shift();
  }

  close(code, reason) {
    this.socket.close(code, reason);
  }
}

if (typeof module !== 'undefined') module.exports = Talk;
