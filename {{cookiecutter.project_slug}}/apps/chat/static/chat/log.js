// The view stays at the bottom unless the reader scrolled up; then it says what is new.
"use strict";

{
  const log = document.getElementById("log");
  const messages = document.getElementById("messages");
  const newMessages = document.getElementById("new-messages");
  const seen = new WeakSet();
  let isFollowing = true;

  function toBottom() {
    log.scrollTop = log.scrollHeight;
    newMessages.hidden = true;
  }

  function follow() {
    if (isFollowing) toBottom();
  }

  log.addEventListener("scroll", () => {
    isFollowing = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    if (isFollowing) newMessages.hidden = true;
  });
  newMessages.addEventListener("click", toBottom);

  new MutationObserver((changes) => {
    const added = changes
      .filter((change) => !change.nextSibling) // what comes above is no news
      .flatMap((change) => [...change.addedNodes])
      .filter((node) => node.classList?.contains("message") && !seen.has(node));
    added.forEach((message) => seen.add(message));
    if (isFollowing || added.some((message) => message.classList.contains("pending"))) {
      toBottom();
    } else if (added.some((message) => !message.classList.contains("mine"))) {
      newMessages.hidden = false;
    }
  }).observe(messages, { childList: true });

  const resized = new ResizeObserver(follow);
  resized.observe(log);
  resized.observe(messages);
  toBottom();
}
