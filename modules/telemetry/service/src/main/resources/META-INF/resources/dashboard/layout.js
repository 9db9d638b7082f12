// Where nodes, the boxes of their services and the cards of edges go. The same mesh always looks the same: the layout
// depends on who is there and who talks to whom, not on figures.

import './webjars/dagre/dist/dagre.min.js';

const { graphlib, layout } = globalThis.dagre;

/** Room around the nodes of a service, and for the service's name above them. */
const BOX = { side: 14, top: 38, bottom: 14 };

/** Bends so near to a node or a card are only the algorithm's. */
const NEAR = 80;

/** Around the whole drawing. */
const MARGIN = 8;

const SIZES = {
  roomy: { node: { width: 176, height: 58 }, card: { width: 214, height: 82 }, rank: 58, beside: 62 },
  compact: { node: { width: 132, height: 54 }, card: { width: 162, height: 98 }, rank: 34, beside: 58 },
};

/** The layout that fits a width: from left to right, else from top to bottom, else the narrower one. */
export function place(nodes, edges, width) {
  const options = [
    () => arrange(nodes, edges, 'LR', SIZES.roomy),
    () => arrange(nodes, edges, 'TB', SIZES.roomy),
    () => arrange(nodes, edges, 'TB', SIZES.compact),
  ];
  let best = null;
  for (const option of options) {
    const placed = option();
    if (placed.width <= width) return placed;
    if (best === null || placed.width < best.width) best = placed;
  }
  return best;
}

function arrange(nodes, edges, direction, sizes) {
  const graph = new graphlib.Graph({ compound: true, multigraph: true });
  const boxAtTop = direction === 'TB' ? BOX.top : 0;
  graph.setGraph({
    rankdir: direction,
    nodesep: direction === 'TB' ? BOX.side * 2 + 10 : sizes.beside,
    ranksep: sizes.rank + boxAtTop / 2,
    edgesep: 14,
    marginx: BOX.side + 6,
    marginy: BOX.top + 6,
  });
  graph.setDefaultNodeLabel(() => ({}));
  for (const node of nodes) {
    graph.setNode(node.key, { ...sizes.node });
    graph.setNode(box(node), {});
    graph.setParent(node.key, box(node));
  }
  for (const edge of edges) {
    graph.setEdge(edge.from.key, edge.to.key, { ...sizes.card, labelpos: 'c' }, edge.key);
  }
  layout(graph);

  const boxes = new Map();
  for (const node of nodes) {
    const { left, top, width, height } = corner(graph.node(node.key));
    const around = boxes.get(box(node)) ?? { ...node, left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
    boxes.set(box(node), {
      service: node.service,
      namespace: node.namespace,
      left: Math.min(around.left, left - BOX.side),
      top: Math.min(around.top, top - BOX.top),
      right: Math.max(around.right, left + width + BOX.side),
      bottom: Math.max(around.bottom, top + height + BOX.bottom),
    });
  }
  const across = direction === 'LR'
    ? { along: 'x', aside: 'y', length: 'width', breadth: 'height' }
    : { along: 'y', aside: 'x', length: 'height', breadth: 'width' };
  const lines = new Map(edges.map((e) => [e.key, graph.edge(e.from.key, e.to.key, e.key)]));
  const ports = portsOf(edges, (key) => graph.node(key), lines, across);
  return trimmed({
    nodes: new Map(nodes.map((n) => [n.key, corner(graph.node(n.key))])),
    boxes,
    edges: new Map(edges.map((e) => {
      const line = lines.get(e.key);
      const points = e.from.key === e.to.key ? line.points : through(line, ports.get(e.key), across);
      return [e.key, { points, card: corner(line) }];
    })),
    across,
    isCompact: sizes === SIZES.compact,
  });
}

/** From port to port, into its card on one face and out on the opposite; bends only where other nodes are in the way. */
function through(line, { from, to }, { along, length }) {
  const half = line[length] / 2;
  const on = to[along] >= from[along] ? 1 : -1;
  const face = (side) => ({ ...pick(line), [along]: line[along] + side * half });
  const isFar = (p) => Math.abs(p[along] - from[along]) > NEAR && Math.abs(p[along] - to[along]) > NEAR
    && Math.abs(p[along] - line[along]) > half + NEAR;
  const bends = line.points.slice(1, -1).filter(isFar);
  const before = bends.filter((p) => (line[along] - p[along]) * on > 0);
  return [from, ...before, face(-on), face(on), ...bends.filter((p) => !before.includes(p)), to];
}

const pick = ({ x, y }) => ({ x, y });

/** Where lines leave and reach their nodes: spread over the side that they go to, in the order of where they go. */
function portsOf(edges, nodeAt, lines, { along, aside, length, breadth }) {
  const sides = new Map();
  const ports = new Map(edges.map((e) => [e.key, {}]));
  for (const e of edges) {
    const inner = lines.get(e.key).points.slice(1, -1);
    for (const [end, next] of [['from', inner[0]], ['to', inner.at(-1)]]) {
      const node = nodeAt(e[end].key);
      const ahead = next[along] > node[along];
      const side = JSON.stringify([e[end].key, ahead]);
      if (!sides.has(side)) sides.set(side, { node, ahead, ends: [] });
      sides.get(side).ends.push({ key: e.key, end, next });
    }
  }
  for (const { node, ahead, ends } of sides.values()) {
    ends.sort((a, b) => a.next[aside] - b.next[aside]);
    ends.forEach(({ key, end }, i) => {
      ports.get(key)[end] = {
        [along]: node[along] + (ahead ? 1 : -1) * node[length] / 2,
        [aside]: node[aside] + ((i + 1) / (ends.length + 1) - 0.5) * node[breadth],
      };
    });
  }
  return ports;
}

/** Without the room that the algorithm left around. */
function trimmed({ nodes, boxes, edges, across, isCompact }) {
  const cards = [...edges.values()].map(({ card }) => ({
    left: card.left, top: card.top, right: card.left + card.width, bottom: card.top + card.height,
  }));
  const all = [...boxes.values(), ...cards];
  const least = (side) => Math.min(...all.map((a) => a[side])) - MARGIN;
  const [left, top] = all.length === 0 ? [0, 0] : [least('left'), least('top')];
  const moved = (rect) => ({ ...rect, left: rect.left - left, top: rect.top - top });
  const values = (map, change) => new Map([...map].map(([key, value]) => [key, change(value)]));
  return {
    isCompact,
    width: all.length === 0 ? 0 : Math.ceil(Math.max(...all.map((a) => a.right)) - left + MARGIN),
    height: all.length === 0 ? 0 : Math.ceil(Math.max(...all.map((a) => a.bottom)) - top + MARGIN),
    nodes: values(nodes, moved),
    boxes: values(boxes, (b) => {
      const width = b.right - b.left;
      const at = moved({ left: b.left, top: b.top, width, height: b.bottom - b.top });
      const title = { left: at.left + BOX.side, top: at.top + 8, most: width - 2 * BOX.side };
      return { service: b.service, namespace: b.namespace, ...at, title };
    }),
    edges: values(edges, ({ points, card }) => ({
      path: curve(points.map(({ x, y }) => ({ x: x - left, y: y - top })), across),
      card: moved(card),
    })),
  };
}

const box = ({ namespace, service }) => `service ${JSON.stringify([namespace, service])}`;

const corner = ({ x, y, width, height }) => ({ left: x - width / 2, top: y - height / 2, width, height });

/** Leaves, passes and arrives in the direction of the whole drawing. */
function curve(points, { along }) {
  const at = ({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  let path = `M ${at(points[0])}`;
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    const middle = (a[along] + b[along]) / 2;
    path += ` C ${at({ ...a, [along]: middle })} ${at({ ...b, [along]: middle })} ${at(b)}`;
  }
  return path;
}
