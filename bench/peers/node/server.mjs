// The usual `ws` broadcast: a WebSocket server and an HTTP endpoint that sends to every client.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const text = Buffer.concat(parts).toString();
    for (const client of sockets.clients) client.send(text);
    response.end('{"success":true}');
  });
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false, clientTracking: true });
sockets.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data) => socket.send(data.toString()));
});
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });
