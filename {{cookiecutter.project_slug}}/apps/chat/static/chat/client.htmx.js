// The room's frames are htmx's: its extension "ws" puts each element where the element's
// `hx-swap-oob` says, in fragments.html. It opens its WebSocket here, and gets a LiveSocket.
"use strict";

ChatRoom.part("client", (room) => {
  if (!room.isLive) return;
  const path = room.dataset.socket;
  htmx.createWebSocket = (url) => (url.endsWith(path) ? room.connect() : new LiveSocket(url));
  // Not in the template: htmx may see a page that is swapped in before this script runs.
  room.setAttribute("ws-connect", path);
  htmx.process(room);
});
