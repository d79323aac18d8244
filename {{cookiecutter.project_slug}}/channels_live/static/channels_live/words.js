// Texts of a page in its own language, for its scripts and for fragments, which are sent to
// pages in every language. words("NAME", { placeholder: … }) returns the text of
// <template id="words-NAME"> with its {placeholders} filled in. In a fragment, that text replaces
// the content of <page-words name="NAME" data-placeholder="…"></page-words>.
"use strict";

// Returns null if the page has no such template.
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
