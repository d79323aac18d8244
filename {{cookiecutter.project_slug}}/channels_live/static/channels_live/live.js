// Keeps what the tags live and listen have put into the page as the server has it. All of
// it goes through one LiveSocket, which is opened where there is something to keep.
//
// CSS can show how a region is: <live-region data-state> is "live" while it is kept,
// "offline" while the connection is away, "gone" once it may not be seen.
"use strict";

// A page that is swapped into the document may load this file again.
if (!customElements.get("live-region")) {
  const URL_OF_SOCKET = document.currentScript.dataset.url;
  const FRAME_SIZE = 12000; // characters; the server reads no longer ones than 16 KB
  const TOKEN = "channels-live-csrf-token"; // stands in regions for the visitor's own
  const RELOADED = "channels-live-reloaded";
  const PAUSE = 10000; // milliseconds from one loading anew to the next, at least

  const elements = new Set(); // regions and listeners of the document
  const news = new Set(); // those of them that the server was not told of
  const left = new Set(); // what those have asked for that are gone: regions, listeners
  let socket = null;
  let isPlanned = false;

  class LiveElement extends HTMLElement {
    connectedCallback() {
      this.hasReopened = false;
      elements.add(this);
      this.ask();
    }

    disconnectedCallback() {
      elements.delete(this);
      news.delete(this);
      left.add(this.subject);
      plan();
    }

    ask() {
      news.add(this);
      plan();
    }

    get subject() {
      return `${this.localName} ${this.topic}`;
    }
  }

  class LiveRegion extends LiveElement {
    static observedAttributes = ["name", "digest"];

    #isOwnChange = false;

    connectedCallback() {
      this.dataset.state = "offline";
      super.connectedCallback();
    }

    // Something else has put another state in the place of this one.
    attributeChangedCallback(attribute, before) {
      if (before !== null && this.isConnected && !this.#isOwnChange) this.ask();
    }

    get topic() {
      return this.getAttribute("topic");
    }

    get digest() {
      return this.getAttribute("digest");
    }

    set digest(digest) {
      this.#isOwnChange = true;
      this.setAttribute("digest", digest);
      this.#isOwnChange = false;
    }

    show({ html, digest }) {
      if (html !== undefined) {
        this.innerHTML = html;
        for (const field of this.querySelectorAll("input[name=csrfmiddlewaretoken]")) {
          if (field.value === TOKEN) field.value = this.getAttribute("csrf");
        }
        this.digest = digest;
        window.htmx?.process(this);
      }
      this.hidden = false;
      this.dataset.state = "live";
      this.dispatchEvent(new Event("live:shown", { bubbles: true }));
    }

    leave() {
      this.replaceChildren();
      this.digest = "";
      this.dataset.state = "gone";
    }

    lose() {
      if (this.dataset.state === "live") this.dataset.state = "offline";
    }

    // Show nothing until the server has confirmed it.
    conceal() {
      this.hidden = true;
      this.lose();
    }
  }

  class LiveListener extends LiveElement {
    get topic() {
      return this.getAttribute("group");
    }

    add(html) {
      const template = document.createElement("template");
      template.innerHTML = html;
      const nodes = [...document.importNode(template.content, true).childNodes];
      for (const node of nodes) {
        const present = node.id && document.getElementById(node.id);
        if (present) present.replaceWith(node);
        else this.append(node);
        if (node.nodeType === Node.ELEMENT_NODE) window.htmx?.process(node);
      }
    }

    leave() {}
    lose() {}
    conceal() {}
  }

  // Elements that come and go together are told of together.
  function plan() {
    if (isPlanned) return;
    isPlanned = true;
    setTimeout(tell);
  }

  function tell() {
    isPlanned = false;
    if (!elements.size) return close();
    socket ??= open();
    if (socket.state !== "online") return;
    const present = new Set([...elements].map(({ subject }) => subject));
    const asked = [];
    for (const subject of left) {
      const [kind, topic] = subject.split(" ");
      const part = kind === "live-region" ? "unwatch" : "unlisten";
      if (!present.has(subject)) asked.push([part, topic]);
    }
    for (const element of news) {
      const name = element.getAttribute("name");
      if (element instanceof LiveRegion) asked.push(["watch", [name, element.digest]]);
      else asked.push(["listen", name]);
    }
    left.clear();
    news.clear();
    for (const frame of frames(asked)) socket.send(frame);
  }

  function* frames(asked) {
    let [frame, size] = [{}, 0];
    for (const [part, item] of asked) {
      const length = JSON.stringify(item).length + 20;
      if (size + length > FRAME_SIZE) {
        yield frame;
        [frame, size] = [{}, 0];
      }
      (frame[part] ??= []).push(item);
      size += length;
    }
    if (size) yield frame;
  }

  function open() {
    const opened = new LiveSocket(URL_OF_SOCKET);
    opened.addEventListener("message", ({ data }) => JSON.parse(data).forEach(act));
    opened.addEventListener("state", () => opened === socket && follow(opened));
    return opened;
  }

  function close() {
    const closed = socket;
    socket = null;
    closed?.close();
    left.clear();
  }

  // The page may have another login now, or none.
  function reopen() {
    close();
    elements.forEach((element) => element.ask());
  }

  function follow({ state, code }) {
    if (state === "online") return elements.forEach((element) => element.ask());
    elements.forEach((element) => element.lose());
    if (state !== "closed") return;
    socket = null;
    if (code < 4400) return; // this browser has sent, or opened, too much
    elements.forEach((element) => element.conceal());
    setTimeout(reopen, 1000);
  }

  function act({ topic, gone, listen, reload, ...event }) {
    if (reload) return loadAnew();
    for (const element of [...elements]) {
      const isRegion = element instanceof LiveRegion;
      if (isRegion && topic && element.topic === topic) element.show(event);
      if (!isRegion && listen && element.topic === listen) element.add(event.html);
      if (isRegion && gone && element.topic === gone) element.leave();
      if (gone && element.getAttribute("name") === gone) refuse(element);
    }
  }

  // A name is for one login: the page may have come after the socket.
  function refuse(element) {
    if (element.hasReopened) return element.leave();
    elements.forEach((each) => (each.hasReopened = true));
    reopen();
  }

  function loadAnew() {
    if (Date.now() - (sessionStorage.getItem(RELOADED) ?? 0) < PAUSE) return;
    sessionStorage.setItem(RELOADED, Date.now());
    location.reload();
  }

  // A page that is kept for the back button is not shown again as it was.
  addEventListener("pagehide", () => elements.forEach((element) => element.conceal()));

  // htmx keeps pages in the browser's storage, which outlives a logout.
  addEventListener("htmx:beforeHistorySave", () => {
    for (const region of document.querySelectorAll("live-region")) {
      const [nodes, digest] = [[...region.childNodes], region.digest];
      region.replaceChildren();
      region.digest = "";
      queueMicrotask(() => {
        region.replaceChildren(...nodes);
        region.digest = digest;
      });
    }
  });

  customElements.define("live-region", LiveRegion);
  customElements.define("live-listen", LiveListener);
}
