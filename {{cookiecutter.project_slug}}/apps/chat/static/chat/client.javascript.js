// The room's WebSocket, without a library.
"use strict";

{
  const room = document.getElementById("room");

  // Each element of a frame says where it belongs: data-append-to, or its own id.
  function place(frame) {
    const template = document.createElement("template");
    template.innerHTML = frame;
    for (const element of [...template.content.children]) {
      if (element.dataset.appendTo) {
        document.getElementById(element.dataset.appendTo).append(...element.children);
      } else if ("remove" in element.dataset) {
        document.getElementById(element.id)?.remove();
      } else {
        document.getElementById(element.id)?.replaceWith(element);
      }
    }
  }

  function connect() {
    const socket = connection.open(room.dataset.socketUrl);
    socket.onmessage = ({ data }) => place(data);
    socket.onclose = ({ code }) => {
      if (!connection.isFinal(code)) setTimeout(connect, connection.delay());
    };
  }

  connect();
}
