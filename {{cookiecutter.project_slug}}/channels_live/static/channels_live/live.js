// Keeps what the tags live and listen have put into the page as the server has it. All of
// it goes through one LiveSocket, which is opened where there is something to keep.
//
// CSS can show how an element is: its data-state is "live" while it is kept, "offline" while
// the connection is away, and "gone" once it may not be seen.
"use strict";

// A page that is swapped into the document may load this file again.
if (!customElements.get("live-region")) {
  const ADDRESS = document.currentScript.dataset.url;
  const FRAME_SIZE = 12000; // characters; the server reads up to 16 KB
  const TOKEN = "channels-live-csrf-token"; // stands in regions for the visitor's own
  const RELOADED = "channels-live-reloaded";
  const PAUSE = 10000; // milliseconds, at least, from one loading anew to the next

  const elements = new Set(); // of the document
  const untold = new Set(); // those that the server does not know of
  const left = new Map(); // of those that went: the topic → how the server is told
  let socket = null;
  let isPlanned = false;

  class LiveElement extends HTMLElement {
    connectedCallback() {
      this.hasReopened = false;
      this.dataset.state = "offline";
      elements.add(this);
      this.ask();
    }

    disconnectedCallback() {
      elements.delete(this);
      untold.delete(this);
      left.set(this.topic, this.farewell);
      plan();
    }

    get name() {
      return this.getAttribute("name");
    }

    get topic() {
      return this.getAttribute("topic");
    }

    ask() {
      untold.add(this);
      plan();
    }

    confirm() {
      this.hidden = false;
      this.dataset.state = "live";
    }

    lose() {
      if (this.dataset.state === "live") this.dataset.state = "offline";
    }

    // Show nothing until the server has confirmed it.
    conceal() {
      this.hidden = true;
      this.lose();
    }

    leave() {
      this.replaceChildren();
      this.dataset.state = "gone";
    }
  }

  class LiveRegion extends LiveElement {
    static observedAttributes = ["name", "digest"];
    farewell = "unwatch";
    #isShowing = false;

    // Something else has put another state in the place of this one.
    attributeChangedCallback(attribute, before) {
      if (before !== null && this.isConnected && !this.#isShowing) this.ask();
    }

    get request() {
      return ["watch", [this.name, this.getAttribute("digest")]];
    }

    take({ html, digest }) {
      if (html !== undefined) {
        this.fill([parse(html)], digest);
        for (const field of this.querySelectorAll("input[name=csrfmiddlewaretoken]")) {
          if (field.value === TOKEN) field.value = this.getAttribute("csrf");
        }
        window.htmx?.process(this);
      }
      this.confirm();
    }

    fill(nodes, digest) {
      this.#isShowing = true;
      this.replaceChildren(...nodes);
      this.setAttribute("digest", digest);
      this.#isShowing = false;
    }

    leave() {
      this.fill([], "");
      super.leave();
    }

    // Be empty for whoever looks at the page now.
    hide() {
      const [nodes, digest] = [[...this.childNodes], this.getAttribute("digest")];
      this.fill([], "");
      queueMicrotask(() => this.fill(nodes, digest));
    }
  }

  class LiveListener extends LiveElement {
    farewell = "unlisten";

    get request() {
      return ["listen", this.name];
    }

    take({ html }) {
      this.confirm();
      for (const node of [...parse(html ?? "").childNodes]) {
        const present = node.id && document.getElementById(node.id);
        if (present) present.replaceWith(node);
        else this.append(node);
        if (node.nodeType === Node.ELEMENT_NODE) window.htmx?.process(node);
      }
    }
  }

  function parse(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    return document.importNode(template.content, true);
  }

  // Elements that come and go together are told of together.
  function plan() {
    if (!isPlanned) setTimeout(tell);
    isPlanned = true;
  }

  function tell() {
    isPlanned = false;
    if (!elements.size) return close();
    socket ??= open();
    if (socket.state !== "online") return;
    for (const { topic } of elements) left.delete(topic);
    const requests = [...left].map(([topic, farewell]) => [farewell, topic]);
    requests.push(...[...untold].map((element) => element.request));
    left.clear();
    untold.clear();
    let frame = {};
    for (const [part, item] of requests) {
      if (JSON.stringify([frame, part, item]).length > FRAME_SIZE) {
        socket.send(frame);
        frame = {};
      }
      (frame[part] ??= []).push(item);
    }
    if (requests.length) socket.send(frame);
  }

  function open() {
    const opened = new LiveSocket(ADDRESS);
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

  function askForAll() {
    elements.forEach((element) => element.ask());
  }

  function follow({ state, code }) {
    if (state === "online") return askForAll();
    elements.forEach((element) => element.lose());
    if (state !== "closed") return;
    socket = null;
    if (code < 4400) return; // this browser has opened or sent too much
    elements.forEach((element) => element.conceal());
    setTimeout(askForAll, 1000); // the browser may have another login now
  }

  function act({ gone, reload, ...event }) {
    if (reload) loadAnew();
    const topic = event.topic ?? event.listen;
    for (const element of [...elements]) {
      if (element.topic === topic) element.take(event);
      if (element.topic === gone) element.leave();
      if (element.name === gone) refuse(element);
    }
  }

  // A name is for one login, and the page may have another one since the socket came.
  function refuse(element) {
    if (element.hasReopened) return element.leave();
    elements.forEach((each) => (each.hasReopened = true));
    close();
    askForAll();
  }

  function loadAnew() {
    if (Date.now() - (sessionStorage.getItem(RELOADED) ?? 0) < PAUSE) return;
    sessionStorage.setItem(RELOADED, Date.now());
    location.reload();
  }

  // A page that is kept for the back button is not shown again as it was.
  addEventListener("pagehide", () => elements.forEach((element) => element.conceal()));

  // htmx keeps pages in the browser's storage, which outlives a logout.
  addEventListener("htmx:beforeHistorySave", () =>
    document.querySelectorAll("live-region").forEach((region) => region.hide()),
  );

  customElements.define("live-region", LiveRegion);
  customElements.define("live-listen", LiveListener);
}
