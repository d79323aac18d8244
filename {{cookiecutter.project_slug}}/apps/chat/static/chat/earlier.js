// Earlier messages, as the reader scrolls up. Without this the link leads to a page.
"use strict";

ChatRoom.part("earlier", (room) => {
  const log = room.find("log");
  const messages = room.find("messages");
  const link = room.find("earlier");

  async function load() {
    observer.unobserve(link);
    const response = await fetch(link.href).catch(() => null);
    if (!response?.ok) return; // the link is still there
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    put(page.querySelectorAll("#messages > li"));
    const next = page.getElementById("earlier");
    if (next) {
      link.setAttribute("href", next.getAttribute("href"));
      observer.observe(link);
    } else {
      link.remove();
    }
  }

  // What the reader looks at stays where it is, and screen readers stay silent.
  function put(earlier) {
    const fromBottom = log.scrollHeight - log.scrollTop;
    log.ariaLive = "off";
    messages.prepend(...earlier);
    new ResizeObserver((_, resized) => {
      log.scrollTop = log.scrollHeight - fromBottom;
      log.ariaLive = null;
      resized.disconnect();
    }).observe(messages);
  }

  const observer = new IntersectionObserver(
    ([entry]) => entry.isIntersecting && load(),
    { root: log, rootMargin: "300px" },
  );
  if (link) observer.observe(link);
});
