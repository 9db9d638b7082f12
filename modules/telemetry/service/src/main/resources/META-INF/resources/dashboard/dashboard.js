// The page. State comes in (figures, trouble, which edge is looked at), a description of the page comes out; lit-html
// changes what differs, and writes whatever the service tells as text.

import { html, nothing, render, svg } from './webjars/lit-html/lit-html.js';
import { Directive, directive } from './webjars/lit-html/directive.js';
import { repeat } from './webjars/lit-html/directives/repeat.js';
import { age, count, latency, plural, rate, share, time } from './format.js';
import { place } from './layout.js';
import { follow } from './live.js';
import { DEGRADED_BELOW, FAILING_BELOW, label, read, totals, verdict } from './summary.js';

/** Beyond this many edges a drawing shows nothing; the table has them all. */
const MOST_DRAWN = 60;

const page = document.getElementById('page');
const state = {
  live: null,
  hovered: null,
  pinned: null,
  width: 0,
};

// --- Signs and words --------------------------------------------------------------------------------------------

const SIGNS = {
  healthy: svg`<path d="m3.5 8.5 3 3 6-7"/>`,
  degraded: svg`<path d="M8 2.5 1.5 13.5h13zM8 6.5v3.5M8 11.8v.1"/>`,
  failing: svg`<path d="m4 4 8 8M12 4l-8 8"/>`,
  plaintext: svg`<path d="M8 2.5 1.5 13.5h13zM8 6.5v3.5M8 11.8v.1"/>`,
  idle: svg`<path d="M3.5 8h9"/>`,
  unreachable: svg`<path d="m4 4 8 8M12 4l-8 8"/>`,
  stale: svg`<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.5 1.5"/>`,
};

const sign = (status) => html`<svg class="sign" viewBox="0 0 16 16" aria-hidden="true">${SIGNS[status]}</svg>`;

const closed = svg`<path d="M5 7V5a3 3 0 0 1 6 0v2"/><rect x="3" y="7" width="10" height="7" rx="1.5"/>`;
const open = svg`<path d="M5 7V4.5a3 3 0 0 1 5.8-1.1"/><rect x="3" y="7" width="10" height="7" rx="1.5"/>`;

function lock({ mtls }) {
  const whole = mtls === 1;
  const says = mtls === null ? 'unknown' : whole ? 'mTLS' : mtls === 0 ? 'plaintext' : `${Math.floor(mtls * 100)}\u202f% mTLS`;
  return html`<span class="lock ${whole ? 'closed' : 'open'}"
    ><svg class="sign" viewBox="0 0 16 16" aria-hidden="true">${whole ? closed : open}</svg>${says}</span>`;
}

const chip = ({ status }) => html`<span class="chip ${status}">${sign(status)}<span>${status}</span></span>`;

const ends = (edge) => html`<span class="ends"
  ><span>${label(edge.from)}</span> <span class="arrow" role="img" aria-label="to">→</span>
  <span>${label(edge.to)}</span></span>`;

// --- The page ---------------------------------------------------------------------------------------------------

function view({ live }) {
  const { figures, trouble, kind, since, at } = live;
  return html`
    <header class="bar">
      <h1><img src="favicon.svg" alt="" width="22" height="22">Bodyguard</h1>
      <p class="connection ${kind ?? 'live'}">${connection(live)}</p>
    </header>
    <section class="verdict ${kind ?? verdict(figures).concern}" aria-label="Summary">
      ${trouble === null ? judged(figures) : troubled(trouble, kind, since, at)}
      ${figures === null ? nothing : tiles(figures)}
    </section>
    ${figures === null ? nothing : html`
      <main class=${trouble === null ? '' : 'old'}>
        ${graph(figures)} ${table(figures)} ${details(figures)}
      </main>
      ${legend()}`}`;
}

function connection({ kind, at }) {
  const known = at === null ? '' : ` · ${time(at)}`;
  switch (kind) {
    case null:
      return html`<span class="dot"></span>Live${known}`;
    case 'stale':
      return html`<span class="dot"></span>Stale${known}`;
    default:
      return html`<span class="dot"></span>Not connected`;
  }
}

function judged(figures) {
  const { concern, says } = verdict(figures);
  return html`<div class="says">
    <p class="headline" role="status">${sign(concern)}<span>${says}</span></p>
    <p class="more">${advice(figures, concern)}</p>
  </div>`;
}

function advice({ edges, workloads, windowSeconds }, concern) {
  if (edges.length === 0) {
    return workloads.length === 0
      ? html`<code>bodyguard sidecar --service NAME … -- COMMAND</code> starts one.`
      : html`${plural(workloads.length, 'workload')} joined. An edge appears with its first request.`;
  }
  const worst = edges[0];
  if (concern === 'failing' || concern === 'degraded') {
    const failed = worst.responses
      .filter((r) => r.failed)
      .sort((a, b) => b.count - a.count)
      .map((r) => `${meaning(r.code)} × ${count(r.count)}`);
    return `${share(worst.success)} of ${rate(worst.rate)} succeeded in the last ${windowSeconds} s`
      + (failed.length > 0 ? `. Failures so far: ${failed.slice(0, 3).join(', ')}` : '');
  }
  const slowest = edges.reduce((a, b) => ((b.p99 ?? -1) > (a.p99 ?? -1) ? b : a));
  return slowest.p99 === null
    ? `In the last ${windowSeconds} s`
    : `In the last ${windowSeconds} s. Slowest: ${label(slowest.from)} → ${label(slowest.to)}, p99 ${latency(slowest.p99)}`;
}

function troubled(trouble, kind, since, at) {
  return html`<div class="says">
    <p class="headline" role="status">${sign(kind)}<span>${trouble}</span></p>
    <p class="more">${at === null
      ? html`Is the control plane running (<code>bodyguard run</code>)? Asking again every 2 s.`
      : `Since ${time(since)}. What you see is from ${time(at)}, ${age(Date.now() - at)} ago. Asking again every 2 s.`}</p>
  </div>`;
}

function tiles(figures) {
  const all = totals(figures);
  const { edges, workloads, spans } = figures;
  const tile = (name, value) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return html`<dl class="tiles">
    ${tile('Requests', rate(all.rate))}
    ${tile('Success', share(all.success))}
    ${tile('Retries', count(all.retries))}
    ${tile('Mutual TLS', edges.length === 0 ? '–' : `${all.encrypted} of ${plural(edges.length, 'edge')}`)}
    ${tile('Workloads', count(workloads.length))}
    ${tile('Spans', count(spans))}
  </dl>`;
}

// --- The graph --------------------------------------------------------------------------------------------------

const put = directive(class extends Directive {
  render() {
    return nothing;
  }

  // By the object model: the content security policy allows no style attributes.
  update({ element }, [{ left, top, width, height, most }]) {
    const sizes = { left, top, width, height, maxWidth: most };
    for (const [name, size] of Object.entries(sizes)) element.style[name] = size === undefined ? '' : `${size}px`;
    return nothing;
  }
});

let arranged = { signature: null, placed: null };

/** The layout, computed anew only where somebody came or went, or the window changed; null where there is none. */
function arrangement(nodes, edges) {
  const signature = JSON.stringify([state.width, nodes.map((n) => [n.key, n.service]), edges.map((e) => e.key)]);
  if (arranged.signature !== signature) arranged = { signature, placed: placedOrNull(nodes, edges) };
  return arranged.placed;
}

// What the library cannot place must not take the table along.
function placedOrNull(nodes, edges) {
  try {
    return place(nodes, edges, state.width);
  } catch (failure) {
    console.error('the graph cannot be laid out', failure);
    return null;
  }
}

function graph({ nodes, edges }) {
  const drawn = edges.slice(0, MOST_DRAWN).sort((a, b) => a.key.localeCompare(b.key, 'en'));
  const parties = new Set(drawn.flatMap((e) => [e.from.key, e.to.key]));
  const shown = edges.length > MOST_DRAWN ? nodes.filter((n) => parties.has(n.key)) : nodes;
  return html`<section class="panel graph" aria-labelledby="graph-name">
    <h2 id="graph-name">Service graph</h2>
    ${edges.length > MOST_DRAWN
      ? html`<p class="note">The first ${MOST_DRAWN} of ${count(edges.length)} edges, worst first; the table has all.</p>`
      : nothing}
    <div class="room">${shown.length === 0
      ? html`<p class="empty">Workloads and who talks to whom will be drawn here.</p>`
      : drawing(shown, drawn)}</div>
  </section>`;
}

function drawing(nodes, edges) {
  const placed = arrangement(nodes, edges);
  if (placed === null) return html`<p class="empty">This graph cannot be drawn. The table has all of it.</p>`;
  const looked = lookedAt();
  return html`<div class="canvas ${placed.isCompact ? 'compact' : ''}" ${put({ width: placed.width, height: placed.height })}>
    ${repeat(placed.boxes, ([key]) => key, ([, b]) => html`
      <div class="service" ${put(b)}></div>`)}
    <svg class="lines" width=${placed.width} height=${placed.height} aria-hidden="true">
      <defs>${['healthy', 'degraded', 'failing', 'plaintext', 'idle'].map((s) => svg`
        <marker id="arrow-${s}" class=${s} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9"
          markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z"/></marker>`)}
      </defs>
      ${repeat(edges, (e) => e.key, (e) => svg`<path class="line ${e.concern} ${e.key === looked ? 'looked' : ''}"
        d=${placed.edges.get(e.key).path} stroke-width=${thickness(e)} marker-end="url(#arrow-${e.concern})"/>`)}
    </svg>
    ${repeat(placed.boxes, ([key]) => key, ([, b]) => html`
      <p class="title" title="${b.service} in namespace ${b.namespace}" ${put(b.title)}
        ><b>${b.service}</b>${b.namespace === 'default' ? nothing : html` <small>${b.namespace}</small>`}</p>`)}
    ${repeat(nodes, (n) => n.key, (n) => node(n, placed.nodes.get(n.key)))}
    ${repeat(edges, (e) => e.key, (e) => card(e, placed.edges.get(e.key).card, e.key === looked))}
  </div>`;
}

const thickness = (e) => (1.5 + Math.min(3, Math.log10(1 + (e.rate ?? 0)))).toFixed(1);

function node(n, where) {
  const members = n.members.map((w) => w.name).join(', ');
  // Inside the box of its service the service's name need not be said again.
  const isVersioned = n.version !== 'unknown';
  const under = n.members.length === 0 ? 'not in the mesh'
    : n.name !== n.service ? n.name
    : plural(n.members.length, 'workload');
  return html`<div class="node ${n.concern}" title="${label(n)}: ${members === '' ? 'not in the mesh' : members}" ${put(where)}>
    <b>${isVersioned ? html`<span class="unseen">${n.service}</span> ${n.version}` : n.name}</b>
    <span>${under}</span>
  </div>`;
}

function card(e, where, looked) {
  return html`<button type="button" class="card ${e.concern} ${looked ? 'looked' : ''}" data-edge=${e.key}
      aria-pressed=${state.pinned === e.key ? 'true' : 'false'} ${put(where)}>
    <span class="unseen">${label(e.from)} to ${label(e.to)}:</span>
    <span class="row">${chip(e)}${lock(e)}</span>
    <span class="row strong"><span>${rate(e.rate)}</span> <span class="success">${share(e.success)}</span></span>
    <span class="row"><span><i>p50</i> ${latency(e.p50)}</span> <span><i>p99</i> ${latency(e.p99)}</span></span>
  </button>`;
}

// --- The table --------------------------------------------------------------------------------------------------

function table({ edges, windowSeconds }) {
  const looked = lookedAt();
  return html`<section class="panel list" aria-labelledby="table-name">
    <h2 id="table-name">Edges, worst first <small>last ${windowSeconds} s</small></h2>
    ${edges.length === 0 ? html`<p class="empty">No edges yet.</p>` : html`<table aria-labelledby="table-name">
      <thead><tr>
        <th scope="col">From → to</th>
        <th scope="col" class="figure">Rate</th>
        <th scope="col" class="figure">Success</th>
        <th scope="col" class="figure roomy">p50</th>
        <th scope="col" class="figure">p99</th>
        <th scope="col" class="figure roomy">Retries</th>
      </tr></thead>
      <tbody>${repeat(edges, (e) => e.key, (e) => html`
        <tr class="${e.concern} ${e.key === looked ? 'looked' : ''}" data-edge=${e.key}>
          <th scope="row"><button type="button" data-edge=${e.key}
            aria-pressed=${state.pinned === e.key ? 'true' : 'false'}>${ends(e)}</button>
            <span class="row">${chip(e)}${lock(e)}</span></th>
          <td class="figure">${rate(e.rate)}</td>
          <td class="figure success">${share(e.success)}</td>
          <td class="figure roomy">${latency(e.p50)}</td>
          <td class="figure">${latency(e.p99)}</td>
          <td class="figure roomy">${count(e.retries)}</td>
        </tr>`)}
      </tbody>
    </table>`}
  </section>`;
}

// --- One edge ---------------------------------------------------------------------------------------------------

function details({ edges }) {
  const edge = edges.find((e) => e.key === lookedAt());
  if (edge === undefined) {
    return html`<section class="panel details" aria-label="Details of an edge">
      <p class="empty">Responses, latencies and identities of an edge will be shown here.</p></section>`;
  }
  const most = Math.max(1, ...edge.responses.map((r) => r.count));
  const figure = (name, value) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return html`<section class="panel details" id="details" aria-labelledby="details-name">
    <h2 id="details-name">${ends(edge)} ${chip(edge)}${lock(edge)}
      ${state.pinned === edge.key ? html`<span class="chip">pinned</span>` : nothing}</h2>
    <div class="parts">
      <div>
        <h3>Responses so far</h3>
        ${edge.responses.length === 0 ? html`<p class="empty">None.</p>` : html`<ul class="responses">
          ${repeat(edge.responses, (r) => r.code, (r) => html`<li class=${r.failed ? 'failing' : 'healthy'}>
            <b>${meaning(r.code)}</b>
            <svg aria-hidden="true" width="100%" height="8"
              ><rect class="track" width="100%" height="8" rx="4"/><rect class="part" width="${(100 * r.count) / most}%"
              height="8" rx="4"/></svg>
            <span class="figure">${count(r.count)}</span></li>`)}
        </ul>`}
      </div>
      <dl class="figures">
        ${figure('Requests so far', count(edge.requests))}
        ${figure('Retries so far', count(edge.retries))}
        ${figure('p50', latency(edge.p50))}
        ${figure('p90', latency(edge.p90))}
        ${figure('p99', latency(edge.p99))}
      </dl>
      <dl class="principals">
        ${figure('Client identity', principals(edge.from))}
        ${figure('Server identity', principals(edge.to))}
        ${figure('Host', edge.service)}
      </dl>
    </div>
  </section>`;
}

const meaning = (code) => (code === '0' ? 'no response' : code);

function principals({ members }) {
  const found = [...new Set(members.map((w) => w.principal))];
  return found.length === 0 ? 'no identity known' : found.map((p) => html`<span>${breakable(p)}</span>`);
}

/** May be broken after each slash, rather than anywhere. */
function breakable(path) {
  return path.split(/(?<=\/)/).map((part) => html`${part}<wbr>`);
}

function legend() {
  return html`<footer>
    <p>${chip({ status: 'failing' })} below ${FAILING_BELOW * 100}\u202f% success</p>
    <p>${chip({ status: 'degraded' })} below ${DEGRADED_BELOW * 100}\u202f%</p>
    <p>${chip({ status: 'idle' })} nothing was asked</p>
    <p>${lock({ mtls: 1 })} every request over mutual TLS</p>
    <p>${lock({ mtls: 0 })} none</p>
    <p class="links"><a href="api/summary">JSON</a> <a href="metrics">Metrics</a></p>
  </footer>`;
}

// --- Looking at an edge -----------------------------------------------------------------------------------------

/** What the pointer or the keyboard is at, else what was pinned, else the worst. */
function lookedAt() {
  const edges = state.live.figures.edges;
  const known = (key) => key !== null && edges.some((e) => e.key === key);
  if (known(state.hovered)) return state.hovered;
  if (known(state.pinned)) return state.pinned;
  return edges[0]?.key ?? null;
}

const edgeOf = (event) => event.target.closest?.('[data-edge]')?.dataset.edge ?? null;

function look(key) {
  if (state.hovered === key) return;
  state.hovered = key;
  draw();
}

page.addEventListener('pointerover', (event) => {
  if (event.pointerType === 'mouse') look(edgeOf(event));
});
page.addEventListener('pointerleave', () => look(null));
page.addEventListener('focusin', (event) => {
  if (event.target.matches(':focus-visible')) look(edgeOf(event));
});
page.addEventListener('focusout', () => look(null));
page.addEventListener('click', (event) => {
  const key = edgeOf(event);
  if (key === null) return;
  state.pinned = state.pinned === key ? null : key;
  draw();
  if (state.pinned !== null) document.getElementById('details')?.scrollIntoView({ block: 'nearest' });
});
page.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  state.pinned = null;
  draw();
});

// --- Drawing ----------------------------------------------------------------------------------------------------

function draw() {
  if (state.live === null) return;
  if (page.querySelector('.before') !== null) page.replaceChildren();
  const focused = document.activeElement;
  render(view(state), page);
  // A row that changed its place has lost the focus.
  if (focused !== document.activeElement && focused.isConnected) focused.focus();
  watchRoom();
}

const resized = new ResizeObserver(([entry]) => {
  const width = Math.floor(entry.contentRect.width);
  if (width === state.width) return;
  state.width = width;
  draw();
});
let watched = null;

function watchRoom() {
  const room = page.querySelector('.room');
  if (room === watched) return;
  if (watched !== null) resized.unobserve(watched);
  if (room !== null) resized.observe(room);
  watched = room;
}

follow('api/summary', read, (live) => {
  state.live = live;
  draw();
});
