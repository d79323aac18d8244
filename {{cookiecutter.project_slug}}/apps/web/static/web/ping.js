// Measures WebSocket round trips on the home page and shows them.
"use strict";

// A page that is swapped into the document may load this file again.
window.LivePing ??= class LivePing extends HTMLElement {
  static #PERIOD = 1000; // ms from one echo to the next ping
  static #BARS = 60;
  static #TOP = 20; // the height of the graph in its own units
  static #TOP_TIME = 1000; // ms that reach it; the scale is logarithmic

  // In ms; Infinity where the connection was lost, 0 where nothing is known yet.
  #times = new Array(LivePing.#BARS).fill(0);
  #socket;
  #timer = 0;
  #sentAt = 0;

  connectedCallback() {
    this.#draw();
    const host = location.href.replace(/^http/, "ws"); // as the browser knows it
    this.querySelector("code").textContent = new URL(this.dataset.socket, host);
    this.#socket = new LiveSocket(this.dataset.socket, { element: this });
    this.#socket.addEventListener("state", () => this.#tell());
    this.#socket.addEventListener("message", () => this.#receive());
  }

  // Whatever the server hears, it says.
  #receive() {
    if (this.#sentAt) {
      const time = performance.now() - this.#sentAt;
      this.#record(time);
      this.#show("online", `${Math.ceil(time)} ms`);
    }
    this.#forget();
    this.#timer = setTimeout(() => document.hidden || this.#ping(), LivePing.#PERIOD);
  }

  #ping() {
    this.#sentAt = performance.now();
    this.#socket.check();
  }

  #forget() {
    clearTimeout(this.#timer);
    this.#sentAt = 0;
  }

  #tell() {
    const { state, delay, reason } = this.#socket;
    if (state !== "offline") return this.#show(state);
    this.#forget();
    this.#record(Infinity);
    const why = words(`refused-${reason.replaceAll(" ", "-")}`);
    this.#show("offline", why ?? words("next-try", { seconds: Math.ceil(delay / 1000) }));
  }

  #show(name, more = "") {
    const state = this.querySelector("#ping-state");
    // A live region: written only when it changes, or it would be read every second.
    const said = words(name);
    if (said !== null && state.textContent !== said) state.textContent = said;
    this.querySelector("#ping-detail").textContent = more && `, ${more}`;
  }

  #record(time) {
    this.#times.shift();
    this.#times.push(time);
    this.#draw();
    const measured = this.#times.filter((item) => item > 0 && item < Infinity);
    if (measured.length === 0) return;
    measured.sort((a, b) => a - b);
    const median = Math.ceil(measured[Math.floor(measured.length / 2)]);
    const slowest = Math.ceil(measured.at(-1));
    const summary = words("last-minute", { median, slowest });
    this.querySelector("#ping-summary").textContent = summary;
  }

  #draw() {
    this.querySelector("#ping-graph").replaceChildren(...this.#times.map(LivePing.#bar));
  }

  static #bar(time, index) {
    const part = Math.log1p(Math.min(time, LivePing.#TOP_TIME)) / Math.log1p(LivePing.#TOP_TIME);
    const height = Math.max(part * LivePing.#TOP, 0.5);
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    rect.setAttribute("x", index);
    rect.setAttribute("y", LivePing.#TOP - height);
    rect.setAttribute("width", 0.7);
    rect.setAttribute("height", height);
    if (time === 0) rect.classList.add("empty");
    if (time === Infinity) rect.classList.add("lost");
    return rect;
  }
};
if (!customElements.get("live-ping")) customElements.define("live-ping", LivePing);
