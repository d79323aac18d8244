// "Ada is typing": told at most every three seconds, and shown for five.
"use strict";

ChatRoom.part("typing", (room) => {
  if (!room.isLive) return;
  const TELL = 3000; // milliseconds
  const SHOW = 5000;
  const typing = room.find("typing");
  const messages = room.find("messages");
  const field = room.find("message");
  let told = 0;

  const of = (author) => typing.querySelectorAll(`[data-author="${CSS.escape(author)}"]`);

  field.addEventListener("input", () => {
    if (field.value && Date.now() - told > TELL && room.socket?.send({ typing: true })) {
      told = Date.now();
    }
  });
  field.form.addEventListener("reset", () => (told = 0));

  const added = (changes) =>
    changes.flatMap((change) => [...change.addedNodes]).filter((node) => node.dataset?.author);

  new MutationObserver((changes) => {
    for (const person of added(changes)) {
      const { author } = person.dataset;
      if (author === room.dataset.user) person.remove();
      for (const earlier of of(author)) if (earlier !== person) earlier.remove();
      setTimeout(() => person.remove(), SHOW);
    }
  }).observe(typing, { childList: true });

  new MutationObserver((changes) => {
    for (const message of added(changes)) {
      for (const person of of(message.dataset.author)) person.remove();
    }
  }).observe(messages, { childList: true });
});
