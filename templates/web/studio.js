// Any choice shows at once; without scripts, the Reload button does the same.
const form = document.forms.choice;
form.addEventListener("change", ({ target }) => {
  if (target.name === "width") {
    // The style sheet has done it already; only the address of the page has to follow.
    history.replaceState(null, "", "?" + new URLSearchParams(new FormData(form)));
    return;
  }
  if (target.name === "list") {
    // Another list has other issues and other readers.
    for (const name of ["day", "subscriber"]) if (form[name]) form[name].disabled = true;
  }
  form.submit();
});
// Sources take their time: one click is enough.
form.addEventListener("submit", ({ submitter }) => {
  if (submitter?.name !== "token") return;
  // After the form has taken the button's value.
  setTimeout(() => {
    submitter.textContent = "Collecting…";
    submitter.disabled = true;
  });
});
