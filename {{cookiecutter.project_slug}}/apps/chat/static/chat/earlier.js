// Earlier messages, as the reader scrolls up. Without this the link leads to a page.
"use strict";

{
  const log = document.getElementById("log");
  const messages = document.getElementById("messages");

  async function load(link) {
    const response = await fetch(link.href);
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const height = log.scrollHeight;
    messages.prepend(...page.querySelectorAll("#messages > li"));
    log.scrollTop += log.scrollHeight - height;
    observer.disconnect();
    const next = page.getElementById("earlier");
    if (!next) {
      link.remove();
      return;
    }
    link.setAttribute("href", next.getAttribute("href"));
    observer.observe(link);
  }

  const observer = new IntersectionObserver(
    ([entry]) => entry.isIntersecting && load(entry.target),
    { root: log },
  );
  const link = document.getElementById("earlier");
  if (link) observer.observe(link);
}
