// Where the socket leads, when it comes back, and what the page says meanwhile. Which
// library moves the frames is client.js's matter; it calls opened() and closed().
"use strict";

const connection = (() => {
  const status = document.getElementById("status");
  // After these codes the server does not want to see this page's socket again.
  const FINAL = {
    1008: "You sent too much, or have this open too often. Reload to come back.",
    4401: "You are logged out. Log in again to go on.",
    4403: "You may not be in this room any more.",
    4404: "This room is no more.",
  };
  let sendFrame = null;
  let attempt = 0;

  function say(state, sentence) {
    status.dataset.state = state;
    status.textContent = sentence;
  }

  say("connecting", "Connecting …");

  return {
    // Add the last message that the page shows, so that only later ones are sent.
    url(base) {
      const shown = document.querySelectorAll("#messages > [data-number]");
      const last = Math.max(0, ...Array.from(shown, (one) => Number(one.dataset.number)));
      return `${base}?after=${last}`;
    },
    // Milliseconds until the next try: longer each time, and jittered, so that not
    // everyone is back in the same instant after a restart.
    delay: () => (0.5 + Math.random()) * Math.min(500 * 2 ** attempt++, 8000),
    isOpen: () => sendFrame !== null,
    // Send an object. Returns whether there was a connection to send it through.
    send(content) {
      if (!sendFrame) return false;
      sendFrame(JSON.stringify(content));
      return true;
    },
    opened(send) {
      sendFrame = send;
      say("online", "Online");
      document.dispatchEvent(new Event("chat:open"));
    },
    // The first frame proves that the server let this page in.
    heard() {
      attempt = 0;
    },
    // Returns whether to come back.
    closed(code) {
      sendFrame = null;
      document.dispatchEvent(new Event("chat:close"));
      if (code in FINAL) {
        say("closed", FINAL[code]);
        return false;
      }
      say("offline", navigator.onLine ? "Reconnecting …" : "You are offline.");
      return true;
    },
  };
})();
