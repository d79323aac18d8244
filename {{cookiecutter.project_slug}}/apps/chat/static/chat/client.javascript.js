// The room's frames, without a library.
"use strict";

ChatRoom.part("client", (room) => {
  if (!room.isLive) return;

  // Each element of a frame says where it belongs: data-append-to, or its own id.
  function place(frame) {
    const template = document.createElement("template");
    template.innerHTML = frame;
    for (const element of [...template.content.children]) {
      if (element.dataset.appendTo) {
        room.find(element.dataset.appendTo).append(...element.children);
      } else if ("remove" in element.dataset) {
        room.find(element.id)?.remove();
      } else {
        room.find(element.id)?.replaceWith(element);
      }
    }
  }

  room.connect().addEventListener("message", ({ data }) => place(data));
});
