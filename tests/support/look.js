// Looks at a page whenever something changes in it, and reports each text that has a word
// outside of brackets. The words of templates, which scripts use, count as well.
"use strict";

const DATA = "script, style, code";
const SPOKEN = ["alt", "aria-label", "label", "placeholder", "title"];
// Names, addresses and units; and an application in the admin that is not translated.
const NO_WORDS = /\bWebSocket\b|django-ox|Ox \w+|\S+@\S+|\d+ ms\b/g;

class Look {
  depth = 0;

  // Brackets may be opened in one part of a text and closed in another.
  read(text) {
    let outside = "";
    for (const one of text) {
      if (one === "⟦") this.depth += 1;
      else if (one === "⟧") this.depth -= 1;
      else outside += this.depth > 0 ? " " : one;
    }
    if (/\p{Script=Latin}{2}/u.test(outside.replace(NO_WORDS, ""))) {
      report(location.pathname, text.trim());
    }
  }

  walk(root) {
    for (const node of root.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) this.read(node.data);
      if (node.nodeType !== Node.ELEMENT_NODE || node.matches(DATA)) continue;
      for (const name of SPOKEN) new Look().read(node.getAttribute(name) ?? "");
      if (node.matches("input[type=submit]")) new Look().read(node.value);
      if (node.matches("template")) this.walk(node.content);
      else if (node.matches("noscript")) this.walk(parsed(node.textContent));
      else this.walk(node);
    }
  }
}

function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

window.look = () => {
  new Look().read(document.title);
  if (document.body) new Look().walk(document.body);
};

new MutationObserver(look).observe(document, {
  attributes: true,
  characterData: true,
  childList: true,
  subtree: true,
});

// What style sheets write.
window.lookAtStyle = () => {
  for (const element of document.body?.querySelectorAll("*") ?? []) {
    for (const where of ["::before", "::after"]) {
      const { content } = getComputedStyle(element, where);
      if (content.startsWith('"')) new Look().read(content);
    }
  }
};

// The sockets of the page, for frames that it would not send.
window.sockets = [];
const Original = window.WebSocket;
window.WebSocket = class extends Original {
  constructor(...args) {
    super(...args);
    sockets.push(this);
  }
};
