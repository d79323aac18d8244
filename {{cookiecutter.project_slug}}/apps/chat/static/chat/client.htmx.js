// The room's WebSocket is htmx's: `ws-connect` and `ws-send` in room.html. Here is what
// its extension leaves to the page: where to resume, and what to do while offline.
"use strict";

{
  const room = document.getElementById("room");
  const composer = document.getElementById("composer");
  const RECONNECTED_BY_HTMX = [1006, 1011, 1012, 1013];

  htmx.createWebSocket = (url) => new WebSocket(connection.url(url));
  htmx.config.wsReconnectDelay = connection.delay;

  room.addEventListener("htmx:wsOpen", ({ detail }) => {
    connection.opened((frame) => detail.socketWrapper.send(frame));
  });

  room.addEventListener("htmx:wsClose", ({ detail }) => {
    const { code } = detail.event;
    if (connection.closed(code) && !RECONNECTED_BY_HTMX.includes(code)) {
      setTimeout(detail.socketWrapper.reconnect, connection.delay());
    }
  });

  room.addEventListener("htmx:wsAfterMessage", connection.heard);

  composer.addEventListener("htmx:wsConfigSend", (event) => {
    const text = event.detail.parameters.message;
    const frame = text?.trim() ? pending.add(text) : null;
    composer.reset();
    // htmx would queue it while offline; pending.js does, and shows it.
    if (frame && connection.isOpen()) event.detail.messageBody = JSON.stringify(frame);
    else event.preventDefault();
  });
}
