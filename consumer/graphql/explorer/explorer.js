"use strict";

const EXAMPLES = {
  "/api/v1/graphql": `query Projects {
  oso_projectsV1(limit: 10) {
    projectName
    displayName
    codeMetricsByProjectV1 { starCount quality asOf }
  }
}`,
  "/v1/graphql": `query Projects {
  projects_v1(limit: 10, order_by: {project_name: asc}) {
    project_name
    display_name
    code_metrics_by_project_v1 { star_count quality as_of }
  }
}`,
};
const SCHEMA = `{ __schema { types { kind name description
  fields { name description args { name type { ...T } } type { ...T } }
  inputFields { name description type { ...T } }
  enumValues { name description } } } }
fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`;

const at = (id) => document.getElementById(id);
const schemas = {};

async function ask(endpoint, body) {
  const answer = await fetch(endpoint, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
  return answer.text();
}

// The hash holds the whole state, so that a link shows it again and Back goes through what was run.
function remember() {
  const state = new URLSearchParams({ endpoint: at("endpoint").value, query: at("query").value });
  if (at("variables").value.trim()) state.set("variables", at("variables").value);
  if (`#${state}` !== location.hash) history.pushState(null, "", `#${state}`);
}

function recall() {
  const state = new URLSearchParams(location.hash.slice(1));
  const endpoint = state.get("endpoint") in EXAMPLES ? state.get("endpoint") : "/api/v1/graphql";
  at("endpoint").value = endpoint;
  at("query").value = state.get("query") ?? EXAMPLES[endpoint];
  at("variables").value = state.get("variables") ?? "";
  showSchema();
}

async function run() {
  remember();
  let variables;
  try {
    variables = at("variables").value.trim() ? JSON.parse(at("variables").value) : undefined;
  } catch (error) {
    at("answer").textContent = `The variables are not JSON: ${error.message}`;
    return;
  }
  at("release").textContent = "Running …";
  try {
    const text = await ask(at("endpoint").value, { query: at("query").value, variables });
    const release = JSON.parse(text).extensions?.release;
    at("release").textContent = release ? `Release ${release.id}, published ${release.published_at}` : "";
    at("answer").textContent = indented(text);
  } catch (error) {
    at("release").textContent = "";
    at("answer").textContent = `No answer: ${error.message}`;
  }
}

// Indents the text itself: JSON.parse would round whole numbers above 2^53.
function indented(text) {
  let depth = 0;
  return text.replace(/"(?:[^"\\]|\\.)*"|\{\}|\[\]|[{}[\],:]/g, (part) => {
    if (part.length > 1) return part;
    const line = () => `\n${"  ".repeat(depth)}`;
    if (part === ":") return ": ";
    if (part === ",") return `,${line()}`;
    if (part === "{" || part === "[") { depth += 1; return part + line(); }
    depth -= 1;
    return line() + part;
  });
}

const written = (type) =>
  type.kind === "NON_NULL" ? `${written(type.ofType)}!` : type.kind === "LIST" ? `[${written(type.ofType)}]` : type.name;

function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

async function showSchema() {
  const endpoint = at("endpoint").value;
  schemas[endpoint] ??= ask(endpoint, { query: SCHEMA });
  try {
    const { types } = JSON.parse(await schemas[endpoint]).data.__schema;
    if (endpoint !== at("endpoint").value) return;
    const wanted = at("find").value.toLowerCase();
    const shown = types.filter((type) => !type.name.startsWith("__") && type.name.toLowerCase().includes(wanted));
    shown.sort((a, b) => (b.name === "Query") - (a.name === "Query"));
    at("schema").replaceChildren(...shown.slice(0, 200).map(entry));
  } catch (error) {
    delete schemas[endpoint];
    at("schema").textContent = `No schema: ${error.message}`;
  }
}

function entry(type) {
  const details = element("details", element("summary", type.name));
  details.addEventListener("toggle", () => {
    if (details.childElementCount > 1) return;
    const list = element("dl");
    for (const field of type.fields ?? type.inputFields ?? type.enumValues ?? []) {
      const args = field.args?.length ? `(${field.args.map((a) => `${a.name}: ${written(a.type)}`).join(", ")})` : "";
      list.append(element("dt", `${field.name}${args}${field.type ? `: ${written(field.type)}` : ""}`));
      list.append(element("dd", field.description ?? ""));
    }
    details.append(element("p", type.description ?? ""), list);
  });
  return details;
}

at("run").addEventListener("click", run);
at("find").addEventListener("input", showSchema);
at("endpoint").addEventListener("change", () => {
  if (Object.values(EXAMPLES).includes(at("query").value)) at("query").value = EXAMPLES[at("endpoint").value];
  showSchema();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
});
addEventListener("popstate", recall);
recall();
