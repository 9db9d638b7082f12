// Asks the service again and again, and tells what came of it: figures, or the reason why there are none.

const EVERY = 2_000;
const PATIENCE = 5_000;
/** Figures that have not advanced for so long are stale, though the service answers. */
const STALE_AFTER = 10_000;

/**
 * @param url what to ask
 * @param read turns an answer into figures, or throws
 * @param tell told after every answer: `{figures, at, trouble, since}`; figures stay the last good ones, `at` is when
 *     they came, `trouble` a sentence or null, `since` when it began
 */
export function follow(url, read, tell) {
  let known = { figures: null, at: null, trouble: null, kind: null, since: null };
  let advanced = null;
  let timer = null;
  let asking = false;

  async function ask() {
    if (asking) return;
    asking = true;
    clearTimeout(timer);
    try {
      const figures = read(await answer(url));
      const now = Date.now();
      if (figures.generatedAt !== known.figures?.generatedAt) advanced = now;
      const stale = now - advanced > STALE_AFTER;
      known = {
        figures,
        at: advanced,
        ...(stale ? trouble('stale', 'The telemetry service answers, but its figures do not advance') : none),
      };
    } catch (failure) {
      known = { ...known, ...trouble('unreachable', `The telemetry service ${failure.message}`) };
    } finally {
      asking = false;
    }
    if (!document.hidden) timer = setTimeout(ask, EVERY);
    tell(known);
  }

  const none = { trouble: null, kind: null, since: null };
  const trouble = (kind, says) => ({ kind, trouble: says, since: known.since ?? new Date() });

  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) ask();
  });
  ask();
}

async function answer(url) {
  let response;
  try {
    response = await fetch(url, {
      cache: 'no-store',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch (failure) {
    throw new Error(why(failure));
  }
  let body;
  try {
    body = await response.text();
  } catch (failure) {
    throw new Error(why(failure));
  }
  if (!response.ok) {
    const first = body.trim().split('\n')[0].slice(0, 160);
    throw new Error(`answered ${response.status} ${response.statusText}${first === '' ? '' : `: ${first}`}`);
  }
  try {
    return JSON.parse(body);
  } catch {
    throw new Error('answered with something that is not JSON');
  }
}

// A browser does not tell a page whether a connection was refused or cut.
function why(failure) {
  return failure.name === 'TimeoutError'
    ? `did not answer within ${PATIENCE / 1000} s`
    : `at ${location.host} cannot be reached: connection refused or cut`;
}
