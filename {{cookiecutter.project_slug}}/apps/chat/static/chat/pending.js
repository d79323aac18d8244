// One's own messages on their way: shown at once as pending, sent one after the other,
// and sent again until the server has them. The server stores a client_id only once.
"use strict";

const pending = (() => {
  const RETRY = 5000; // milliseconds
  const room = document.getElementById("room");
  const messages = document.getElementById("messages");
  const queue = new Map(); // client_id → {frame, element}, the oldest first
  let timer = 0;

  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function show(text) {
    const element = document.createElement("li");
    element.className = "message pending";
    element.dataset.author = room.dataset.user;
    const header = document.createElement("header");
    const author = document.createElement("b");
    author.className = "author";
    author.textContent = room.dataset.userName;
    const body = document.createElement("div");
    body.className = "text";
    body.textContent = text;
    header.append(author);
    element.append(header, body);
    messages.append(element);
    return element;
  }

  // Send the oldest, again and again until it has arrived.
  function sendNext() {
    clearTimeout(timer);
    const [next] = queue.values();
    if (next && connection.send(next.frame)) timer = setTimeout(sendNext, RETRY);
  }

  function take(clientId) {
    const id = clientId.replaceAll("-", "");
    const entry = queue.get(id);
    if (queue.delete(id)) sendNext();
    return entry;
  }

  function waitLonger(milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(sendNext, milliseconds);
  }

  // The server's copy takes the place of the pending one; what waits stays below.
  new MutationObserver((changes) => {
    const arrived = changes
      .flatMap((change) => [...change.addedNodes])
      .filter((node) => node.dataset?.clientId);
    for (const message of arrived) take(message.dataset.clientId)?.element.remove();
    if (arrived.length) messages.append(...[...queue.values()].map((one) => one.element));
  }).observe(messages, { childList: true });

  // The server refused one: for a while, or for good.
  new MutationObserver(() => {
    const { clientId, retry } = document.getElementById("error").dataset;
    if (!clientId) return;
    if (Number(retry)) waitLonger(Number(retry));
    else take(clientId)?.element.classList.replace("pending", "failed");
  }).observe(room, { childList: true });

  document.addEventListener("chat:open", sendNext);
  document.addEventListener("chat:close", () => clearTimeout(timer));

  return {
    // Queue a text. Returns the frame if it is to be sent right now, else null.
    add(text) {
      const clientId = newId();
      const frame = { message: text, client_id: clientId };
      document.getElementById("error").textContent = "";
      queue.set(clientId, { frame, element: show(text) });
      if (queue.size > 1) return null;
      waitLonger(RETRY);
      return frame;
    },
  };
})();
