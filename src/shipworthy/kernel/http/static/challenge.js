// Lets a worker solve what the form's challenge asks while its person types; a form sent too soon waits for it.
"use strict";
(() => {
  document.querySelectorAll("[data-challenge]").forEach((part) => {
    const form = part.closest("form");
    const { challenge: text, bits, worker: address, done, waits } = part.dataset;
    const words = part.querySelector("[role=status]");
    const progress = part.querySelector("progress");
    let isWanted = false;
    part.hidden = false;
    const worker = new Worker(address);
    worker.onmessage = ({ data }) => {
      if (!data.solution) {
        // Each try may be the last: the bar shows how likely it was to be done by now, and never stands still.
        progress.value = 100 * (1 - Math.exp(-data.tried / 2 ** Number(bits)));
        return;
      }
      form.elements.proof.value = data.solution;
      progress.value = 100;
      part.dataset.solved = "";
      words.textContent = done;
      worker.terminate();
      if (isWanted) form.requestSubmit();
    };
    form.addEventListener("submit", (event) => {
      if (form.elements.proof.value) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      isWanted = true;
      words.textContent = waits;
    });
    worker.postMessage({ text, bits: Number(bits) });
  });
})();
