"use strict";
// The page of `medimg serve --page`. It talks to its own server alone, and puts words in as text, never as HTML.

const at = id => document.getElementById(id);
const CELL = 64;        // pixels of a part that is seen or not
const REST = 400;       // milliseconds a part has to be on the screen
let stand = { step: "drop", photos: [] };
let files = [];         // the dropped photos, by number: what Before shows
let current = "";       // safe id of the photo in the frame
let seen = new Map();   // name of a copy and its size -> cells that were on the screen
let mode = "";          // "draw" or "crop" while a box is drawn
let fit = false, before = false, from = null, shownUrl = "", drawnAct = "", rested = { key: "", since: 0 };

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
  try { const said = await answer.json(); told = `${said.what} ${said.todo || ""}`; } catch { told = "it did not work."; }
  throw new Error(told.trim());
}

async function tell(path, content, words = "Working ...") {
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
    say(`Taking ${files.length + 1} ...`);
    try {
      const number = await (await ask("photos", file, { "x-photo-name": encodeURIComponent(file.name) })).json();
      files[number] = file;
      at("dropped").append(made("li", file.name));
    } catch (error) { trouble(error.message); }
  }
  say(files.length ? `${files.length} photos.` : "");
  at("clean").disabled = !files.length;
}

async function choices() {
  const known = await (await ask("choices")).json();
  for (const [key, words] of Object.entries(known.audiences)) at("audience").append(made("option", words, { value: key }));
  at("audience").value = known.audience;
  if (!known.lan) at("promise").textContent = "Nothing leaves this computer.";
  for (const [key, words] of Object.entries(known.where)) at("where").append(made("option", words, { value: key }));
}

// ---------------------------------------------------------------- where it stands

async function refresh() {
  try { stand = await (await ask("stand")).json(); } catch (error) { trouble(error.message); return; }
  const busy = stand.step === "clean" || (stand.step === "look" && !stand.run);
  at("drop").hidden = stand.step !== "drop" || busy;
  at("cleaning").hidden = stand.step !== "clean";
  at("look").hidden = stand.step !== "look" || !stand.run;
  if (stand.trouble) trouble(stand.trouble);
  if (stand.step === "drop" && stand.dropped && !files.length) {
    say(`${stand.dropped} photos are here already.`); // the page was loaded again
    at("clean").disabled = false;
  }
  if (busy) {
    if (stand.total) { at("bar").max = stand.total; at("bar").value = stand.settled; }
    if (stand.step === "clean") say(stand.total ? `${stand.settled} of ${stand.total} photos` : "Loading the checks ...");
    setTimeout(refresh, 700);
    return;
  }
  if (stand.step === "look") { if (at("status").textContent.includes(" of ")) say(""); show(); }
}

function show() {
  const looked = stand.screen && stand.screen.act.startsWith("look:") ? stand.screen.act.slice(5) : "";
  if (drawnAct !== (stand.screen ? stand.screen.act : "")) { if (looked) current = looked; }
  if (!photo()) current = stand.photos.length ? stand.photos[0].photo.safe_id : "";
  strip(); picture(); areas(); act(); done();
}

const photo = () => stand.photos.find(p => p.photo.safe_id === current);

function strip() {
  at("strip").replaceChildren(...stand.photos.map(p => {
    const one = p.photo;
    const state = !one.copy ? "held" : one.asked.length ? "to decide" : one.looked ? "✓ looked at" : "○ to look at";
    const button = made("button", `${one.safe_id} ${state}`, {
      type: "button", "aria-current": String(one.safe_id === current),
      onclick: () => { current = one.safe_id; before = false; strip(); picture(); areas(); act(); },
    });
    const row = made("li"); row.append(button); return row;
  }));
}

// ---------------------------------------------------------------- the picture

function picture() {
  const one = photo();
  const original = one && one.original !== null ? files[one.original] : null;
  const wantBefore = before || (one && !one.photo.copy);
  const key = one ? `${current}|${wantBefore}|${JSON.stringify(one.photo.areas.map(a => a.do))}|${one.photo.copy}` : "";
  at("before").setAttribute("aria-pressed", String(before));
  at("before").disabled = !original || !one.photo.copy;
  if (at("picture").dataset.key === key) return;
  at("picture").dataset.key = key;
  if (shownUrl) { URL.revokeObjectURL(shownUrl); shownUrl = ""; }
  if (!one) { at("picture").removeAttribute("src"); return; }
  at("picture").alt = wantBefore ? `The photo ${current} before` : `The covered copy ${current}`;
  if (wantBefore) {
    if (!original) { at("picture").removeAttribute("src"); return; }
    shownUrl = URL.createObjectURL(original);
    at("picture").src = shownUrl;
  } else at("picture").src = `copy/${current}?${Date.now()}`;
}

function size() {
  const image = at("picture"), frame = at("frame"), ratio = window.devicePixelRatio || 1;
  if (!image.naturalWidth) return;
  const full = image.naturalWidth / ratio;
  const small = Math.min(full, frame.clientWidth - 2, (frame.clientHeight - 2) * image.naturalWidth / image.naturalHeight);
  image.width = Math.max(1, Math.round(fit ? small : full));
  image.height = Math.max(1, Math.round(image.width * image.naturalHeight / image.naturalWidth));
  at("fit").setAttribute("aria-pressed", String(fit));
  outlines(); tick();
}

function scale() { return at("picture").width / at("picture").naturalWidth; }

function outlines(drawn) {
  const one = photo(), image = at("picture");
  const boxes = [];
  if (one && image.naturalWidth * image.naturalHeight === one.width * one.height)
    for (const area of one.photo.areas) if (area.box && one.photo.asked.includes(area.number)) boxes.push([area.box, ""]);
  if (drawn) boxes.push([drawn, "drawn"]);
  at("outlines").replaceChildren(...boxes.map(([[x, y, w, h], kind]) => {
    const mark = made("div"), s = scale();
    mark.className = kind;
    Object.assign(mark.style, { left: `${x * s}px`, top: `${y * s}px`, width: `${w * s}px`, height: `${h * s}px` });
    return mark;
  }));
}

// What was on the screen at full size; kept for each copy as it is now.
function parts() {
  const image = at("picture"), one = photo();
  if (!one || !one.photo.copy || before || !image.naturalWidth || !image.complete) return null;
  const key = image.dataset.key;
  const across = Math.ceil(image.naturalWidth / CELL), down = Math.ceil(image.naturalHeight / CELL);
  if (!seen.has(key)) seen.set(key, new Set());
  return { key, across, down, cells: seen.get(key), image };
}

function tick() {
  const p = parts();
  if (!p) {
    const words = photo() && at("picture").getAttribute("src") && (before || !photo().photo.copy) ? "This is the photo itself, not a copy: nothing is covered." : "";
    if (at("seen").textContent !== words) at("seen").textContent = words;
    at("next").disabled = true;
    return;
  }
  const s = scale(), frame = at("frame").getBoundingClientRect(), image = p.image.getBoundingClientRect();
  const full = s >= 0.99 / (window.devicePixelRatio || 1);
  const x0 = (Math.max(frame.left, image.left, 0) - image.left) / s, y0 = (Math.max(frame.top, image.top, 0) - image.top) / s;
  const x1 = (Math.min(frame.right, image.right, innerWidth) - image.left) / s;
  const y1 = (Math.min(frame.bottom, image.bottom, innerHeight) - image.top) / s;
  const place = [p.key, full, x0, y0, x1, y1].map(String).join();
  if (rested.key !== place) rested = { key: place, since: Date.now() };
  else if (full && !document.hidden && Date.now() - rested.since >= REST) {
    for (let r = Math.ceil((y0 - 2) / CELL); r < p.down; r++) for (let c = Math.ceil((x0 - 2) / CELL); c < p.across; c++) {
      const right = Math.min((c + 1) * CELL, p.image.naturalWidth), bottom = Math.min((r + 1) * CELL, p.image.naturalHeight);
      if (r >= 0 && c >= 0 && right <= x1 + 2 && bottom <= y1 + 2) p.cells.add(r * p.across + c);
    }
  }
  const share = Math.floor(100 * p.cells.size / (p.across * p.down));
  const words = share >= 100 ? "All of it was on the screen at full size." : `${share} % was on the screen at full size.`;
  if (at("seen").textContent !== words) { at("seen").textContent = words; gate(); }
  at("next").disabled = share >= 100;
}

function whole(safeId) {
  const p = parts();
  return safeId === current && p !== null && p.cells.size >= p.across * p.down;
}

function next() {
  const p = parts();
  if (!p) return;
  fit = false; size();
  for (let n = 0; n < p.across * p.down; n++) if (!p.cells.has(n)) {
    at("frame").scrollTo(n % p.across * CELL * scale(), Math.floor(n / p.across) * CELL * scale());
    at("frame").scrollIntoView({ block: "nearest" });
    return;
  }
}

// ---------------------------------------------------------------- decide

function decide(what) { return tell("decide", { photo: current, ...what }, "The copy is made again and checked again ..."); }

function areas() {
  const one = photo();
  if (!one) { at("areas").replaceChildren(); return; }
  const does = { cover: "covered", keep: "shown", ask: "you decide", hold: "holds the photo", drop: "taken out" };
  const rows = one.photo.areas.filter(a => a.do !== "keep" || a.by === "person" || one.photo.asked.includes(a.number));
  const list = rows.map(area => {
    const row = made("li", `${area.number}. ${area.kind}: ${does[area.do] || area.do} (${area.why})`);
    for (const { choice, words } of area.choices) row.append(made("button", words, { type: "button",
      onclick: () => decide({ do: "choose", area: area.number, choice }), "aria-label": `${words}: area ${area.number}` }));
    return row;
  });
  if (!one.photo.copy) list.unshift(made("li", `Held: ${one.photo.reason}`));
  if (!list.length) list.push(made("li", "Nothing that had to be covered. The checks can miss things."));
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
  if (mode) say("Draw a box on the picture, or give it by numbers below it.");
}

// ---------------------------------------------------------------- the acts

function act() {
  const screen = stand.screen, into = at("act");
  drawnAct = screen ? screen.act : "";
  if (!screen) {
    into.replaceChildren(made("h2", "Nothing is left to answer"));
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
    const row = made("li", line.true === false ? `NO: ${line.text}` : line.text);
    if (line.true === false) row.className = "no";
    if (line.checks_say) row.append(made("span", line.checks_say, { class: "checks" }));
    list.append(row);
  }
  if (screen.lines.length) form.append(list);
  for (const field of screen.fields) {
    const row = made("label", `${field.label}${field.required ? "" : " (may be empty)"} `, { class: "row" });
    row.append(made("input", "", { type: "text", name: field.name, value: field.value, autocomplete: "off" }));
    form.append(row);
  }
  if (screen.ticks.length) {
    const set = made("fieldset");
    set.append(made("legend", screen.act.startsWith("applies") ? "Tick what applies." : "Tick."));
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
  const button = (words, key) => made("button", words, { type: "button", "data-key": key, onclick: () => give(form, key) });
  if (screen.ticks.length && screen.act.startsWith("applies")) buttons.append(button("What is ticked applies", ""));
  for (const option of screen.options) buttons.append(button(option.words, option.key));
  buttons.append(button("Back", "back"), button("Leave open", "skip"));
  form.append(buttons, made("p", "", { id: "gate", class: "checks" }));
  form.addEventListener("submit", event => event.preventDefault());
  const focused = into.contains(document.activeElement);
  into.replaceChildren(form);
  if (focused || drawnAct !== into.dataset.act) into.focus({ preventScroll: true });
  into.dataset.act = drawnAct;
  gate();
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
  at("gate").textContent = !wait ? "" : open ? "Decide first what is asked about this photo." : current !== id
    ? `Choose ${id} above the picture.` : "Look at all of it at full size first: N shows the next part.";
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

const listed = id => at(id).value.split(/[,;]/).map(v => v.trim()).filter(v => v);

async function withdraw() {
  const who = at("who").value;
  trouble("");
  try {
    const said = await (await ask("withdraw", { patient: who })).json();
    at("noted").replaceChildren(...said.noted.filter(line => line.trim()).map(line => made("li", line.trim())));
    at("letter").textContent = said.letter.join("\n");
    at("withdrawn-title").textContent = `${who}: withdrawn`;
    at("withdrawn").hidden = false;
    at("withdrawn").focus();
  } catch (error) { trouble(error.message); }
  await refresh();
}

function done() {
  at("done").hidden = !stand.released.length;
  at("who").replaceChildren(...[...new Set(stand.released.map(name => name.split("-")[0]))].map(g => made("option", g, { value: g })));
  at("downloads").replaceChildren(...stand.released.map(name => {
    const row = made("li");
    row.append(made("a", name, { href: `share/${encodeURIComponent(name)}`, download: name }));
    return row;
  }));
  at("where-run").textContent = `All of it lies in ${stand.run}`;
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
  at("clean").addEventListener("click", () => tell("clean", {
    audience: at("audience").value, where: at("where").value ? [at("where").value] : [], each: at("each").checked,
    names: listed("names"), numbers: listed("numbers-known"), dates: listed("dates") }, "Loading the checks ..."));
  at("withdraw").addEventListener("click", withdraw);
  at("stop").addEventListener("click", () => tell("stop"));
  at("again").addEventListener("click", async () => { await tell("again"); files = []; location.reload(); });
  at("next").addEventListener("click", next);
  at("fit").addEventListener("click", () => { fit = !fit; size(); });
  at("before").addEventListener("click", () => { before = !before; picture(); });
  at("draw").addEventListener("click", () => drawing("draw"));
  at("crop").addEventListener("click", () => drawing("crop"));
  at("cover-numbers").addEventListener("click", () => decide({ do: "cover", box: numbers() }));
  at("crop-numbers").addEventListener("click", () => decide({ do: "crop", box: numbers() }));
  at("whole").addEventListener("click", () => decide({ do: "crop" }));
  at("picture").addEventListener("load", size);
  at("picture").addEventListener("error", () => { if (at("picture").getAttribute("src")) say("This browser cannot show this picture."); });
  at("picture").addEventListener("dragstart", e => e.preventDefault());
  at("sheet").addEventListener("pointerdown", e => { if (mode) { from = place(e); at("sheet").setPointerCapture(e.pointerId); } });
  at("sheet").addEventListener("pointermove", e => { if (from) outlines(box(from, place(e))); });
  at("sheet").addEventListener("pointerup", e => {
    if (!from) return;
    const drawn = box(from, place(e)), what = mode === "crop" ? "crop" : "cover";
    from = null; drawing(mode);
    if (drawn[2] > 3 && drawn[3] > 3) decide({ do: what, box: drawn }); else outlines();
  });
  window.addEventListener("resize", size);
  window.addEventListener("beforeunload", e => { if (stand.step === "drop" && files.length) e.preventDefault(); });
  document.addEventListener("keydown", e => {
    if (e.ctrlKey || e.metaKey || e.altKey || at("look").hidden || /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) return;
    const button = { n: "next", f: "fit", v: "before", b: "draw", x: "crop" }[e.key.toLowerCase()];
    if (button) { e.preventDefault(); at(button).click(); }
    if (e.key === "Escape" && mode) drawing(mode);
  });
  setInterval(tick, 150);
}

async function begin() {
  const key = location.hash.slice(1);
  history.replaceState(null, "", location.pathname); // the key is in no address any more
  try {
    if (key) await ask("open", key);
    await choices();
  } catch (error) {
    trouble(`${error.message} Start 'medimg serve --page' again, and open the new address.`);
    return;
  }
  wires();
  await refresh();
}

begin();
