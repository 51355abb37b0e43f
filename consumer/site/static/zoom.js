// A closer look at a chart: the numbers of its table, drawn by uPlot, which is loaded when it is first asked for.
const own = document.currentScript.dataset;
const COLOURS = ["c-accent", "c-2", "c-3", "c-4", "c-5", "c-6", "c-7", "c-8"];
let loading;

function load() {
  loading ??= new Promise((done, failed) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = own.style;
    const script = document.createElement("script");
    script.src = own.script;
    script.onload = done;
    script.onerror = failed;
    document.head.append(style, script);
  });
  return loading;
}

function colour(name) {
  const probe = document.createElement("span");
  probe.className = name;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

// A cell is a number, partial or not, or null where nothing was measured.
function read(figure) {
  const table = figure.querySelector("table.series");
  const heads = [...table.tHead.rows[0].cells];
  const columns = heads.flatMap((head, place) => (place && head.classList.contains("number") ? [place] : []));
  const rows = [...table.tBodies[0].rows].reverse();
  const days = rows.map((row) => Date.parse(row.cells[0].textContent.trim()) / 1000);
  const series = columns.map((place) => ({
    label: heads[place].textContent.trim(),
    values: rows.map((row) => {
      const text = row.cells[place].textContent.replaceAll(",", "");
      return /\d/.test(text) ? Number.parseFloat(text) : null;
    }),
    partial: rows.map((row) => /partial/.test(row.cells[place].textContent + (columns.length === 1 ? row.textContent : ""))),
  }));
  return { days, series };
}

function draw(figure, box) {
  const { days, series } = read(figure);
  const data = [days];
  const lines = [{ label: "Day", value: (_, at) => (at === null ? "–" : new Date(at * 1000).toISOString().slice(0, 10)) }];
  series.forEach((one, place) => {
    const stroke = colour(COLOURS[place % COLOURS.length]);
    const near = (at, wanted) => one.partial[at] === wanted;
    data.push(one.values.map((value, at) => (near(at, false) ? value : null)));
    lines.push({ label: one.label, stroke, width: 2, value: (_, __, ___, at) => (at === null ? "–" : one.values[at] ?? "not measured") });
    data.push(one.values.map((value, at) => (near(at, true) || near(at - 1, true) || near(at + 1, true) ? value : null)));
    lines.push({ label: `${one.label}, partial`, stroke, width: 2, dash: [4, 4], value: (_, v) => (v === null ? "–" : v) });
  });
  const axis = { stroke: colour("c-muted"), grid: { stroke: colour("c-grid") }, ticks: { stroke: colour("c-grid") } };
  return new uPlot(
    {
      width: box.clientWidth,
      height: 320,
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      cursor: { drag: { x: true, y: false } },
      scales: { x: {}, y: { distr: figure.dataset.scale === "log" ? 3 : 1 } },
      axes: [axis, { ...axis, size: 70 }],
      series: lines,
    },
    data,
    box,
  );
}

function buttons(plot) {
  const days = plot.data[0];
  const whole = { min: days[0], max: days[days.length - 1] };
  const move = (change) => () => {
    const { min, max } = plot.scales.x;
    const [from, to] = change(min, max, max - min);
    if (to - from >= 2 * 86400) plot.setScale("x", { min: Math.max(from, whole.min), max: Math.min(to, whole.max) });
  };
  const row = document.createElement("p");
  row.className = "zoom";
  const made = [
    ["Zoom in", move((min, max, span) => [min + span / 4, max - span / 4])],
    ["Zoom out", move((min, max, span) => [min - span / 2, max + span / 2])],
    ["Earlier", move((min, max, span) => [Math.max(min - span / 2, whole.min), Math.max(max - span / 2, whole.min + span)])],
    ["Later", move((min, max, span) => [Math.min(min + span / 2, whole.max - span), Math.min(max + span / 2, whole.max)])],
    ["All of it", () => plot.setScale("x", whole)],
  ].map(([name, press]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", press);
    return button;
  });
  row.append(...made);
  return row;
}

for (const figure of document.querySelectorAll("figure.zoomable")) {
  const open = document.createElement("button");
  open.type = "button";
  open.className = "plain small";
  open.textContent = "Look closer";
  open.addEventListener("click", async () => {
    open.disabled = true;
    try {
      await load();
    } catch {
      open.textContent = "The closer look cannot be loaded now; press again";
      loading = undefined;
      open.disabled = false;
      return;
    }
    const box = document.createElement("div");
    open.replaceWith(box);
    const plot = draw(figure, box);
    box.prepend(buttons(plot));
    box.querySelector("button").focus();
    addEventListener("resize", () => plot.setSize({ width: box.clientWidth, height: 320 }));
  });
  figure.querySelector("figcaption").before(open);
}
