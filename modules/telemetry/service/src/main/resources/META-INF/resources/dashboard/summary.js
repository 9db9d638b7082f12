// Reads what the service answers and judges it: who talks to whom, which edge fails, in which order to look at them.
// Knows nothing of the page.

/** Below this share of successful requests an edge fails, below the next it is degraded. */
export const FAILING_BELOW = 0.99;
export const DEGRADED_BELOW = 0.999;

/** From what needs a person first to what needs none. `plaintext`: it answers well, but not all over mutual TLS. */
const CONCERNS = ['failing', 'degraded', 'plaintext', 'healthy', 'idle'];

const UNKNOWN = 'unknown';

// Without what is invisible, or turns the text around it: a name must look like what it is.
const visible = (value) => value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
const text = (value) => (typeof value === 'string' && value !== '' ? visible(value) : UNKNOWN);
const number = (value) => (typeof value === 'number' && Number.isFinite(value) ? value : null);
const list = (value) => (Array.isArray(value) ? value : []);

/** An answer as the page uses it. Throws where it is none. */
export function read(answer) {
  if (answer === null || typeof answer !== 'object' || !Array.isArray(answer.edges)) {
    throw new Error('answered with something that is not a summary');
  }
  const isObject = (some) => some !== null && typeof some === 'object';
  const workloads = list(answer.workloads).filter(isObject).map((w) => ({
    name: text(w.name),
    namespace: text(w.namespace),
    version: text(w.version),
    service: text(w.service),
    principal: text(w.principal),
  }));
  const edges = answer.edges.filter(isObject).map((e) => edge(e, workloads)).sort(inOrder);
  return {
    generatedAt: Date.parse(answer.generatedAt),
    windowSeconds: number(answer.windowSeconds) ?? 60,
    spans: number(answer.spans),
    workloads,
    edges,
    nodes: nodes(edges, workloads),
  };
}

function edge(e, workloads) {
  const from = party(text(e.source), text(e.sourceNamespace), text(e.sourceVersion), null, workloads);
  const to = party(
    text(e.destination), text(e.destinationNamespace), text(e.destinationVersion), text(e.destinationService), workloads);
  const responses = Object.entries(e.responses ?? {})
    .map(([code, n]) => ({ code: visible(code), count: number(n) ?? 0, failed: isFailure(code) }))
    .sort((a, b) => a.code.localeCompare(b.code, 'en', { numeric: true }));
  const read = {
    key: JSON.stringify([from.key, to.key, text(e.destinationService)]),
    from,
    to,
    service: text(e.destinationService),
    requests: number(e.requests) ?? 0,
    rate: number(e.rate),
    success: number(e.successRate),
    p50: number(e.p50Ms),
    p90: number(e.p90Ms),
    p99: number(e.p99Ms),
    mtls: number(e.mtls),
    retries: number(e.retries),
    responses,
  };
  read.status = status(read);
  read.concern = read.status === 'healthy' && read.mtls !== 1 ? 'plaintext' : read.status;
  return read;
}

// No status at all (0) means that the connection broke.
const isFailure = (code) => !/^[1-4]\d\d$/.test(code);

function status({ requests, success }) {
  if (requests === 0 || success === null) return 'idle';
  if (success < FAILING_BELOW) return 'failing';
  return success < DEGRADED_BELOW ? 'degraded' : 'healthy';
}

function party(name, namespace, version, host, workloads) {
  const members = workloads.filter(
    (w) => w.namespace === namespace && w.version === version && (w.name === name || w.service === name));
  const service = members[0]?.service ?? (host === null || host === UNKNOWN ? name : host.split('.')[0]);
  return { key: JSON.stringify([namespace, name, version]), name, namespace, version, service, members };
}

/** Whoever takes part in an edge, and whoever has joined and does not. In an order that does not depend on figures. */
function nodes(edges, workloads) {
  const found = new Map();
  const add = (p) => {
    if (!found.has(p.key)) found.set(p.key, { ...p, concern: 'idle' });
    return found.get(p.key);
  };
  for (const e of edges) {
    add(e.from);
    const to = add(e.to);
    if (urgency(e) < urgency(to)) to.concern = e.concern;
  }
  const taken = new Set([...found.values()].flatMap((n) => n.members));
  for (const w of workloads) {
    if (!taken.has(w)) add(party(w.name, w.namespace, w.version, null, workloads));
  }
  return [...found.values()].sort((a, b) => a.key.localeCompare(b.key, 'en'));
}

const urgency = ({ concern }) => CONCERNS.indexOf(concern);

// Worst first. Only what a person must act on moves a row: among the healthy the names decide, so that rows stay.
function inOrder(a, b) {
  return urgency(a) - urgency(b)
    || (a.status === 'failing' ? failedPerSecond(b) - failedPerSecond(a) : 0)
    || a.key.localeCompare(b.key, 'en', { numeric: true });
}

// In powers of two: two edges that fail about as much do not swap places all the time.
function failedPerSecond(e) {
  const perSecond = (1 - e.success) * (e.rate ?? 0);
  return perSecond > 0 ? Math.round(Math.log2(perSecond)) : -Infinity;
}

/** `payment-service v2`, or `payment-service-v2-a`, whose name has the version in it. */
export function label({ name, version }) {
  return version === UNKNOWN || name.includes(version) ? name : `${name} ${version}`;
}

/** The sentence to read at three in the morning, and which concern it is about. */
export function verdict({ edges, workloads, windowSeconds }) {
  const all = edges.length;
  const having = (s) => edges.filter((e) => e.status === s);
  const failing = having('failing');
  const degraded = having('degraded');
  const open = edges.filter((e) => e.status !== 'idle' && e.mtls !== 1);
  const first = ([e, ...more]) =>
    `${label(e.from)} → ${label(e.to)}${more.length > 0 ? ` and ${more.length} more` : ''}`;
  const of = (some) => (all === 1 ? 'The only edge' : `${some.length} of ${all} edges`);
  const is = (some) => (some.length === 1 ? 'is' : 'are');

  if (all === 0) {
    return workloads.length === 0
      ? { concern: 'idle', says: 'Nobody has joined this mesh yet' }
      : { concern: 'idle', says: `No traffic yet: nobody asked anybody in the last ${windowSeconds} s` };
  }
  if (failing.length > 0) {
    return { concern: 'failing', says: `${of(failing)} ${is(failing)} failing: ${first(failing)}` };
  }
  if (degraded.length > 0) {
    return { concern: 'degraded', says: `${of(degraded)} ${is(degraded)} degraded: ${first(degraded)}` };
  }
  if (open.length > 0) {
    return { concern: 'plaintext', says: `${of(open)} ${is(open)} not all mutual TLS: ${first(open)}` };
  }
  if (having('idle').length === all) return { concern: 'idle', says: `No traffic: nobody asked anybody in the last ${windowSeconds} s` };
  return { concern: 'healthy', says: all === 1 ? 'The only edge is healthy' : `All ${all} edges are healthy` };
}

/** Requests a second and their success over all edges. */
export function totals({ edges }) {
  const rate = edges.reduce((sum, e) => sum + (e.rate ?? 0), 0);
  const succeeded = edges.reduce((sum, e) => sum + (e.rate ?? 0) * (e.success ?? 1), 0);
  return {
    rate,
    success: rate === 0 ? null : succeeded / rate,
    retries: edges.reduce((sum, e) => sum + (e.retries ?? 0), 0),
    encrypted: edges.filter((e) => e.mtls === 1).length,
  };
}
