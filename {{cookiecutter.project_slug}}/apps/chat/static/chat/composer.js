// The message field: Enter sends, Shift+Enter breaks the line, and it grows with its text.
"use strict";

{
  const composer = document.getElementById("composer");
  const field = composer?.elements.message;

  function fit() {
    field.rows = Math.min(field.value.split("\n").length, 8);
  }

  field?.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      composer.requestSubmit();
    }
  });
  field?.addEventListener("input", fit);
  composer?.addEventListener("reset", () => setTimeout(fit));
}
