// A WebSocket that detects dead connections, reconnects by itself, and closes when its element
// leaves the document.
//
//   const socket = new LiveSocket("/ws/ticker/", { element });
//   socket.addEventListener("message", ({ data }) => …);
//   socket.addEventListener("state", () => …socket.state…);
//   socket.send({ text: "Hello" });
//
// The address is a path or a URL, or a function that returns one for each attempt, so that a
// page can ask for what it missed (`?after=12`). `ticket` is an async function that fetches a
// ticket for each attempt, for clients without a cookie. For CSS, the state is in the element's
// data-state or, without an element, in <html data-socket-state>.
"use strict";

// A page that is swapped into the document may load this file again.
window.LiveSocket ??= class LiveSocket extends EventTarget {
  static #IDLE = 25000; // milliseconds of silence until the server is asked for a sign
  static #PATIENCE = 5000; // until a server that gives none counts as gone
  static #LONGEST = 8000; // between two attempts
  static #OFFLINE = 1000; // both, while the browser says that there is no network
  static #PONGS = ["<!-- pong -->", "[]"]; // answers to "ping", of Consumer and JsonConsumer
  static #ofElements = new WeakMap(); // a second socket of an element closes the first

  OPEN = WebSocket.OPEN; // with readyState, for what expects a WebSocket
  state = "connecting"; // until the first frame, then "online"; "offline"; "closed" for good
  code = 0; // that the last connection was closed with
  reason = ""; // why the server refuses connections, if it says so, or "policy"
  delay = 0; // milliseconds from the last loss to the next attempt

  #address;
  #element;
  #ticket;
  #socket = null;
  #timer = 0;
  #attempts = 0; // in vain, since the last frame
  #isHeard = false; // whether a frame came through this connection
  #askedAt = 0; // when a sign of life was asked for
  #lateness = 0; // how many signs came too late, since one was in time
  #hasBeenOnline = false;
  #life = new AbortController();

  constructor(address, { element = null, ticket = null } = {}) {
    super();
    this.#address = typeof address === "function" ? address : () => address;
    this.#element = element;
    this.#ticket = ticket;
    this.#listen();
    this.#say("connecting");
    this.#open();
  }

  get readyState() {
    return this.#socket?.readyState ?? WebSocket.CLOSED;
  }

  // Whether WebSockets seem to be blocked: none has opened yet, though there is a network.
  get isBlocked() {
    return !this.#hasBeenOnline && this.#attempts > 1 && navigator.onLine;
  }

  // Send an object as JSON, or a string unchanged. Returns whether it was sent.
  send(content) {
    if (this.state !== "online" || this.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(typeof content === "string" ? content : JSON.stringify(content));
    return true;
  }

  // Send a heartbeat. If no frame arrives in time, the connection is replaced.
  check() {
    if (this.readyState !== WebSocket.OPEN) return;
    this.#socket.send("ping");
    this.#askedAt = performance.now();
    this.#expectFrame();
  }

  close() {
    if (this.state !== "closed") this.#end(1000);
  }

  #listen() {
    const on = (target, name, act) =>
      target.addEventListener(name, act, { signal: this.#life.signal });
    const wake = () => (this.#socket ? this.check() : this.#open());
    on(document, "visibilitychange", () => document.hidden || wake());
    on(window, "online", wake);
    on(window, "offline", () => this.check());
    on(document, "securitypolicyviolation", (event) => this.#blame(event));
    on(window, "pagehide", () => this.#pause());
    on(window, "pageshow", ({ persisted }) => persisted && wake());
    if (this.#element) this.#followElement();
  }

  #followElement() {
    LiveSocket.#ofElements.get(this.#element)?.close();
    LiveSocket.#ofElements.set(this.#element, this);
    const observer = new MutationObserver(() => this.#element.isConnected || this.close());
    observer.observe(document, { childList: true, subtree: true });
    this.#life.signal.addEventListener("abort", () => observer.disconnect());
  }

  #open() {
    this.#drop();
    this.#isHeard = false;
    this.#socket = new WebSocket(this.#url("ws"));
    this.#socket.onopen = () => this.#greet(this.#socket);
    this.#socket.onmessage = ({ data }) => this.#hear(data);
    this.#socket.onclose = ({ code }) => this.#lose(code);
    this.#expectFrame();
  }

  async #greet(socket) {
    const ticket = await this.#ticket?.().catch(() => null); // null: it is away
    if (socket !== this.#socket || ticket === null) return;
    if (ticket !== undefined) socket.send(JSON.stringify({ ticket }));
    this.check();
  }

  // Through a tunnel or proxy, only the page's own address is sure to lead to the server.
  #url(scheme) {
    const url = new URL(this.#address(), location.href);
    url.protocol = url.protocol.replace(/^(http|ws)/, scheme);
    return url;
  }

  // The close event of a dead connection comes after a minute, so nothing waits for it.
  #drop() {
    clearTimeout(this.#timer);
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  // A server that all pages come back to at once is slow, and so are some links: the
  // patience grows.
  #expectFrame() {
    const patience = LiveSocket.#PATIENCE * Math.min(1 + this.#attempts + this.#lateness, 4);
    this.#after(navigator.onLine ? patience : LiveSocket.#OFFLINE, () => this.#giveUp());
  }

  #after(milliseconds, act) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, milliseconds);
  }

  #giveUp() {
    if (!this.#isHeard) return this.#lose(1006);
    this.#lateness += 1;
    this.#open(); // at once
    this.#say("offline");
  }

  // Only a frame proves that the server let this page in.
  #hear(data) {
    this.#isHeard = this.#hasBeenOnline = true;
    this.#attempts = 0;
    this.reason = "";
    this.#after(LiveSocket.#IDLE, () => this.check());
    if (this.state !== "online") this.#say("online");
    const isPong = LiveSocket.#PONGS.includes(data);
    if (!isPong) this.dispatchEvent(new MessageEvent("message", { data }));
    else if (performance.now() - this.#askedAt < LiveSocket.#PATIENCE) this.#lateness = 0;
  }

  #lose(code) {
    this.#drop();
    // The server does not want this page back: see channels_live.CloseCode.
    if (code === 1008 || code >= 4400) return this.#end(code);
    this.code = code;
    if (!this.#isHeard) this.#attempts += 1;
    // Jittered, so that not all pages come back in the same instant after a restart.
    const longest = navigator.onLine ? LiveSocket.#LONGEST : LiveSocket.#OFFLINE;
    this.delay = (0.5 + Math.random() / 2) * Math.min(1000 * 2 ** this.#attempts, longest);
    this.#after(this.delay, () => this.#open());
    this.#say("offline");
    if (this.#attempts === 2) this.#askWhy();
  }

  // Browsers do not tell pages why a handshake was refused, so the server does.
  async #askWhy() {
    const url = this.#url("http");
    if (url.origin !== location.origin || !navigator.onLine) return;
    const answer = await fetch(url, { headers: { "X-Socket-Origin": location.origin } })
      .then((response) => response.json())
      .catch(() => null); // it is away, or what answers is a proxy
    if (!answer?.reason || this.state !== "offline") return;
    this.reason = answer.reason;
    console.warn(`${url.pathname} refuses this page: ${this.reason}. See the log.`);
    this.#say("offline");
  }

  // The page's own Content-Security-Policy is in the way: no close event will come.
  #blame({ effectiveDirective, blockedURI }) {
    if (effectiveDirective !== "connect-src" || this.readyState === WebSocket.OPEN) return;
    if (new URL(blockedURI).host !== this.#url("ws").host) return;
    this.reason = "policy";
    this.#lose(1006);
  }

  // Browsers keep no page with an open connection for their back button. One that opens
  // just now is left to the browser, which would complain.
  #pause() {
    if (this.readyState === WebSocket.CONNECTING) return;
    this.#drop();
    this.#say("offline");
  }

  #end(code) {
    this.#life.abort();
    this.#drop();
    this.code = code;
    this.#say("closed");
    // The page shows what is no more. Not all pages load in the same instant.
    if (code === 4409) setTimeout(() => location.reload(), 1000 + Math.random() * 1000);
  }

  #say(state) {
    this.state = state;
    if (this.#element) this.#element.dataset.state = state;
    else document.documentElement.dataset.socketState = state;
    this.dispatchEvent(new Event("state"));
  }
};
