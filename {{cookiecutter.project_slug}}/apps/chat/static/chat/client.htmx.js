// The room's WebSocket is htmx's: `ws-connect` in room.html opens it, `hx-swap-oob` in
// fragments.html says where what it brings belongs. This is what its extension leaves to
// the page.
"use strict";

{
  const RECONNECTED_BY_HTMX = [1006, 1011, 1012, 1013];

  htmx.createWebSocket = connection.open;
  htmx.config.wsReconnectDelay = connection.delay;

  document.getElementById("room").addEventListener("htmx:wsClose", ({ detail }) => {
    const { code } = detail.event;
    if (!connection.isFinal(code) && !RECONNECTED_BY_HTMX.includes(code)) {
      setTimeout(detail.socketWrapper.reconnect, connection.delay());
    }
  });
}
