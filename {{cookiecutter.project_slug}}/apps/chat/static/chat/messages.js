// The messages as their reader wants them: times in the reader's own zone, a heading for
// each day, one's own marked, and what somebody says in one go kept together.
"use strict";

ChatRoom.part("messages", (room) => {
  const TOGETHER = 5 * 60000; // milliseconds
  const messages = room.find("messages");
  const isMessage = (node) => node?.classList?.contains("message");

  function sent(message) {
    const time = message.querySelector("time");
    return time ? new Date(time.dateTime) : new Date();
  }

  function nameOfDay(date) {
    const midnight = new Date().setHours(0, 0, 0, 0);
    const days = Math.round((new Date(date).setHours(0, 0, 0, 0) - midnight) / 86400000);
    if (days > -2) {
      return new Intl.RelativeTimeFormat([], { numeric: "auto" }).format(days, "day");
    }
    return date.toLocaleDateString([], { dateStyle: "full" });
  }

  function dress(message) {
    const { author } = message.dataset;
    message.classList.toggle("mine", author === room.dataset.user);
    const mix = (hue, letter) => (hue * 31 + letter.charCodeAt(0) * 137) % 360;
    message.style.setProperty("--hue", [...author].reduce(mix, 0));
    const time = message.querySelector("time");
    if (!time) return;
    const date = sent(message);
    time.textContent = date.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
    time.title = date.toLocaleString([], { dateStyle: "full", timeStyle: "medium" });
  }

  function relate(message) {
    const previous = message.previousElementSibling;
    const date = sent(message);
    const day = nameOfDay(date);
    const isNewDay = !isMessage(previous) || nameOfDay(sent(previous)) !== day;
    if (isNewDay) message.dataset.day = day;
    else delete message.dataset.day;
    const isTogether =
      !isNewDay &&
      previous.dataset.author === message.dataset.author &&
      date - sent(previous) < TOGETHER;
    message.classList.toggle("together", isTogether);
  }

  new MutationObserver((changes) => {
    const added = changes.flatMap((change) => [...change.addedNodes]).filter(isMessage);
    const next = changes.map((change) => change.nextSibling).filter(isMessage);
    added.forEach(dress);
    new Set([...added, ...next]).forEach(relate);
    room.find("nothing").hidden = messages.childElementCount > 0;
  }).observe(messages, { childList: true });

  for (const message of messages.querySelectorAll(".message")) {
    dress(message);
    relate(message);
  }
});
