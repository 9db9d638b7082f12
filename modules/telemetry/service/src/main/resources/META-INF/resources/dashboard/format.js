// Figures as people read them, units included. A figure that is not known is a dash, never a zero.

const NARROW = '\u202f';
const UNKNOWN = '–';

const known = (value) => typeof value === 'number' && Number.isFinite(value);
const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `48.2 req/s` */
export function rate(perSecond) {
  if (!known(perSecond)) return UNKNOWN;
  if (perSecond > 0 && perSecond < 0.1) return `<0.1${NARROW}req/s`;
  const digits = perSecond >= 100 || perSecond === 0 ? grouped.format(perSecond) : perSecond.toFixed(1);
  return `${digits}${NARROW}req/s`;
}

/** `99.95 %`; rounded down, so that 100 % means that nothing failed. */
export function share(of1) {
  if (!known(of1)) return UNKNOWN;
  if (of1 >= 1) return `100${NARROW}%`;
  const digits = of1 >= 0.99 ? 2 : 1;
  const scale = 10 ** digits;
  // The product of two doubles may fall just short of what it stands for: 0.9995 is 99.94999… otherwise.
  return `${(Math.floor(of1 * 100 * scale + 1e-6) / scale).toFixed(digits)}${NARROW}%`;
}

/** `0.8 ms`, `14 ms`, `1.24 s` */
export function latency(millis) {
  if (!known(millis)) return UNKNOWN;
  if (millis >= 999.5) return `${(millis / 1000).toFixed(millis >= 9_995 ? 1 : 2)}${NARROW}s`;
  return `${millis >= 9.95 ? millis.toFixed(0) : millis.toFixed(1)}${NARROW}ms`;
}

/** `12,345` */
export function count(n) {
  return known(n) ? grouped.format(n) : UNKNOWN;
}

/** `1 edge`, `2 edges` */
export function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** `14:03:22`, local time */
export function time(date) {
  return clock.format(date);
}

/** `12 s`, `3 min` */
export function age(millis) {
  const seconds = Math.max(0, Math.round(millis / 1000));
  if (seconds < 120) return `${seconds}${NARROW}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes}${NARROW}min` : `${Math.floor(minutes / 60)}${NARROW}h`;
}
