// Keys and dragging for the tree of pages. Both press the buttons and send the forms that are there without this.
"use strict";
(() => {
  const tree = document.querySelector("[data-tree]");
  if (!tree) return;
  const WAYS = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "out", ArrowRight: "in" };
  const rowOf = (event) => event.target instanceof Element && event.target.closest("[data-page]");

  // A page that was moved has the focus again, so that the next key moves it on.
  const moved = location.hash.startsWith("#page-") && document.getElementById(location.hash.slice(1));
  moved && moved.focus({ focusVisible: true });

  tree.addEventListener("keydown", (event) => {
    const way = WAYS[event.key];
    const row = rowOf(event);
    if (!row || !way) return;
    if (event.altKey) {
      event.preventDefault(); // Alt and left is the browser's way back
      row.querySelector(`button[value="${way}"]:not(:disabled)`)?.click();
    } else if (event.target === row && (way === "up" || way === "down")) {
      event.preventDefault();
      (way === "up" ? row.previousElementSibling : row.nextElementSibling)?.focus();
    }
  });

  const form = document.getElementById("tree-drop");
  if (!form) return;
  let dragged = null;
  const PLACES = ["drop-before", "drop-below", "drop-behind"];
  const clear = () => tree.querySelectorAll("[data-page]").forEach((row) => row.classList.remove(...PLACES));

  // Where a row would go: before another one, below it, or behind it. Nothing goes below the home page.
  function placeAt(row, y) {
    const box = row.getBoundingClientRect();
    const part = (y - box.top) / box.height;
    if ("home" in row.dataset) return part < 0.5 ? "drop-before" : "drop-behind";
    return part < 0.3 ? "drop-before" : part > 0.7 ? "drop-behind" : "drop-below";
  }

  tree.addEventListener("dragstart", (event) => {
    dragged = rowOf(event);
    if (!dragged) return;
    dragged.classList.add("is-dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.page);
  });
  tree.addEventListener("dragend", () => {
    dragged?.classList.remove("is-dragged");
    dragged = null;
    clear();
  });
  tree.addEventListener("dragover", (event) => {
    const row = rowOf(event);
    if (!dragged || !row || row === dragged) return clear();
    event.preventDefault();
    clear();
    row.classList.add(placeAt(row, event.clientY));
  });
  tree.addEventListener("drop", (event) => {
    const row = rowOf(event);
    if (!dragged || !row || row === dragged) return;
    event.preventDefault();
    const place = placeAt(row, event.clientY);
    const { page, parent, behind } = row.dataset;
    form.action = `/pages/${dragged.dataset.page}/place`;
    form.elements.parent_id.value = place === "drop-below" ? page : parent;
    form.elements.before.value = place === "drop-before" ? page : place === "drop-behind" ? behind : "";
    form.requestSubmit();
  });
})();
