// The words of a page in its own language, for its scripts and for fragments, which go to
// pages of every language. What <template id="words-NAME"> says, with its {placeholders}
// filled in, is words("NAME", { placeholder: … }), and comes into a fragment's
// <page-words name="NAME" data-placeholder="…"></page-words> in the place of what is there.
"use strict";

// Returns null where the page has no such words.
function words(name, values = {}) {
  const template = document.getElementById(`words-${name}`);
  if (!template) return null;
  return template.content.textContent.replace(/\{(\w+)\}/g, (all, key) => values[key] ?? all);
}

// A page that is swapped into the document may load this file again.
window.PageWords ??= class PageWords extends HTMLElement {
  connectedCallback() {
    const said = words(this.getAttribute("name"), this.dataset);
    // Screen readers take what is written anew for news.
    if (said !== null && said !== this.textContent) this.textContent = said;
  }
};
if (!customElements.get("page-words")) customElements.define("page-words", PageWords);
