// Follows links as scripts that swap pages do: a new <main>, and the new page's scripts.
"use strict";

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[href]");
  if (!link) return;
  event.preventDefault();
  const text = await (await fetch(link.href)).text();
  const page = new DOMParser().parseFromString(text, "text/html");
  history.pushState({}, "", link.href);
  document.querySelector("main").replaceWith(page.querySelector("main"));
  for (const { src } of page.querySelectorAll("body > script")) {
    const script = document.createElement("script");
    script.async = false;
    script.src = src;
    document.body.append(script);
  }
});
