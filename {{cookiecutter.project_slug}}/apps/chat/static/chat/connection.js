// The room's WebSocket: where it leads, how it is kept alive, when it comes back, and
// what the page says meanwhile. client.js connects it and places what it brings.
"use strict";

const connection = (() => {
  const IDLE = 25000; // milliseconds of silence until the server is asked for a sign
  const PATIENCE = 5000; // and until it counts as gone
  const PATIENCE_OFFLINE = 1000; // where the browser says that there is no network
  const composer = document.getElementById("composer");
  const status = document.getElementById("status");
  let socket = null;
  let isOnline = false;
  let hasBeenOnline = false;
  let attempt = 0;
  let timer = 0;

  // What the page says after a code that the server does not want us back after.
  const farewell = (code) => document.getElementById(`closed-${code}`);

  function say(state, sentence) {
    isOnline = state === "online";
    status.dataset.state = state;
    status.textContent = sentence;
    document.dispatchEvent(new Event(`chat:${state}`));
  }

  function sayOffline() {
    say("offline", words(navigator.onLine ? "reconnecting" : "offline"));
  }

  // Add the last message that the page shows, so that only later ones are sent.
  function address(base) {
    const shown = document.querySelectorAll("#messages > [data-number]");
    const last = Math.max(0, ...Array.from(shown, (one) => Number(one.dataset.number)));
    return `${base}?after=${last}`;
  }

  // A connection may die without a word: a lid is closed, a cable is pulled.
  function ask() {
    if (socket?.readyState !== WebSocket.OPEN) return;
    clearTimeout(timer);
    socket.send("ping");
    const giveUp = () => {
      sayOffline();
      socket.close();
    };
    timer = setTimeout(giveUp, navigator.onLine ? PATIENCE : PATIENCE_OFFLINE);
  }

  // Only a frame proves that the server let this page in.
  function heard() {
    clearTimeout(timer);
    timer = setTimeout(ask, IDLE);
    attempt = 0;
    hasBeenOnline = true;
    if (!isOnline) say("online", words("online"));
  }

  function closed({ code }) {
    clearTimeout(timer);
    if (!farewell(code)) {
      sayOffline();
      return;
    }
    say("closed", words("disconnected"));
    document.getElementById("farewell").append(farewell(code).content.cloneNode(true));
    composer.hidden = true;
  }

  document.addEventListener("visibilitychange", () => document.hidden || ask());
  window.addEventListener("online", ask);
  window.addEventListener("offline", ask);
  say("connecting", words("connecting"));

  return {
    open(base) {
      socket = new WebSocket(address(base));
      socket.addEventListener("open", ask);
      socket.addEventListener("message", heard);
      socket.addEventListener("close", closed);
      return socket;
    },
    isFinal: (code) => farewell(code) !== null,
    // Milliseconds until the next try: longer each time, and jittered, so that not
    // everyone is back in the same instant after a restart.
    delay() {
      const longest = navigator.onLine ? 8000 : 1000;
      return (0.5 + Math.random()) * Math.min(500 * 2 ** attempt++, longest);
    },
    // Whether WebSockets do not get through to this browser at all.
    isBlocked: () => !hasBeenOnline && attempt > 1,
    // Send an object. Returns whether there was a connection to send it through.
    send(content) {
      if (isOnline) socket.send(JSON.stringify(content));
      return isOnline;
    },
  };
})();
