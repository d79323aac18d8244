// One's own messages on their way: shown at once as pending, sent one after the other,
// and sent again until the server has stored them. It stores a client_id only once.
"use strict";

const pending = (() => {
  const RETRY = 5000; // milliseconds
  const room = document.getElementById("room");
  const messages = document.getElementById("messages");
  const queue = new Map(); // client_id → {frame, element, isSettled}, the oldest first
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

  const onTheirWay = () => [...queue.values()].filter((one) => !one.isSettled);
  const find = (clientId) => queue.get(clientId.replaceAll("-", ""));

  // Send the oldest, again and again until it is stored.
  function sendNext() {
    clearTimeout(timer);
    const [next] = onTheirWay();
    if (next && connection.send(next.frame)) timer = setTimeout(sendNext, RETRY);
  }

  // No longer send a message; what it looks like from now on.
  function settle(entry, look) {
    entry.element.classList.replace("pending", look);
    if (entry.isSettled) return;
    entry.isSettled = true;
    sendNext();
  }

  function forget(clientId) {
    const entry = find(clientId);
    if (!entry) return;
    settle(entry, "stored");
    entry.element.remove();
    queue.delete(entry.frame.client_id);
  }

  function waitLonger(milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(sendNext, milliseconds);
  }

  // The room's copy takes the place of one's own; what waits stays below.
  new MutationObserver((changes) => {
    const arrived = changes
      .flatMap((change) => [...change.addedNodes])
      .filter((node) => node.dataset?.clientId);
    for (const message of arrived) forget(message.dataset.clientId);
    if (arrived.length) messages.append(...onTheirWay().map((one) => one.element));
  }).observe(messages, { childList: true });

  // The server says what became of one: stored, refused for a while, or for good.
  new MutationObserver((changes) => {
    for (const node of changes.flatMap((change) => [...change.addedNodes])) {
      const entry = find(node.dataset?.clientId ?? "");
      if (!entry) continue;
      if (node.id === "stored") settle(entry, "stored");
      else if (Number(node.dataset.retry)) waitLonger(Number(node.dataset.retry));
      else settle(entry, "failed");
    }
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
      if (onTheirWay().length > 1) return null;
      waitLonger(RETRY);
      return frame;
    },
  };
})();
