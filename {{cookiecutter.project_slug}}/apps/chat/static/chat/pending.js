// One's own messages on their way: shown at once as pending, sent one after the other,
// and sent again until the server has stored them, even if the page is left in between.
// The server stores a client_id only once.
"use strict";

ChatRoom.part("pending", (room) => {
  if (!room.isLive) return;
  const RETRY = 5000; // milliseconds
  const messages = room.find("messages");
  const composer = room.find("composer");
  const template = room.find("pending-message");
  const error = () => room.find("error");
  const storageKey = `pending:${room.dataset.socket}:${room.dataset.user}`;
  const shown = new Map(); // client_id → {frame, element, isSettled}, the oldest first
  let timer = 0;

  const onTheirWay = () => [...shown.values()].filter((one) => !one.isSettled);
  const find = (clientId) => shown.get(clientId?.replaceAll("-", ""));

  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function show(frame) {
    const element = template.content.firstElementChild.cloneNode(true);
    element.querySelector(".text").textContent = frame.message;
    messages.append(element);
    shown.set(frame.client_id, { frame, element });
    store();
  }

  function store() {
    const frames = onTheirWay().map((one) => one.frame);
    sessionStorage.setItem(storageKey, JSON.stringify(frames));
  }

  function restore() {
    const frames = JSON.parse(sessionStorage.getItem(storageKey) ?? "[]");
    frames.forEach(show);
    for (const message of messages.children) forget(message.dataset.clientId);
    for (const one of onTheirWay()) if (one.frame.wasPosted) settle(one, "failed");
  }

  // Send the oldest, again and again until it is stored.
  function sendNext() {
    clearTimeout(timer);
    const [next] = onTheirWay();
    // What is restored may be stored already, before there is a socket.
    if (!next || !room.socket) return;
    if (room.socket.send(next.frame)) timer = setTimeout(sendNext, RETRY);
    else if (room.socket.isBlocked) sendAsForm(next.frame);
  }

  // Without WebSockets the page comes back with the message, or says what was wrong.
  function sendAsForm(frame) {
    frame.wasPosted = true;
    store();
    composer.elements.message.value = frame.message;
    composer.elements.client_id.value = frame.client_id;
    composer.submit();
  }

  // No longer send a message; what it looks like from now on.
  function settle(entry, look) {
    entry.element.classList.replace("pending", look);
    if (entry.isSettled) return;
    entry.isSettled = true;
    store();
    sendNext();
  }

  // The room's copy takes the place of one's own.
  function forget(clientId) {
    const entry = find(clientId);
    if (!entry) return;
    entry.element.remove();
    shown.delete(entry.frame.client_id);
    if (error().dataset.clientId === clientId) error().textContent = "";
    settle(entry, "stored");
  }

  new MutationObserver((changes) => {
    const arrived = changes
      .flatMap((change) => [...change.addedNodes])
      .filter((node) => node.dataset?.clientId);
    for (const message of arrived) forget(message.dataset.clientId);
    // What waits stays below.
    if (arrived.length) messages.append(...onTheirWay().map((one) => one.element));
  }).observe(messages, { childList: true });

  // The server says what became of one: stored, refused for a while, or for good.
  new MutationObserver((changes) => {
    for (const node of changes.flatMap((change) => [...change.addedNodes])) {
      const entry = find(node.dataset?.clientId);
      if (!entry) continue;
      if (node.id === "stored") {
        settle(entry, "stored");
      } else if (Number(node.dataset.retry)) {
        clearTimeout(timer);
        timer = setTimeout(sendNext, Number(node.dataset.retry));
      } else {
        settle(entry, "failed");
      }
    }
  }).observe(room, { childList: true });

  room.say = (text) => {
    const isAlone = onTheirWay().length === 0;
    show({ message: text, client_id: newId() });
    if (!isAlone) return;
    error().textContent = "";
    sendNext();
  };

  room.addEventListener("chat:state", sendNext);
  restore();
});
