// A client with `ws`: takes a command a line, answers with a line of JSON.
const { createInterface } = require('node:readline');
const WebSocket = require('ws');
const Talk = require('./talk.js');

class NodeTalk extends Talk {
  ping(data) {
    return new Promise((resolve) => {
      this.socket.once('pong', (pong) => resolve(pong.toString()));
      this.socket.ping(data);
    });
  }
}

const talk = new NodeTalk(WebSocket);
createInterface({ input: process.stdin }).on('line', async (line) => {
  const [command, ...parameters] = JSON.parse(line);
  console.log(JSON.stringify((await talk[command](...parameters)) ?? null));
});
