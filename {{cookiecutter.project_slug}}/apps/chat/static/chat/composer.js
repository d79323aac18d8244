// The message field: Enter sends, Shift+Enter breaks the line, and it grows with its text.
"use strict";

ChatRoom.part("composer", (room) => {
  if (!room.isLive) return;
  const composer = room.find("composer");
  const field = composer.elements.message;

  function fit() {
    // Held while the field is measured, or the messages above would move.
    composer.style.minBlockSize = `${composer.offsetHeight}px`;
    field.style.blockSize = "auto";
    field.style.blockSize = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
    composer.style.minBlockSize = "";
  }

  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      composer.requestSubmit();
    }
  });

  composer.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim()) room.say(field.value);
    composer.reset();
    field.focus();
  });

  field.addEventListener("input", fit);
  composer.addEventListener("reset", () => setTimeout(fit));
  fit();
});
