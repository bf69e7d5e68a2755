// Passkeys: asks the server, lets the browser answer, and sends the answer as the ordinary form it stands in.
"use strict";
(() => {
  const forms = document.querySelectorAll("form[data-passkey]");
  if (!window.PublicKeyCredential || !navigator.credentials) {
    document.querySelectorAll("[data-passkeys]").forEach((part) => (part.hidden = true));
    return;
  }

  const toBytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const withBytes = (list) => (list || []).map((one) => ({ ...one, id: toBytes(one.id) }));

  async function ask(address) {
    const sent = { method: "POST", headers: { "content-type": "application/json", accept: "application/json" }, body: "{}" };
    const answer = await fetch(address, sent);
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.detail);
    return said.publicKey;
  }

  async function credential(form) {
    const asked = await ask(form.dataset.passkey);
    asked.challenge = toBytes(asked.challenge);
    if (asked.user) {
      asked.user.id = toBytes(asked.user.id);
      asked.excludeCredentials = withBytes(asked.excludeCredentials);
      return navigator.credentials.create({ publicKey: asked });
    }
    asked.allowCredentials = withBytes(asked.allowCredentials);
    return navigator.credentials.get({ publicKey: asked });
  }

  function written(made) {
    const response = {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
      if (made.response[part]) response[part] = toText(made.response[part]);
    return JSON.stringify({ id: made.id, rawId: toText(made.rawId), type: made.type, response });
  }

  forms.forEach((form) =>
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (form.ariaBusy === "true") return;
      const trouble = form.querySelector("[data-trouble]");
      form.ariaBusy = "true";
      trouble.hidden = true;
      try {
        form.elements.credential.value = written(await credential(form));
        if (form.elements.trust) form.elements.trust.value = String(document.getElementById("f-trust").checked);
        form.submit();
      } catch (error) {
        const words = JSON.parse(trouble.dataset.words); // in the reader's language
        trouble.textContent = words[error.name] || error.message || words.other;
        trouble.hidden = false;
        form.ariaBusy = null;
      }
    })
  );
})();
