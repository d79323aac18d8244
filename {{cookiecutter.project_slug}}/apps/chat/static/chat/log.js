// The list of messages as its reader wants it: times in the reader's own zone, one's
// own messages marked, the view at the bottom unless the reader scrolled up.
"use strict";

{
  const room = document.getElementById("room");
  const log = document.getElementById("log");
  const messages = document.getElementById("messages");
  const newMessages = document.getElementById("new-messages");
  const atBottom = () => log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const seen = new WeakSet();
  let isFollowing = true;

  function dress(message) {
    message.classList.toggle("mine", message.dataset.author === room.dataset.user);
    const time = message.querySelector("time");
    if (time) {
      const date = new Date(time.dateTime);
      const isToday = date.toDateString() === new Date().toDateString();
      time.textContent = isToday
        ? date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })
        : date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
      time.title = date.toLocaleString();
    }
  }

  function toBottom() {
    log.scrollTop = log.scrollHeight;
    newMessages.hidden = true;
  }

  log.addEventListener("scroll", () => {
    isFollowing = atBottom();
    if (isFollowing) newMessages.hidden = true;
  });
  newMessages.addEventListener("click", toBottom);
  new ResizeObserver(() => isFollowing && toBottom()).observe(log);

  new MutationObserver((changes) => {
    const added = changes
      .flatMap((change) => [...change.addedNodes])
      .filter((node) => node.classList?.contains("message") && !seen.has(node));
    if (!added.length) return;
    added.forEach((message) => seen.add(message));
    added.forEach(dress);
    if (isFollowing || added.some((message) => message.classList.contains("mine"))) {
      toBottom();
    } else {
      newMessages.hidden = false;
    }
  }).observe(messages, { childList: true });

  messages.querySelectorAll(".message").forEach(dress);
  toBottom();
}
