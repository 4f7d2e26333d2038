// Solves the puzzle of the form before it is sent (ALTCHA, version 1). It asks nobody and keeps nothing.
const form = document.querySelector("form[data-puzzle]");
form.addEventListener("submit", async (event) => {
  const proof = form.elements.namedItem("altcha");
  if (proof.value || !crypto.subtle) return;
  event.preventDefault();
  const { algorithm, challenge, maxnumber, salt, signature } = JSON.parse(form.dataset.puzzle);
  const text = new TextEncoder();
  for (let number = 0; number <= maxnumber; number += 1) {
    const hash = new Uint8Array(await crypto.subtle.digest(algorithm, text.encode(salt + number)));
    if (Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("") === challenge) {
      proof.value = btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
      break;
    }
  }
  form.submit();
});
