// What the page says of its WebSocket, and what it asks of it: what came after the last message
// that it shows, by number and id, and after the changes that it was loaded with. channels_live/socket.js keeps it alive; client.js places what it brings.
"use strict";

ChatRoom.part("connection", (room) => {
  if (!room.isLive) return;
  const status = room.find("status");

  function address() {
    const shown = [...room.querySelectorAll("#messages > [data-number]")];
    shown.sort((one, other) => one.dataset.number - other.dataset.number);
    const { number = 0, clientId = "" } = shown.at(-1)?.dataset ?? {};
    const after = Math.max(number, room.dataset.last);
    const query = new URLSearchParams({ after, shown: number, id: clientId });
    return `${room.dataset.socket}?${query}`;
  }

  function sentence({ state, reason }) {
    if (state === "closed") return words("disconnected");
    if (state !== "offline") return words(state);
    if (!navigator.onLine) return words("offline");
    return words(`refused-${reason.replaceAll(" ", "-")}`) ?? words("reconnecting");
  }

  function tell() {
    const said = sentence(room.socket);
    // Screen readers take what is written anew for news.
    if (status.textContent !== said) status.textContent = said;
    if (room.socket.state === "closed") sayFarewell(room.socket.code);
    room.dispatchEvent(new Event("chat:state"));
  }

  // What is said after a code that the server does not want the page back after.
  function sayFarewell(code) {
    const farewell = room.find(`closed-${code}`);
    if (!farewell) return;
    room.find("farewell").replaceChildren(farewell.content.cloneNode(true));
    room.find("composer").hidden = true;
  }

  room.connect = () => {
    room.socket = new LiveSocket(address, { element: status });
    room.socket.addEventListener("state", tell);
    tell();
    return room.socket;
  };
});
