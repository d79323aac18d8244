// The room's WebSocket, without a library.
"use strict";

{
  const room = document.getElementById("room");
  const composer = document.getElementById("composer");
  const field = composer.elements.message;

  // Each element of a frame says where it belongs: data-append-to, or its own id.
  function place(frame) {
    const template = document.createElement("template");
    template.innerHTML = frame;
    for (const element of [...template.content.children]) {
      if (element.dataset.appendTo) {
        document.getElementById(element.dataset.appendTo).append(...element.children);
      } else {
        document.getElementById(element.id)?.replaceWith(element);
      }
    }
  }

  function connect() {
    const socket = new WebSocket(connection.url(room.dataset.socketUrl));
    socket.onopen = () => connection.opened((frame) => socket.send(frame));
    socket.onmessage = (event) => {
      connection.heard();
      place(event.data);
    };
    socket.onclose = (event) => {
      if (connection.closed(event.code)) setTimeout(connect, connection.delay());
    };
  }

  composer.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!field.value.trim()) return;
    const frame = pending.add(field.value);
    if (frame) connection.send(frame);
    composer.reset();
  });

  connect();
}
