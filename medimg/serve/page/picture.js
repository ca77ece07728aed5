"use strict";
// The picture of the page: before and after, what is marked in it, and which parts of it were on the screen.

const CELL = 64;        // pixels of a part that is seen or not
const REST = 400;       // milliseconds a part has to be on the screen
let seen = new Map();   // a copy as it is now -> cells that were on the screen
let needs = new Map();  // likewise -> how each cell has to be seen: 0 at full size, 1 at half, 2 not at all
let zoom = 1;           // of full size; 0 for the whole picture
let held = false;       // Before is held or pressed
let chosen = 0;         // number of the area that is chosen
let shownUrl = "", rested = { key: "", since: 0 }, drawnMap = "";

const line = () => held ? 100 : Number(at("line").value);
const alone = one => !one.photo.copy; // then the photo itself is shown

function picture() {
  const one = photo();
  const original = one && one.before ? `before/${current}` : "";
  const key = one ? `${current}|${one.made}` : "";
  at("before").disabled = at("line").disabled = !original || alone(one);
  if (at("picture").dataset.key === key) return;
  at("picture").dataset.key = key;
  shownUrl = original;
  at("under").removeAttribute("src");
  at("line").value = 0;
  before(false);
  if (!one || (alone(one) && !original)) { at("picture").removeAttribute("src"); return; }
  at("picture").alt = alone(one) ? tr("The photo {id} before", { id: current }) : tr("The covered copy {id}", { id: current });
  at("picture").src = alone(one) ? shownUrl : `copy/${current}?${Date.now()}`;
  if (!alone(one)) learn(current, key);
}

// How much of each cell has to be seen; until that is known, everything at full size.
async function learn(id, key) {
  try { needs.set(key, await (await ask(`squares/${id}`)).json()); } catch { needs.delete(key); }
}

function before(on) {
  held = on;
  at("before").setAttribute("aria-pressed", String(on));
  compare();
}

// The photo over its copy, left of the line.
function compare() {
  const under = at("under"), share = line();
  under.hidden = !share || !shownUrl;
  if (under.hidden) { tick(); return; }
  if (under.getAttribute("src") !== shownUrl) under.src = shownUrl;
  under.alt = tr("The photo {id} before", { id: current });
  under.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
  tick();
}

function size() {
  const image = at("picture"), frame = at("frame"), ratio = window.devicePixelRatio || 1;
  if (!image.naturalWidth) return;
  const full = image.naturalWidth / ratio;
  const small = Math.min(full, frame.clientWidth - 2, (frame.clientHeight - 2) * image.naturalWidth / image.naturalHeight);
  image.width = Math.max(1, Math.round(zoom ? full * zoom : small));
  image.height = Math.max(1, Math.round(image.width * image.naturalHeight / image.naturalWidth));
  at("fit").setAttribute("aria-pressed", String(!zoom));
  outlines(); tick();
}

function scale() { return at("picture").width / at("picture").naturalWidth; }

// ---------------------------------------------------------------- what is marked

function marked() {
  const one = photo(), image = at("picture");
  if (!one || image.naturalWidth * image.naturalHeight !== one.width * one.height) return []; // cropped, or made smaller
  return listed(one).filter(area => area.box);
}

function outlines(drawn) {
  const one = photo(), s = scale();
  const boxes = marked().map(area => [area.box, area.number === chosen ? "chosen" : one.photo.asked.includes(area.number) ? "asked" : "", area.number]);
  if (drawn) boxes.push([drawn, "drawn", 0]);
  at("outlines").replaceChildren(...boxes.map(([[x, y, w, h], kind, number]) => {
    const mark = made("div", "", number ? { "data-number": number } : {});
    mark.className = kind;
    Object.assign(mark.style, { left: `${x * s}px`, top: `${y * s}px`, width: `${w * s}px`, height: `${h * s}px` });
    return mark;
  }));
}

// The area under a place of the picture: of several the smallest.
function areaAt([x, y]) {
  const under = marked().filter(({ box: [l, t, w, h] }) => x >= l && y >= t && x < l + w && y < t + h);
  under.sort((a, b) => a.box[2] * a.box[3] - b.box[2] * b.box[3]);
  return under.length ? under[0].number : 0;
}

function choose(number, scroll) {
  chosen = number;
  outlines(); areas();
  const area = marked().find(a => a.number === number), row = at("areas").querySelector(".chosen");
  if (row) row.scrollIntoView({ block: "nearest" });
  if (!scroll || !area) return;
  const [x, y, w, h] = area.box, s = scale(), frame = at("frame");
  frame.scrollTo((x + w / 2) * s - frame.clientWidth / 2, (y + h / 2) * s - frame.clientHeight / 2);
}

// ---------------------------------------------------------------- what was seen

// What was on the screen at full size; kept for each copy as it is now.
function parts() {
  const image = at("picture"), one = photo();
  if (!one || alone(one) || !image.naturalWidth || !image.complete) return null;
  const key = image.dataset.key;
  const across = Math.ceil(image.naturalWidth / CELL), down = Math.ceil(image.naturalHeight / CELL);
  if (!seen.has(key)) seen.set(key, new Set());
  const known = needs.get(key), need = known && known.length === across * down ? known : "";
  const cells = seen.get(key), left = [];
  let plain = false;
  for (let n = 0; n < across * down; n++) {
    if (need[n] === "1") plain = true;
    if (need[n] !== "2" && !cells.has(n)) left.push(n);
  }
  const all = need ? need.length - need.split("2").length + 1 : across * down;
  return { key, across, down, cells, need, left, plain, image, share: all ? Math.floor(100 * (all - left.length) / all) : 100 };
}

// The part of the picture that is in view: left, top, right, bottom in its pixels. Fingers may have enlarged the page.
function inView() {
  const s = scale(), frame = at("frame").getBoundingClientRect(), image = at("picture").getBoundingClientRect(), eye = visualViewport;
  const left = Math.max(frame.left, image.left, eye.offsetLeft), top = Math.max(frame.top, image.top, eye.offsetTop);
  const right = Math.min(frame.right, image.right, eye.offsetLeft + eye.width), bottom = Math.min(frame.bottom, image.bottom, eye.offsetTop + eye.height);
  return [(left - image.left) / s, (top - image.top) / s, (right - image.left) / s, (bottom - image.top) / s];
}

function tick() {
  const p = parts();
  map(p);
  if (!p || line()) {
    const words = p ? tr("The photo itself shows: nothing is covered there, and nothing counts as seen.")
      : photo() && alone(photo()) && at("picture").getAttribute("src") ? tr("This is the photo itself, not a copy: nothing is covered.") : "";
    if (at("seen").textContent !== words) at("seen").textContent = words;
    at("next").disabled = true;
    return;
  }
  const one = 1 / (window.devicePixelRatio || 1), s = scale(), full = s >= 0.99 * one, half = s >= 0.495 * one;
  const [x0, y0, x1, y1] = inView();
  const place = [p.key, full, half, x0, y0, x1, y1].map(String).join();
  if (rested.key !== place) rested = { key: place, since: Date.now() };
  else if (half && !document.hidden && Date.now() - rested.since >= REST) {
    for (let r = Math.ceil((y0 - 2) / CELL); r < p.down; r++) for (let c = Math.ceil((x0 - 2) / CELL); c < p.across; c++) {
      const right = Math.min((c + 1) * CELL, p.image.naturalWidth), bottom = Math.min((r + 1) * CELL, p.image.naturalHeight);
      if (r < 0 || c < 0 || right > x1 + 2 || bottom > y1 + 2) continue;
      if (full || p.need[r * p.across + c] === "1") p.cells.add(r * p.across + c);
    }
  }
  const words = `${p.left.length ? tr("{share} % was on the screen at full size", { share: p.share }) : tr("All of it was on the screen at full size")}${p.plain ? tr(", large plain parts at half") : ""}.`;
  if (at("seen").textContent !== words) { at("seen").textContent = words; gate(); }
  at("next").disabled = !p.left.length;
}

function whole(safeId) {
  const p = parts();
  return safeId === current && p !== null && !p.left.length;
}

function go(n, across) {
  at("frame").scrollTo(n % across * CELL * scale(), Math.floor(n / across) * CELL * scale());
  at("frame").scrollIntoView({ block: "nearest" });
}

// On to what was not seen yet: at full size first, then what is plain at half.
function next() {
  const p = parts();
  if (!p || !p.left.length) return;
  const fine = p.left.filter(n => p.need[n] !== "1");
  zoom = fine.length ? 1 : 0.5; size();
  go(fine.length ? fine[0] : p.left[0], p.across);
}

// The whole picture in small: what was not seen is striped, what is in view has a frame.
function map(p) {
  const into = at("map"), ratio = window.devicePixelRatio || 1;
  if (p) into.style.aspectRatio = `${p.image.naturalWidth} / ${p.image.naturalHeight}`;
  const wide = Math.round(into.clientWidth * ratio), high = Math.round(into.clientHeight * ratio);
  const drawn = p ? [p.key, p.left.length, Boolean(p.need), wide, high, ...inView().map(Math.round)].join() : "";
  into.style.visibility = p ? "visible" : "hidden";
  if (drawn === drawnMap || !p || !wide) return;
  drawnMap = drawn;
  into.width = wide; into.height = high;
  const pen = into.getContext("2d"), s = Math.min(wide / p.image.naturalWidth, high / p.image.naturalHeight);
  pen.drawImage(p.image, 0, 0, p.image.naturalWidth * s, p.image.naturalHeight * s);
  pen.beginPath();
  for (const n of p.left) pen.rect(n % p.across * CELL * s, Math.floor(n / p.across) * CELL * s, CELL * s, CELL * s);
  pen.save(); pen.clip(); pen.beginPath();
  for (let x = -high; x < wide; x += 6 * ratio) { pen.moveTo(x, high); pen.lineTo(x + high, 0); }
  pen.lineWidth = 2 * ratio; pen.strokeStyle = "#000"; pen.stroke();
  pen.lineWidth = ratio; pen.strokeStyle = "#fff"; pen.stroke();
  pen.restore();
  const [x0, y0, x1, y1] = inView();
  pen.lineWidth = 2 * ratio; pen.strokeStyle = "#fc0"; pen.strokeRect(x0 * s, y0 * s, (x1 - x0) * s, (y1 - y0) * s);
}

function toPlace(event) {
  const p = parts();
  if (!p) return;
  const into = at("map").getBoundingClientRect(), s = Math.min(into.width / p.image.naturalWidth, into.height / p.image.naturalHeight);
  if (!zoom) { zoom = 1; size(); }
  const frame = at("frame");
  frame.scrollTo((event.clientX - into.left) / s * scale() - frame.clientWidth / 2, (event.clientY - into.top) / s * scale() - frame.clientHeight / 2);
}
