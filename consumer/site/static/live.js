// A form with data-live="id" shows its answer in the element of that id at each change, and keeps the address in step.
for (const form of document.querySelectorAll("form[data-live]")) {
  let waiting, asked = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      if (!form.checkValidity()) return;
      const mine = ++asked;
      const query = new URLSearchParams(new FormData(form));
      for (const [name, value] of [...query]) if (!value) query.delete(name, value);
      const address = `${form.getAttribute("action")}?${query}`;
      const answer = await fetch(address, { headers: { Accept: "text/html" } });
      if (!answer.ok || mine !== asked) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(form.dataset.live);
      document.getElementById(form.dataset.live).replaceChildren(...fresh.childNodes);
      history.replaceState(null, "", address);
    }, 150);
  });
}
