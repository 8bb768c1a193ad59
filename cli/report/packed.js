"use strict";
// Unpacks a repository's numbers when a person opens its page.

/** Wait until the browser has read the complete file: the repositories are at its end. */
const pageIsRead = new Promise((resolve) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", resolve, { once: true });
  else resolve();
});

/** Unpack a repository that `packing.py` wrote as base64 of raw deflate of JSON. */
async function unpack(index) {
  await pageIsRead;
  const text = document.getElementById(`packed-${index}`).textContent;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).json();
}
