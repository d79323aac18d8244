// The same as ws.js, and each message is stored in PostgreSQL before it is published.
import pg from "pg";
import { createClient } from "redis";
import WebSocket, { WebSocketServer } from "ws";

const publisher = createClient({ url: process.env.REDIS_URL });
const subscriber = publisher.duplicate();
await Promise.all([publisher.connect(), subscriber.connect()]);

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
const rooms = new Map();

await subscriber.pSubscribe("/room-*", (message, room) => {
  for (const client of rooms.get(room) ?? []) {
    if (client.readyState === WebSocket.OPEN) client.send(message);
  }
});

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.env.PORT) });

server.on("connection", (socket, request) => {
  const room = request.url;
  if (!rooms.has(room)) rooms.set(room, new Set());
  rooms.get(room).add(socket);
  socket.on("error", console.error);
  socket.on("message", async (data) => {
    const text = data.toString();
    await pool.query("INSERT INTO message (room, text) VALUES ($1, $2)", [room, text]);
    await publisher.publish(room, text);
  });
  socket.on("close", () => rooms.get(room).delete(socket));
});
