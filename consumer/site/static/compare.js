// Names to choose from while a project is typed; without this the form takes what was typed.
const field = document.querySelector("input[name=add]");
const names = document.getElementById("names");
let asked = 0;
let timer;

field.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(suggest, 150, field.value.trim());
});

async function suggest(text) {
  const mine = ++asked;
  if (text.length < 2) return;
  const query = new URLSearchParams({ q: text, kind: "project", limit: 8 });
  const answer = await fetch(`/api/v1/search?${query}`).catch(() => null);
  if (mine !== asked || !answer?.ok) return;
  const found = (await answer.json()).data;
  names.replaceChildren(...found.map((row) => new Option(row.display_name, row.name)));
}
