// Measures WebSocket round trips on the home page and shows them.

const PERIOD = 1000; // ms from one echo to the next ping
const PATIENCE = 5000; // ms without an echo until the connection counts as lost
const FIRST_DELAY = 500; // ms before the first new try; doubles with each
const LONGEST_DELAY = 30000;
const BARS = 60;
const TOP = 20; // the height of the graph in its own units
const TOP_TIME = 1000; // ms that reach it; the scale is logarithmic

const root = document.getElementById("ping");
const state = document.getElementById("ping-state");
const detail = document.getElementById("ping-detail");
const graph = document.getElementById("ping-graph");
const summary = document.getElementById("ping-summary");

// In ms; Infinity where the connection was lost, 0 where nothing is known yet.
const times = new Array(BARS).fill(0);
let socket = null;
let timer = 0;
let failures = 0;
let number = 0;
let sentAt = 0;

function show(name, more = "") {
  root.dataset.state = name;
  // A live region: written only when it changes, or it would be read every second.
  const said = words(name);
  if (state.textContent !== said) state.textContent = said;
  detail.textContent = more && `, ${more}`;
}

function connect() {
  disconnect();
  show(failures ? "reconnecting" : "connecting");
  socket = new WebSocket(root.dataset.url);
  socket.addEventListener("open", ping);
  socket.addEventListener("message", receive);
  socket.addEventListener("close", lose);
  timer = setTimeout(lose, PATIENCE);
}

function disconnect() {
  clearTimeout(timer);
  if (!socket) return;
  socket.removeEventListener("open", ping);
  socket.removeEventListener("message", receive);
  socket.removeEventListener("close", lose);
  socket.close();
  socket = null;
}

function ping() {
  clearTimeout(timer);
  timer = setTimeout(lose, PATIENCE);
  number += 1;
  sentAt = performance.now();
  socket.send(String(number));
}

function receive(event) {
  if (event.data !== String(number)) return;
  const time = performance.now() - sentAt;
  clearTimeout(timer);
  timer = setTimeout(ping, PERIOD);
  failures = 0;
  record(time);
  show("connected", `${Math.ceil(time)} ms`);
}

function lose() {
  disconnect();
  record(Infinity);
  // Jittered, so that all pages do not come back in the same moment.
  const ceiling = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** failures);
  const delay = ceiling * (0.5 + Math.random() / 2);
  failures += 1;
  show("offline", words("next-try", { seconds: Math.ceil(delay / 1000) }));
  timer = setTimeout(connect, delay);
}

function record(time) {
  times.shift();
  times.push(time);
  graph.replaceChildren(...times.map(bar));
  const measured = times.filter((item) => item > 0 && item < Infinity);
  if (measured.length === 0) return;
  measured.sort((a, b) => a - b);
  const median = Math.ceil(measured[Math.floor(measured.length / 2)]);
  const slowest = Math.ceil(measured.at(-1));
  summary.textContent = words("last-minute", { median, slowest });
}

function bar(time, index) {
  const part = Math.log1p(Math.min(time, TOP_TIME)) / Math.log1p(TOP_TIME);
  const height = Math.max(part * TOP, 0.5);
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  rect.setAttribute("x", index);
  rect.setAttribute("y", TOP - height);
  rect.setAttribute("width", 0.7);
  rect.setAttribute("height", height);
  if (time === 0) rect.classList.add("empty");
  if (time === Infinity) rect.classList.add("lost");
  return rect;
}

function start() {
  failures = 0;
  if (document.hidden) {
    // Not at once: a page that goes away is hidden first, and says better why it goes.
    setTimeout(pause);
  } else {
    connect();
  }
}

function pause() {
  if (!document.hidden) return;
  disconnect();
  show("paused");
}

document.addEventListener("visibilitychange", start);
window.addEventListener("online", start);
graph.replaceChildren(...times.map(bar));
start();
