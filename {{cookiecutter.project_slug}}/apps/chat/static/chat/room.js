// <chat-room>: a room, wherever it comes from: with its page, or swapped into another one.
// The other files in this folder are its parts; each is told of every room that appears.
"use strict";

// A page that is swapped into the document may load this file again.
window.ChatRoom ??= class ChatRoom extends HTMLElement {
  static #parts = new Map(); // name → what it does with a room

  static part(name, start) {
    if (this.#parts.has(name)) return;
    this.#parts.set(name, start);
    for (const room of document.querySelectorAll("chat-room")) start(room);
  }

  // Whether it goes on, unlike a page of earlier messages.
  get isLive() {
    return "socket" in this.dataset;
  }

  // While pages are swapped, there may be another room with the same ids.
  find(id) {
    return this.querySelector(`#${CSS.escape(id)}`);
  }

  connectedCallback() {
    for (const start of ChatRoom.#parts.values()) start(this);
  }
};
if (!customElements.get("chat-room")) customElements.define("chat-room", ChatRoom);
