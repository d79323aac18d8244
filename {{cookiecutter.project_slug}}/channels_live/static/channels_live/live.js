// Updates what the tags live and listen have put into the page. All of it goes through one
// LiveSocket, which is opened if the page has such an element.
//
// For CSS, the data-state of an element is "live" while it is updated, "offline" while the page
// is, and "gone" once the user may not see it.
"use strict";

// A page that is swapped into the document may load this file again.
if (!customElements.get("live-region")) {
  const ADDRESS = document.currentScript.dataset.liveSocket;
  const FRAME_SIZE = 12000; // characters; the server reads up to 16 KB
  const TOKEN = "channels-live-csrf-token"; // stands in regions for the visitor's own
  const STRAYS = "//comment()[.='live-region'][not(parent::live-region)]";

  const elements = new Set(); // of the document
  const untold = new Set(); // those that the server does not know of
  const left = new Set(); // the topics of those that went
  let socket = null;
  let isPlanned = false;

  class LiveElement extends HTMLElement {
    static observedAttributes = ["name", "topic", "digest"];
    #isFilling = false;

    // Something else has put another state, or another region, in the place of this one.
    attributeChangedCallback(attribute, before) {
      if (before !== null && this.isConnected && !this.#isFilling) this.ask();
    }

    connectedCallback() {
      this.hasReopened = false;
      this.dataset.state = "offline";
      elements.add(this);
      this.ask();
    }

    disconnectedCallback() {
      elements.delete(this);
      untold.delete(this);
      left.add(this.topic);
      plan();
    }

    ask() {
      if (this.topic) left.add(this.topic); // unless it is the same: see tell()
      this.name = this.getAttribute("name");
      this.topic = this.getAttribute("topic");
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
      this.fill([], "");
      this.dataset.state = "gone";
    }

    fill(nodes, digest) {
      this.#isFilling = true;
      this.replaceChildren(...nodes);
      this.setAttribute("digest", digest);
      this.#isFilling = false;
    }

    // Be empty for whoever looks at the page now.
    hide() {
      const before = [[...this.childNodes], this.getAttribute("digest") ?? ""];
      this.fill([], "");
      queueMicrotask(() => this.fill(...before));
    }
  }

  class LiveRegion extends LiveElement {
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
  }

  class LiveListener extends LiveElement {
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

  // Browsers move content that may not be where it is out of its region, and with it the
  // comment with which the tag ends it.
  function complain() {
    const found = document.evaluate(STRAYS, document, null, XPathResult.ANY_TYPE);
    const strays = [];
    for (let stray; (stray = found.iterateNext()); ) strays.push(stray);
    for (const stray of strays) {
      console.error("HTML allows no such region here, see docs/live.md:", stray.parentNode);
      stray.remove();
    }
  }

  // Elements that come and go together are told of together.
  function plan() {
    if (!isPlanned) setTimeout(tell);
    isPlanned = true;
  }

  function tell() {
    isPlanned = false;
    complain();
    if (!elements.size) return close();
    socket ??= open();
    if (socket.state !== "online") return;
    for (const { topic } of elements) left.delete(topic);
    const requests = [...left].map((topic) => ["unwatch", topic]);
    untold.forEach((element) => requests.push(element.request));
    left.clear();
    untold.clear();
    while (requests.length) socket.send(nextFrame(requests));
  }

  function nextFrame(requests) {
    const frame = {};
    for (let size = 0; requests.length && size < FRAME_SIZE; ) {
      const [part, item] = requests.shift();
      (frame[part] ??= []).push(item);
      size += JSON.stringify(item).length + 20;
    }
    return frame;
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
  }

  function askForAll() {
    elements.forEach((element) => element.ask());
  }

  function follow({ state, code }) {
    if (state === "online") return askForAll();
    elements.forEach((element) => element.lose());
    if (state !== "closed") return;
    socket = null;
    if (code < 4400) return; // this browser has sent too much
    elements.forEach((element) => element.conceal());
    setTimeout(askForAll, 1000); // the browser may have another login now
  }

  function act({ gone, reload, error, ...event }) {
    if (reload) loadAnew();
    if (error) console.error(error);
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

  // Not in a circle: the page may come from a process of the older release again.
  function loadAnew() {
    if (Date.now() - (sessionStorage.getItem("live-reloaded") ?? 0) < 10000) return;
    sessionStorage.setItem("live-reloaded", Date.now());
    location.reload();
  }

  // A page that is kept for the back button is not shown again as it was.
  addEventListener("pagehide", () => elements.forEach((element) => element.conceal()));

  // htmx keeps pages in the browser's storage, which outlives a logout.
  addEventListener("htmx:beforeHistorySave", () =>
    elements.forEach((element) => element.hide()),
  );

  customElements.define("live-region", LiveRegion);
  customElements.define("live-listen", LiveListener);
  plan();
}
