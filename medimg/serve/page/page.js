"use strict";
// The page of `medimg serve --page`. It talks to its own server alone, and puts words in as text, never as HTML.

// The server puts a translation in the place of the words in every call of tr.
const tr = (words, fields = {}) => words.replace(/\{(\w+)\}/g, (_, name) => fields[name]);
const at = id => document.getElementById(id);
let stand = { step: "drop", photos: [] };
let files = [];         // the dropped photos, by number
let counting = false;   // the line says how far the checks are
let current = "";       // safe id of the photo in the frame
let mode = "";          // "draw" or "crop" while a box is drawn
let from = null, drew = false, drawnAct = "";

function say(words) { at("status").textContent = words; }
function trouble(words) { at("trouble").textContent = words; at("trouble").hidden = !words; }

async function ask(path, content, headers = {}) {
  const more = content === undefined ? {} : {
    method: "POST", body: content instanceof Blob ? content : JSON.stringify(content),
    headers: { "content-type": "application/octet-stream", ...headers },
  };
  const answer = await fetch(path, { credentials: "same-origin", cache: "no-store", ...more });
  if (answer.ok) return answer;
  let told = "";
  try { const said = await answer.json(); told = `${said.what} ${said.todo || ""}`; } catch { told = tr("it did not work."); }
  throw new Error(told.trim());
}

async function tell(path, content, words = tr("Working ...")) {
  trouble(""); say(words);
  document.body.setAttribute("aria-busy", "true");
  try { await ask(path, content === undefined ? {} : content); say(""); } catch (error) { say(""); trouble(error.message); }
  document.body.removeAttribute("aria-busy");
  await refresh();
}

function made(tag, text = "", more = {}) {
  const out = document.createElement(tag);
  out.textContent = text;
  for (const [key, value] of Object.entries(more)) {
    if (key.startsWith("on")) out.addEventListener(key.slice(2), value); else out.setAttribute(key, value);
  }
  return out;
}

// ---------------------------------------------------------------- drop

async function take(list) {
  trouble("");
  for (const file of list) {
    say(tr("Taking {n} ...", { n: files.length + 1 }));
    try {
      const number = await (await ask("photos", file, { "x-photo-name": encodeURIComponent(file.name) })).json();
      files[number] = file;
      at("dropped").append(small(file, file.name));
    } catch (error) { trouble(error.message); }
  }
  say(files.length ? tr("{n} photos.", { n: files.length }) : "");
  at("clean").disabled = !files.length;
}

// A dropped photo in small, with words under it; one that the browser cannot show has the words alone.
function small(file, words) {
  const row = made("li"), url = URL.createObjectURL(file), image = made("img", "", { alt: "" });
  const gone = () => URL.revokeObjectURL(url);
  image.addEventListener("load", gone);
  image.addEventListener("error", () => { gone(); image.remove(); });
  image.src = url;
  row.append(image, words);
  return row;
}

async function choices() {
  const known = await (await ask("choices")).json();
  for (const [key, words] of Object.entries(known.audiences)) at("audience").append(made("option", words, { value: key }));
  at("audience").value = known.audience;
  if (!known.lan) at("promise").textContent = tr("Nothing leaves this computer.");
  for (const [key, words] of Object.entries(known.where)) at("where").append(made("option", words, { value: key }));
  at("where").value = known.country;
  at("size").append(made("option", tr("for a chat: JPEG, at most {pixels} pixels", { pixels: known.chat }), { value: `jpeg,${known.chat}` }));
}

// A select shows one line: where the words that are chosen are longer, they stand below it once more.
function spelt(select) {
  const below = select.nextElementSibling, style = getComputedStyle(select), pen = document.createElement("canvas").getContext("2d");
  pen.font = style.font;
  below.textContent = select.selectedOptions[0]?.textContent ?? "";
  const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - 1.5 * parseFloat(style.fontSize); // the arrow
  below.hidden = !select.clientWidth || pen.measureText(below.textContent).width <= room;
}

function spelled() {
  for (const select of document.querySelectorAll("select")) {
    select.after(made("span", "", { class: "whole", "aria-hidden": "true", hidden: "" }));
    select.addEventListener("change", () => spelt(select));
    new ResizeObserver(() => spelt(select)).observe(select);
  }
}

// ---------------------------------------------------------------- where it stands

async function refresh() {
  let now;
  try { now = await (await ask("stand")).json(); } catch (error) { trouble(error.message); return; }
  if (now.step === "look" && !now.run && stand.run) { setTimeout(refresh, 300); return; } // something is being read
  stand = now;
  const busy = stand.step === "clean" || (stand.step === "look" && !stand.run);
  at("drop").hidden = stand.step !== "drop" || busy;
  at("cleaning").hidden = stand.step !== "clean";
  at("look").hidden = stand.step !== "look" || !stand.run;
  document.body.classList.toggle("looking", !at("look").hidden);
  if (stand.trouble) trouble(stand.trouble);
  if (stand.step === "drop" && stand.dropped && !files.length) {
    say(tr("{n} photos are here already.", { n: stand.dropped })); // the page was loaded again
    at("clean").disabled = false;
  }
  if (busy) {
    checking();
    setTimeout(refresh, 700);
    return;
  }
  if (stand.step === "look") { if (counting) say(""); counting = false; show(); }
}

function checking() {
  if (stand.total) { at("bar").max = stand.total; at("bar").value = stand.settled; }
  at("bar").hidden = Boolean(stand.grouping);
  if (stand.step !== "clean") return;
  counting = true;
  const left = stand.left === null ? tr("How long it takes is known after a few photos.") : stand.left < 60 ? tr("Less than a minute left.")
    : tr("About {n} minutes left.", { n: Math.ceil(stand.left / 60) });
  say(stand.grouping ? tr("Waiting for your answer.") : stand.total ? `${tr("{done} of {n} photos", { done: stand.settled, n: stand.total })}. ${left}` : tr("Loading the checks ..."));
  grouping(stand.grouping);
  for (const one of stand.done.slice(at("settled").childElementCount)) {
    const row = made("li");
    if (one.copy) row.append(made("img", "", { alt: "", src: `small/${one.safe_id}` }));
    row.append(`${one.copy ? "\u2713" : "!"} ${one.safe_id}${one.copy ? "" : ` ${tr("held")}`}`);
    at("settled").append(row);
  }
}

// Which photos are one patient's, where gaps in time and codes suggest something else than the folder does.
function grouping(asked) {
  if (at("grouping").hidden === !asked) return;
  at("grouping").hidden = !asked;
  if (!asked) { at("grouped").replaceChildren(); return; }
  const number = asked.photos.length;
  at("grouping-why").textContent = tr("By gaps in time and codes on wristbands these photos look like {n} patients. Without that they count as {now}. The questions are asked once for each patient.", { n: number, now: asked.now });
  at("grouped").replaceChildren(...asked.photos.map((photos, n) => {
    const part = made("div"), list = made("ul", "", { class: "small", "aria-label": tr("Patient {group}", { group: n + 1 }) });
    list.append(...photos.map(place => files[place] ? small(files[place], files[place].name) : made("li", tr("photo {number}", { number: place + 1 }))));
    part.append(made("h4", tr("Patient {group}", { group: n + 1 })), list);
    return part;
  }));
  at("group-yes").textContent = tr("Use {n} patients", { n: number });
  at("group-no").textContent = asked.now === 1 ? tr("No: one patient") : tr("No: {n} patients", { n: asked.now });
  at("grouping").focus();
}

function show() {
  const looked = stand.screen && stand.screen.act.startsWith("look:") ? stand.screen.act.slice(5) : "";
  const was = current;
  if (looked && drawnAct !== stand.screen.act) current = looked;
  if (!photo()) current = stand.photos.length ? stand.photos[0].photo.safe_id : "";
  if (current !== was) chosen = 0;
  strip(); picture(); outlines(); areas(); act(); done();
}

const photo = () => stand.photos.find(p => p.photo.safe_id === current);

function strip() {
  const thumbs = new Map([...at("strip").querySelectorAll("img")].map(i => [i.getAttribute("src"), i]));
  at("strip").replaceChildren(...stand.photos.map(p => {
    const one = p.photo;
    const state = !one.copy ? tr("held") : one.asked.length ? tr("to decide") : one.looked ? `\u2713 ${tr("looked at")}` : `\u25cb ${tr("to look at")}`;
    const button = made("button", "", { type: "button", "aria-current": String(one.safe_id === current), onclick: () => toPhoto(one.safe_id) });
    const src = `small/${one.safe_id}?${p.made}`;
    if (one.copy) button.append(thumbs.get(src) || made("img", "", { alt: "", src })); // not asked for again
    button.append(made("span", one.safe_id), made("span", state));
    const row = made("li"); row.append(button); return row;
  }));
  const list = at("strip"), mine = list.querySelector('[aria-current="true"]');
  if (mine) list.scrollLeft = mine.offsetLeft - list.offsetLeft + (mine.offsetWidth - list.clientWidth) / 2;
}

function toPhoto(id) {
  current = id; chosen = 0;
  strip(); picture(); outlines(); areas(); act();
}

// ---------------------------------------------------------------- decide

function decide(what) { return tell("decide", { photo: current, ...what }, tr("The copy is made again and checked again ...")); }

const listed = one => one.photo.areas.filter(a => a.do !== "keep" || a.by === "person" || one.photo.asked.includes(a.number));

function areas() {
  const one = photo();
  if (!one) { at("areas").replaceChildren(); return; }
  const does = { cover: tr("covered"), keep: tr("shown"), ask: tr("you decide"), hold: tr("holds the photo"), drop: tr("taken out") };
  const first = area => one.photo.asked.includes(area.number) ? 0 : 1;
  const rows = listed(one).sort((a, b) => first(a) - first(b) || a.number - b.number);
  const list = rows.map(area => {
    const row = made("li"), mine = area.number === chosen, about = area.category ? `, ${area.category.replaceAll("-", " ")}` : "";
    row.className = mine ? "chosen" : first(area) ? "" : "asked";
    row.append(made("button", `${area.number}. ${area.kind}${about}: ${does[area.do] || area.do} (${area.why})`, {
      type: "button", class: "name", "aria-current": String(mine), onclick: () => choose(area.number, true) }));
    for (const { choice, words } of area.choices) row.append(made("button", words, { type: "button",
      onclick: () => decide({ do: "choose", area: area.number, choice }), "aria-label": `${words}: ${tr("area {number}", { number: area.number })}` }));
    return row;
  });
  if (!one.photo.copy) list.unshift(made("li", tr("Held: {reason}", { reason: one.photo.reason })));
  if (!list.length) list.push(made("li", tr("Nothing that had to be covered. The checks can miss things.")));
  at("areas").replaceChildren(...list);
}

function numbers() { return ["bx", "by", "bw", "bh"].map(id => Math.max(0, Math.round(Number(at(id).value) || 0))); }

function place(event) {
  const image = at("picture").getBoundingClientRect(), s = scale();
  return [(event.clientX - image.left) / s, (event.clientY - image.top) / s];
}

function box(a, b) {
  const [x, y] = [Math.min(a[0], b[0]), Math.min(a[1], b[1])].map(v => Math.max(0, Math.round(v)));
  return [x, y, Math.max(1, Math.round(Math.max(a[0], b[0]) - x)), Math.max(1, Math.round(Math.max(a[1], b[1]) - y))];
}

function drawing(which) {
  mode = mode === which ? "" : which;
  at("draw").setAttribute("aria-pressed", String(mode === "draw"));
  at("crop").setAttribute("aria-pressed", String(mode === "crop"));
  at("frame").classList.toggle("drawing", Boolean(mode));
  if (mode) say(tr("Draw a box on the picture, or give it by numbers below it."));
}

// ---------------------------------------------------------------- the acts

function act() {
  const screen = stand.screen, into = at("act");
  const focused = into.contains(document.activeElement); // what is drawn anew loses it
  drawnAct = screen ? screen.act : "";
  if (!screen) {
    into.replaceChildren(made("h2", tr("Nothing is left to answer")));
    if (focused) into.focus({ preventScroll: true });
    return;
  }
  const form = made("form");
  form.noValidate = true;
  form.append(made("h2", screen.title), made("p", stand.place));
  if (screen.trouble) form.append(made("p", screen.trouble, { role: "alert", class: "no" }));
  const shown = screen.act.startsWith("look:") && screen.options.length; // the copy is beside it
  if (screen.lead && !shown) form.append(made("p", screen.lead));
  const list = made("ul");
  for (const line of screen.lines) {
    const row = made("li", line.true === false ? tr("NO: {text}", { text: line.text }) : line.text);
    if (line.true === false) row.className = "no";
    if (line.checks_say) row.append(made("span", line.checks_say, { class: "checks" }));
    list.append(row);
  }
  if (screen.lines.length) form.append(list);
  for (const field of screen.fields) {
    const row = made("label", `${field.label}${field.required ? "" : tr(" (may be empty)")} `, { class: "row" });
    row.append(made("input", "", { type: "text", name: field.name, value: field.value, autocomplete: "off" }));
    form.append(row);
  }
  if (screen.ticks.length) {
    const set = made("fieldset");
    set.append(made("legend", screen.act.startsWith("applies") ? tr("Tick what applies.") : tr("Tick.")));
    for (const tick of screen.ticks) {
      const row = made("label", "", { class: "row" }), mark = made("input", "", { type: "checkbox", value: tick.key });
      mark.checked = screen.ticked.includes(tick.key);
      mark.addEventListener("change", gate);
      row.append(mark, ` ${tick.words}`);
      set.append(row);
    }
    form.append(set);
  }
  const buttons = made("div", "", { class: "buttons" });
  const button = (words, key) => made("button", words, { type: "button", "data-key": key, class: key === "y" || !key ? "primary" : "", onclick: () => give(form, key) });
  if (screen.ticks.length && screen.act.startsWith("applies")) buttons.append(button(tr("What is ticked applies"), ""));
  for (const option of screen.options) buttons.append(button(option.words, option.key));
  buttons.append(button(tr("Back"), "back"), button(tr("Leave open"), "skip"));
  const foot = made("div", "", { class: "foot" });
  foot.append(buttons, made("p", "", { id: "gate", class: "checks" }));
  form.append(foot);
  form.addEventListener("submit", event => event.preventDefault());
  keep(into, form, JSON.stringify([screen.act, screen.title, screen.lead, screen.lines.map(l => l.text), screen.fields.map(f => f.name), screen.ticks]));
  into.replaceChildren(form);
  if (focused || drawnAct !== into.dataset.act) into.focus({ preventScroll: true });
  const top = Math.max(0, at("right").getBoundingClientRect().top); // the next question begins in view
  if (focused && drawnAct !== into.dataset.act && into.getBoundingClientRect().top < top) into.scrollIntoView();
  into.dataset.act = drawnAct;
  gate();
}

// What was typed and ticked stays where the same questions are drawn again, as when another photo is chosen meanwhile.
function keep(into, form, same) {
  const before = into.dataset.same === same ? [...into.querySelectorAll("input")] : [];
  into.dataset.same = same;
  [...form.querySelectorAll("input")].forEach((input, n) => {
    const old = before[n];
    if (old && old.type === "checkbox") input.checked = old.checked;
    else if (old && old.value !== old.defaultValue) input.value = old.value;
  });
}

// "Nothing identifying shows" waits until all of the copy was on the screen and nothing is asked about it.
function gate() {
  const screen = stand.screen;
  if (!screen || !at("gate")) return;
  const id = screen.act.startsWith("look:") ? screen.act.slice(5) : "";
  const about = stand.photos.find(p => p.photo.safe_id === id);
  const open = about ? about.photo.asked.length : 0;
  const wait = id && (!whole(id) || open || (about && about.photo.waits));
  for (const button of at("act").querySelectorAll("button[data-key='y']")) button.disabled = Boolean(wait);
  at("gate").textContent = !wait ? "" : open ? tr("Decide first what is asked about this photo.") : current !== id
    ? tr("Choose {id} above the picture.", { id }) : tr("Look at all of it at full size first: N shows the next part.");
  if (open && current === id) at("gate").append(" ", made("button", tr("Go there"), { type: "button", onclick: () => choose(about.photo.asked[0], true) }));
  const ticks = [...at("act").querySelectorAll("fieldset input")];
  const none = at("act").querySelector("button[data-key='0']"), some = at("act").querySelector("button[data-key='']");
  if (ticks.length && none && some) { none.disabled = ticks.some(t => t.checked); some.disabled = !none.disabled; }
}

async function give(form, key) {
  const fields = {};
  for (const input of form.querySelectorAll("input[type='text']")) fields[input.name] = input.value;
  const ticks = [...form.querySelectorAll("fieldset input:checked")].map(i => i.value);
  const stood = stand.screen.fields.find(f => f.name === "caption");
  if (stood && fields.caption.trim() && fields.caption !== stood.value) key = ""; // first what the check finds in it
  await tell("give", { act: stand.screen.act, done: { key, ticks, fields } }, "");
}

const typed = id => at(id).value.split(/[,;]/).map(v => v.trim()).filter(v => v);

async function withdraw() {
  const who = at("who").value;
  trouble("");
  try {
    const said = await (await ask("withdraw", { patient: who })).json();
    at("noted").replaceChildren(...said.noted.filter(line => line.trim()).map(line => made("li", line.trim())));
    at("letter").textContent = said.letter.join("\n");
    at("withdrawn-title").textContent = tr("{who}: withdrawn", { who });
    at("withdrawn").hidden = false;
    at("withdrawn").focus();
  } catch (error) { trouble(error.message); }
  await refresh();
}

function done() {
  at("done").hidden = !stand.released.length;
  at("who").replaceChildren(...[...new Set(stand.released.map(name => name.split("-")[0]))].map(g => made("option", g, { value: g })));
  if (at("downloads").textContent !== stand.released.join("")) at("downloads").replaceChildren(...stand.released.map(name => {
    const row = made("li");
    const link = made("a", name, { href: `share/${encodeURIComponent(name)}`, download: name });
    link.prepend(made("img", "", { alt: "", src: `small/${name.split(".")[0]}` }));
    row.append(link);
    return row;
  }));
  at("where-run").textContent = tr("All of it lies in {folder}", { folder: stand.run });
  if (stand.told.length) trouble(stand.told.join(" "));
}

// ---------------------------------------------------------------- wires

function wires() {
  const zone = at("zone");
  for (const kind of ["dragover", "dragenter"]) zone.addEventListener(kind, e => { e.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", e => { e.preventDefault(); zone.classList.remove("over"); take([...e.dataTransfer.files]); });
  for (const kind of ["dragover", "drop"]) window.addEventListener(kind, e => e.preventDefault()); // never opened instead
  at("files").addEventListener("change", e => take([...e.target.files]));
  at("clean").addEventListener("click", () => { at("settled").replaceChildren(); tell("clean", {
    audience: at("audience").value, where: at("where").value ? [at("where").value] : [], each: at("each").checked,
    save_as: at("size").value.split(",")[0], max_side: Number(at("size").value.split(",")[1] || 0),
    names: typed("names"), numbers: typed("numbers-known"), dates: typed("dates") }, tr("Loading the checks ...")); });
  at("withdraw").addEventListener("click", withdraw);
  at("download-all").addEventListener("click", async () => {
    for (const link of at("downloads").querySelectorAll("a")) { link.click(); await new Promise(go => setTimeout(go, 300)); } // one by one
  });
  at("group-yes").addEventListener("click", () => tell("group", { use: true }, ""));
  at("group-no").addEventListener("click", () => tell("group", { use: false }, ""));
  at("stop").addEventListener("click", () => tell("stop"));
  at("again").addEventListener("click", async () => { await tell("again"); files = []; location.reload(); });
  at("next").addEventListener("click", next);
  at("fit").addEventListener("click", () => { zoom = zoom ? 0 : 1; size(); });
  at("before").addEventListener("click", () => before(!held));
  at("line").addEventListener("input", compare);
  at("map").addEventListener("click", toPlace);
  at("draw").addEventListener("click", () => drawing("draw"));
  at("crop").addEventListener("click", () => drawing("crop"));
  at("cover-numbers").addEventListener("click", () => decide({ do: "cover", box: numbers() }));
  at("crop-numbers").addEventListener("click", () => decide({ do: "crop", box: numbers() }));
  at("whole").addEventListener("click", () => decide({ do: "crop" }));
  at("picture").addEventListener("load", size);
  at("picture").addEventListener("error", () => { if (at("picture").getAttribute("src")) say(tr("This browser cannot show this picture.")); });
  at("under").addEventListener("error", () => { if (at("under").getAttribute("src")) say(tr("This browser cannot show this picture.")); });
  at("picture").addEventListener("dragstart", e => e.preventDefault());
  at("sheet").addEventListener("pointerdown", e => { if (mode) { from = place(e); at("sheet").setPointerCapture(e.pointerId); } });
  at("sheet").addEventListener("pointercancel", () => { from = null; outlines(); });
  at("sheet").addEventListener("click", e => { if (!mode && !drew) choose(areaAt(place(e)), false); drew = false; });
  at("sheet").addEventListener("pointermove", e => { if (from) outlines(box(from, place(e))); });
  at("sheet").addEventListener("pointerup", e => {
    if (!from) return;
    const drawn = box(from, place(e)), what = mode === "crop" ? "crop" : "cover";
    from = null; drew = true; drawing(mode);
    if (drawn[2] > 3 && drawn[3] > 3) decide({ do: what, box: drawn }); else outlines();
  });
  window.addEventListener("resize", size);
  window.addEventListener("beforeunload", e => { if (stand.step === "drop" && files.length) e.preventDefault(); });
  document.addEventListener("keydown", e => {
    if (e.ctrlKey || e.metaKey || e.altKey || at("look").hidden || /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) return;
    const key = e.key.toLowerCase(), button = { n: "next", f: "fit", b: "draw", x: "crop" }[key];
    if (button) { e.preventDefault(); if (!e.repeat) at(button).click(); }
    if (key === "v" && !e.repeat && !at("before").disabled) before(true); // for as long as it is held
    if (key === "d" && !at("line").disabled) { at("line").value = 50; compare(); at("line").focus(); }
    if (e.key === "Escape" && mode) drawing(mode);
  });
  document.addEventListener("keyup", e => { if (e.key.toLowerCase() === "v" && held) before(false); });
  window.addEventListener("blur", () => { if (held) before(false); });
  setInterval(tick, 150);
}

async function begin() {
  const key = location.hash.slice(1);
  history.replaceState(null, "", location.pathname); // the key is in no address any more
  try {
    if (key) await ask("open", key);
    await choices();
    spelled();
  } catch (error) {
    trouble(`${error.message} ${tr("Start 'medimg serve --page' again, and open the new address.")}`);
    return;
  }
  wires();
  await refresh();
}

begin();
