// Comforts on top of pages that work without them: nothing here decides anything.
"use strict";
(() => {
  const on = (type, react) => document.addEventListener(type, react);
  const closest = (event, selector) => event.target instanceof Element && event.target.closest(selector);

  // <button command commandfor> for browsers that do not know it yet.
  const knowsCommands = "commandForElement" in HTMLButtonElement.prototype;
  on("click", (event) => {
    const button = closest(event, "[commandfor]");
    const dialog = button && document.getElementById(button.getAttribute("commandfor"));
    if (!dialog || knowsCommands) return;
    if (button.getAttribute("command") === "show-modal") dialog.open || dialog.showModal();
    else dialog.close();
  });
  on("click", (event) => event.target.matches?.("dialog") && event.target.close()); // the backdrop

  // An open menu closes with Escape or a click elsewhere.
  const closeMenus = (except) =>
    document.querySelectorAll("details.menu[open]").forEach((menu) => menu !== except && (menu.open = false));
  on("click", (event) => closeMenus(closest(event, "details.menu")));
  on("keydown", (event) => event.key === "Escape" && closeMenus(null));

  on("click", (event) => {
    const button = closest(event, "[data-reveal]");
    if (!button) return;
    const input = document.getElementById(button.dataset.reveal);
    const isShown = input.type === "password";
    input.type = isShown ? "text" : "password";
    button.setAttribute("aria-pressed", isShown);
  });

  // Rows of fields: a new one gets the number after the highest, so that no name is used twice.
  on("click", (event) => {
    const button = closest(event, "[data-add-row]");
    if (!button) return;
    const rows = button.closest("[data-rows]");
    const template = rows.querySelector(":scope > template");
    const numbers = [...rows.querySelectorAll("[data-row] [name]")].map((f) => Number(f.name.split("-")[1]) + 1);
    template.insertAdjacentHTML("beforebegin", template.innerHTML.replaceAll("__n__", Math.max(0, ...numbers)));
    const row = template.previousElementSibling;
    window.htmx?.process(row);
    row.querySelector("input, textarea, select").focus();
  });
  on("click", (event) => {
    const button = closest(event, "[data-remove-row]");
    if (!button) return;
    const row = button.closest("[data-row]");
    const rows = row.closest("[data-rows]");
    const neighbour = [row.nextElementSibling, row.previousElementSibling].find((r) => r?.matches("[data-row]"));
    row.remove();
    (neighbour || rows).querySelector("input, [data-add-row]")?.focus();
    rows.dispatchEvent(new Event("input", { bubbles: true })); // totals follow
  });

  // A form being sent looks busy and is not sent again; the page may come back from the browser's cache.
  let isDirty = false;
  on("input", (event) => (isDirty ||= Boolean(closest(event, "[data-guard]"))));
  on("submit", (event) => {
    const form = event.target;
    if (form.getAttribute("method") !== "post") return;
    if (form.ariaBusy === "true") return event.preventDefault();
    isDirty = false;
    if (!event.defaultPrevented) form.ariaBusy = "true";
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[aria-busy]").forEach((form) => (form.ariaBusy = null)));
  addEventListener("beforeunload", (event) => isDirty && event.preventDefault());

  // Partial requests. A form that comes back with its errors (422) is shown; any other refusal becomes a toast.
  const words = document.getElementById("toasts").dataset; // in the page's language
  on("htmx:beforeSwap", ({ detail }) => {
    const { status, responseText } = detail.xhr;
    if (responseText.includes("<body class=\"public\" data-public>")) {
      detail.shouldSwap = false;
      location.reload(); // the session ended: this page asks for the sign-in and comes back
    } else if (status === 422 && !responseText.includes("data-problem")) {
      detail.shouldSwap = true;
      detail.isError = false;
    }
  });
  on("htmx:responseError", ({ detail }) => toast(messageOf(detail.xhr)));
  on("htmx:sendError", () => toast(words.lost));
  on("htmx:timeout", () => toast(words.late));
  on("click", (event) => closest(event, "[data-dismiss]")?.parentElement.remove());

  function messageOf(xhr) {
    const text = xhr.responseText;
    if (xhr.getResponseHeader("content-type")?.includes("json")) return JSON.parse(text).detail;
    const found = new DOMParser().parseFromString(text, "text/html").querySelector("[data-problem]");
    return found?.textContent || words.failed;
  }

  function toast(text) {
    const box = document.getElementById("toast").content.cloneNode(true);
    box.querySelector("p").textContent = text;
    const list = document.getElementById("toast-list");
    if (list.textContent.trim() !== text) list.replaceChildren(box);
  }
})();
