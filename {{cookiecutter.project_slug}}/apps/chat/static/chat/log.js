// The view stays at the bottom unless the reader scrolled up; then it says what is new.
"use strict";

ChatRoom.part("log", (room) => {
  const log = room.find("log");
  const messages = room.find("messages");
  const newMessages = room.find("new-messages");
  const seen = new WeakSet();
  let isFollowing = true;
  let knownSize = "";

  const size = () => [log.clientWidth, log.clientHeight, log.scrollHeight].join();

  function toBottom() {
    isFollowing = true;
    log.scrollTop = log.scrollHeight;
    newMessages.hidden = true;
  }

  log.addEventListener("scroll", () => {
    if (size() !== knownSize) return; // the reader had no part in it
    isFollowing = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    if (isFollowing) newMessages.hidden = true;
  });
  newMessages.addEventListener("click", () => {
    toBottom();
    log.focus({ preventScroll: true }); // the button is gone, and the focus with it
  });

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

  const resized = new ResizeObserver(() => {
    if (isFollowing) toBottom();
    knownSize = size();
  });
  resized.observe(log);
  resized.observe(messages);
  toBottom();
});
