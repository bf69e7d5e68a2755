// The page editor without leaving the page. Everything here is also done by the form itself: the server saves, moves
// blocks and merges; this sends the same form, puts the answer in its place, and saves what is typed.
"use strict";
(() => {
  const SAVE_AFTER_MS = 2000;
  const TRY_AGAIN_MS = 5000;
  const FORM = "application/form+json"; // the form's own fields as JSON: a browser's form ends at 2,000 of them
  const byId = (id) => document.getElementById(id);

  let form = null;
  let words = {}; // what to say, in the reader's language
  let timer = 0;
  let isDirty = false;
  let saving = Promise.resolve();
  let isSending = false;
  let keys = 0;
  const past = []; // versions to go back to

  function begin() {
    form = byId("editor");
    if (!form?.matches("[data-autosave], [data-conflict]")) return void (form = null);
    words = JSON.parse(byId("save-state").dataset.words);
    isDirty = form.matches("[data-conflict]");
    form.addEventListener("input", changed);
    form.addEventListener("submit", submitted);
    form.addEventListener("keydown", pressed);
    showUndo();
  }

  function say(text, isBad = false) {
    const state = byId("save-state");
    if (!state) return;
    state.textContent = text;
    state.classList.toggle("is-bad", isBad);
  }

  function changed() {
    isDirty = true;
    say(words.unsaved);
    later(SAVE_AFTER_MS);
  }

  function later(ms) {
    clearTimeout(timer);
    if (form.dataset.autosave) timer = setTimeout(() => (saving = autosave()), ms);
  }

  function collect(more) {
    const fields = { blocks: [] };
    for (const [name, value] of new FormData(form)) {
      const [list, number, field] = name.split("-");
      if (name.startsWith("_")) continue;
      if (field === undefined) fields[name] = value;
      else (fields[list][number] ??= {})[field] = value;
    }
    fields.blocks = fields.blocks.filter(Boolean);
    return JSON.stringify({ ...fields, ...more });
  }

  async function autosave() {
    if (!isDirty || isSending || !form) return;
    const here = form;
    const path = here.elements.path.value;
    isDirty = false;
    say(words.saving);
    let answer;
    try {
      answer = await fetch(here.dataset.autosave, {
        method: "PUT",
        headers: { "content-type": FORM, accept: "text/html", "if-match": `"${here.elements.version.value}"` },
        body: collect(),
      });
    } catch {
      isDirty = true;
      say(words.away, true);
      return later(TRY_AGAIN_MS);
    }
    if (answer.status === 412) return void setTimeout(() => send({})); // somebody else saved: both go together
    const text = await answer.text();
    if (!answer.ok) {
      isDirty = true;
      return say(words.refused.replace("{why}", () => problemOf(text, answer.status)), true);
    }
    remember(answer.headers.get("etag").slice(1, -1));
    here.elements.path_seen.value = path;
    const side = parsed(text).getElementById("side");
    if (side) byId("side")?.replaceWith(side);
    const preview = byId("preview");
    if (preview) preview.src = preview.getAttribute("src"); // by the console again, for a token that is good
    say(isDirty ? words.unsaved : words.saved);
  }

  function remember(version) {
    const field = form.elements.version;
    if (field.value !== version) past.push(field.value);
    field.value = version;
    showUndo();
  }

  function showUndo() {
    const button = form?.querySelector("[data-undo]");
    if (button) button.hidden = !past.length;
  }

  async function send(more, action = form.action) {
    if (isSending) return;
    clearTimeout(timer);
    await saving;
    isSending = true;
    const before = { ids: ids(), focus: focused(), version: form.elements.version.value };
    form.ariaBusy = "true";
    form.inert = true; // what would be typed now would be lost with the form
    let answer, text;
    try {
      const key = `${form.elements._idempotency_key.value}-${++keys}`;
      const headers = { "content-type": FORM, accept: "text/html", "idempotency-key": key };
      answer = await fetch(action, { method: "POST", headers, body: collect(more) });
      text = await answer.text();
    } catch {
      say(words.unsent, true);
      return;
    } finally {
      isSending = false;
      form.ariaBusy = null;
      form.inert = false;
    }
    const page = parsed(text);
    const next = page.getElementById("editing");
    if (!next) return say(problemOf(text, answer.status), true);
    byId("editing").replaceWith(next);
    for (const part of [".page-header", ".breadcrumb", "#unpublish"]) {
      const [old, fresh] = [document.querySelector(part), page.querySelector(part)];
      if (old && fresh) old.replaceWith(fresh);
    }
    window.htmx?.process(next);
    begin();
    if (answer.ok) {
      isDirty = false;
      if (more.do?.startsWith("undo:")) showUndo();
      else if (form.elements.version.value !== before.version) past.push(before.version), showUndo();
    }
    look(more.do || "", before);
    const flash = page.querySelector("main > .notice p")?.textContent;
    say(answer.ok ? flash || told(more.do || "") : problemOf(text, answer.status, words.decide), !answer.ok);
  }

  const ids = () => [...document.querySelectorAll("[data-block]")].map((block) => block.dataset.block);
  const blockOf = (id) => document.querySelector(`[data-block="${CSS.escape(id)}"]`);
  const parsed = (text) => new DOMParser().parseFromString(text, "text/html");
  const problemOf = (text, status, other = words.failed.replace("{status}", status)) =>
    parsed(text).querySelector("[data-problem]")?.textContent || parsed(text).querySelector("#editing .notice p")?.textContent || other;

  function focused() {
    const field = document.activeElement;
    if (!form.contains(field)) return null;
    const block = field.closest("[data-block]")?.dataset.block;
    const name = (field.name || "").replace(/^blocks-\d+-/, "");
    const range = typeof field.selectionStart === "number" ? [field.selectionStart, field.selectionEnd] : null;
    return { block, name, value: field.tagName === "BUTTON" ? field.value : null, range };
  }

  // Where to go on: the new block, the neighbour of one that is gone, or where somebody was.
  function look(verb, before) {
    const now = ids();
    const fresh = now.find((id) => !before.ids.includes(id));
    const [what, id] = verb.split(":");
    const gone = before.ids.indexOf(id);
    if (fresh && ["add", "after", "copy"].includes(what)) return first(blockOf(fresh));
    if (what === "delete") return now.length ? blockOf(now[Math.min(gone, now.length - 1)]).focus() : first(byId("palette"));
    if (what === "row") return first([...blockOf(id).querySelectorAll(".block-row")].pop());
    if (what === "unrow") return blockOf(id).focus();
    const was = before.focus;
    if (!was) return;
    const place = (was.block && blockOf(was.block)) || form;
    const same = [...place.querySelectorAll("input, textarea, select, button")].find(
      (field) => (field.name || "").replace(/^blocks-\d+-/, "") === was.name && (was.value === null || field.value === was.value),
    );
    if (!same || same.disabled) return place.focus();
    same.focus();
    if (was.range && same.setSelectionRange) same.setSelectionRange(...was.range);
  }

  const first = (place) =>
    (place?.querySelector("input:not([type=hidden]), textarea, select") || place?.querySelector("button"))?.focus();

  function told(verb) {
    const [what, id] = verb.split(":");
    const place = id && blockOf(id)?.getAttribute("aria-label");
    return (["up", "down"].includes(what) ? place : words[what]) || words.saved;
  }

  function submitted(event) {
    const button = event.submitter;
    if (button?.value.startsWith("pick:")) return void ((isDirty = false), clearTimeout(timer)); // the form itself leads on
    event.preventDefault();
    if (button?.name === "do" && /^after:[^:]+$/.test(button.value)) {
      byId("insert").dataset.after = button.value;
      return byId("insert").showModal();
    }
    send(button?.name === "do" ? { do: button.value } : {}, button?.hasAttribute("formaction") ? button.formAction : form.action);
  }

  function pressed(event) {
    const block = event.target.closest("[data-block]");
    if (event.altKey && block && ["ArrowUp", "ArrowDown"].includes(event.key)) {
      event.preventDefault();
      const verb = event.key === "ArrowUp" ? "up" : "down";
      const button = block.querySelector(`[name=do][value="${verb}:${block.dataset.block}"]`);
      if (!button.disabled) send({ do: button.value });
    }
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      send({});
    }
  }

  document.addEventListener("click", (event) => {
    if (!form || !(event.target instanceof Element)) return;
    const type = event.target.closest("[data-insert]")?.dataset.insert;
    if (type) {
      byId("insert").close();
      send({ do: `${byId("insert").dataset.after}:${type}` });
    }
    if (event.target.closest("[data-undo]")) undo();
  });

  async function undo() {
    clearTimeout(timer);
    await saving;
    await (saving = autosave()); // what was typed last is what is taken back first
    if (past.length && !isDirty) await send({ do: `undo:${past.pop()}` });
  }

  addEventListener("beforeunload", (event) => form && isDirty && event.preventDefault());

  begin();
})();
