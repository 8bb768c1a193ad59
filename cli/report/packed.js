"use strict";
// A repository's numbers, unpacked when its page is opened.

/** Wait until the browser has read the whole file: the repositories stand at its end. */
const wholePage = new Promise((resolve) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", resolve, { once: true });
  else resolve();
});

/** Unpack what `packing.py` wrote: base64 of raw deflate of JSON. */
async function unpack(index) {
  await wholePage;
  const text = document.getElementById(`packed-${index}`).textContent;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).json();
}
