// The page in Chromium, served by the demo's control plane: first over what the demo's mesh really does, then over
// recorded answers in fixtures/, given to the page in place of the service's.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

const require = createRequire(join(process.env.DASHBOARD_MODULES, 'package.json'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const here = import.meta.dirname;
const state = join(mkdtempSync(join(tmpdir(), 'demo-')), 'state');

let demo;
let browser;
let url;

before(async () => {
  const log = createWriteStream(join(tmpdir(), 'demo.log'));
  demo = spawn(join(process.env.BODYGUARD_CHECKOUT, 'bodyguard'), ['demo', '--state', state, '--for', '5m'], { stdio: 'pipe' });
  demo.stdout.pipe(log);
  demo.stderr.pipe(log);
  [browser] = await Promise.all([
    chromium.launch({
      executablePath: process.env.CHROMIUM,
      args: [
        '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--no-proxy-server',
        '--disable-background-networking', '--disable-component-update', '--disable-sync',
      ],
    }),
    eventually('mesh.json', 90_000, () => {
      assert.equal(demo.exitCode, null, `the demo ended: ${readFileSync(join(tmpdir(), 'demo.log'))}`);
      const { telemetry } = JSON.parse(readFileSync(join(state, 'mesh.json'), 'utf8')).controlPlane;
      url = `http://${telemetry}/`;
    }),
  ]);
});

after(async () => {
  await browser?.close();
  await stopDemo();
});

async function stopDemo() {
  if (demo === undefined || demo.exitCode !== null) return;
  const ended = new Promise((resolve) => demo.once('exit', resolve));
  demo.kill('SIGTERM');
  await ended;
}

async function eventually(what, patience, look) {
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      return await look();
    } catch (failure) {
      if (demo.exitCode !== null || Date.now() > deadline) {
        throw new Error(`waited for ${what}: ${failure.message}`, { cause: failure });
      }
      await pause(100);
    }
  }
}

// --- A page, and what can be seen on it -------------------------------------------------------------------------

const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 360, height: 740 };

/**
 * @param answer null for the service's own answers, else how the page is answered
 * @param byHand whether the page's clock stands still until the test moves it
 */
async function open({ answer = null, theme = 'light', size = WIDE, byHand = false } = {}) {
  const context = await browser.newContext({ colorScheme: theme, viewport: size, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const seen = { console: [], hosts: new Set() };
  page.on('console', (message) => seen.console.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => seen.console.push(`uncaught: ${error.stack}`));
  page.on('request', (request) => seen.hosts.add(new URL(request.url()).host));
  if (answer !== null) await page.route('**/api/summary', (route) => answer(route));
  if (byHand) {
    // It goes from when it is installed, and can only be stopped at a moment that is still to come.
    const now = Date.now();
    await page.clock.install({ time: now - 10_000 });
    await page.clock.pauseAt(now);
  }
  await page.goto(url);
  await page.locator('.verdict').waitFor();
  return { page, seen, close: () => context.close() };
}

function recorded(name) {
  return JSON.parse(readFileSync(join(here, 'fixtures', `${name}.json`), 'utf8'));
}

/** Answers with a recorded summary as if it were made now. */
const saying = (name) => (route) =>
  route.fulfill({ json: { ...recorded(name), generatedAt: new Date().toISOString() } });

const photograph = (page, name) =>
  page.screenshot({ path: join(process.env.DASHBOARD_PHOTOS, `${name}.png`), fullPage: true });

/** The table as a person reads it. */
async function rows(page) {
  return page.locator('tbody tr').evaluateAll((all) => all.map((row) => {
    const [rate, success, p50, p99, retries] = [...row.querySelectorAll('td')].map((cell) => cell.innerText.trim());
    return {
      edge: row.querySelector('button').innerText.replace(/\s+/g, ' ').trim(),
      health: row.querySelector('.chip').innerText.trim(),
      lock: row.querySelector('.lock').innerText.trim().replace(/\s/g, ' '),
      rate, success, p50, p99, retries,
    };
  }));
}

const figure = (text) => Number.parseFloat(text.replace(/[<,]/g, ''));

async function assertAccessible(page, what) {
  // Not as a script element, which the page's own policy would refuse.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const serious = violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `${what}: ${v.id}: ${v.help}: ${v.nodes.map((n) => `${n.html} ${n.any[0]?.message ?? ''}`).join('\n  ')}`);
  assert.deepEqual(serious, []);
}

// --- What the demo's mesh does ----------------------------------------------------------------------------------

describe('over the demo', () => {
  const V1 = /checkout.* → .*payment-service.*v1/;
  const V2 = /checkout.* → .*payment-service.*v2/;
  let shown;

  before(async () => {
    const rules = join(state, 'mesh', 'payments.yaml');
    const whole = /^( *)- destination:\n.*\n.*subset: v2\n/m;
    const half = (subset) => `$1- destination: {host: payment-service, subset: ${subset}}\n$1  weight: 50\n`;
    const split = readFileSync(rules, 'utf8').replace(whole, half('v1') + half('v2'));
    assert.match(split, /weight: 50/, 'the sample routes all to v2, by one destination');
    writeFileSync(rules, split);
    shown = await open();
  });
  after(() => shown.close());

  it('shows both versions of payment-service with rate, success, latency and lock', async () => {
    const found = await eventually('traffic to v1 and v2 in the table', 30_000, async () => {
      const all = await rows(shown.page);
      for (const edge of [V1, V2]) {
        const row = all.find((r) => edge.test(r.edge));
        assert.ok(row, `an edge ${edge} in ${JSON.stringify(all)}`);
        assert.ok(figure(row.rate) > 0, `rate of ${JSON.stringify(row)}`);
        assert.match(row.rate, /req\/s$/);
        assert.match(row.success, /^\d+(\.\d+)?\s%$/);
        for (const latency of [row.p50, row.p99]) assert.match(latency, /^\d+(\.\d+)?\s(ms|s)$/);
        assert.equal(row.lock, 'mTLS');
      }
      const cards = await shown.page.locator('.card').allInnerTexts();
      assert.equal(cards.length, all.length, 'one card on each edge of the graph');
      for (const card of cards) assert.match(card.replace(/\s+/g, ' '), /mTLS.*req\/s.*%.*p50 .*s p99 .*s/);
      return all;
    });
    console.log(found.map((r) => `# ${Object.values(r).join('  ')}`).join('\n'));
  });

  it('changes by itself', async () => {
    const { page } = shown;
    // Pinned: otherwise the details are those of the worst edge, which may become another one.
    await page.locator('tbody button', { hasText: 'v1' }).last().click();
    await page.mouse.move(0, 0);
    const requests = async () => figure(await page.locator('.details .figures dd').first().innerText());
    const first = await requests();
    await eventually(`more than ${first} requests`, 30_000, async () => assert.ok(await requests() > first, `${await requests()}`));
    await page.keyboard.press('Escape');
  });

  it('tells responses, retries and identities of the edge that has the focus', async () => {
    const { page } = shown;
    const button = page.locator('tbody button', { hasText: 'v2' }).first();
    await page.keyboard.press('Tab');
    await button.focus();
    const details = page.locator('.details');
    await eventually('its details', 30_000, async () =>
      assert.equal(await details.locator('h2 .ends').innerText(), await button.innerText()));
    const text = await details.innerText();
    assert.match(text, /200\s+[\d,]+/);
    assert.match(text, /Retries/);
    assert.match(text, /spiffe:\/\/cluster\.local\/ns\/default\/sa\/checkout/);
    assert.match(text, /spiffe:\/\/cluster\.local\/ns\/default\/sa\/payment-service/);
  });

  it('asks no other host, and the console stays empty', () => {
    assert.deepEqual([...shown.seen.hosts], [new URL(url).host]);
    assert.deepEqual(shown.seen.console, []);
  });

  it('is served with a strict content security policy', async () => {
    const headers = (await shown.page.request.get(url)).headers();
    assert.match(headers['content-security-policy'], /^default-src 'self';/);
    assert.doesNotMatch(headers['content-security-policy'], /unsafe/);
  });

  for (const theme of ['light', 'dark']) {
    it(`is accessible and photographed, ${theme}, wide and narrow`, async () => {
      for (const [name, size] of [['wide', WIDE], ['narrow', NARROW]]) {
        const { page, close } = await open({ theme, size });
        await page.locator('.card').first().waitFor();
        if (size === WIDE) await assertAccessible(page, `${theme} ${name}`);
        await photograph(page, `demo-${theme}-${name}`);
        await close();
      }
    });
  }
});

// --- What a mesh seldom does ------------------------------------------------------------------------------------

describe('over recorded answers', { concurrency: 3 }, () => {
  it('names the edge that fails, and puts it first', async () => {
    const { page, close } = await open({ answer: saying('failing') });
    assert.equal(await page.locator('.headline').innerText(), '1 of 6 edges is failing: checkout v1 → payment-service v2');
    const all = await rows(page);
    assert.deepEqual(all.map((r) => r.health), ['failing', 'healthy', 'healthy', 'healthy', 'healthy', 'idle']);
    assert.equal(all[0].edge, 'checkout v1 → payment-service v2');
    assert.match(await page.locator('.details').innerText(), /no response\s+12\s[^]*503\s+301/);
    await close();
  });

  it('shows by colour and text that an edge is not encrypted', async () => {
    const { page, close } = await open({ answer: saying('failing') });
    const locks = (await rows(page)).map((r) => r.lock);
    assert.deepEqual(locks.slice(0, 4), ['mTLS', 'plaintext', '62 % mTLS', 'mTLS']);
    const colour = (nth) => page.locator('tbody .lock').nth(nth).evaluate((e) => getComputedStyle(e).color);
    assert.notEqual(await colour(0), await colour(1));
    await close();
  });

  it('writes hostile names as text', async () => {
    const { page, seen, close } = await open({ answer: saying('hostile') });
    const text = await page.locator('main').innerText();
    assert.ok(text.includes('<img src=x onerror="window.harmed=1">'), text);
    assert.ok(!text.includes('\u202e'), 'nothing turns the direction of text');
    assert.equal(await page.locator('main img, main script, main b b').count(), 0);
    assert.equal(await page.evaluate(() => globalThis.harmed), undefined);
    assert.deepEqual(seen.console, []);
    await close();
  });

  it('says that nobody has joined, or that nobody asks anybody', async () => {
    for (const [name, says] of [['empty', /Nobody has joined/], ['quiet', /No traffic yet/]]) {
      const { page, close } = await open({ answer: saying(name) });
      assert.match(await page.locator('.headline').innerText(), says);
      await close();
    }
  });

  it('says why there are no figures', async () => {
    for (const [answer, says] of [
      [(route) => route.abort('connectionrefused'), /cannot be reached/],
      [(route) => route.fulfill({ status: 503, body: 'starting' }), /answered 503 Service Unavailable: starting/],
      [(route) => route.fulfill({ body: '<html>' }), /not JSON/],
      [(route) => route.fulfill({ json: [] }), /not a summary/],
    ]) {
      const { page, close } = await open({ answer });
      assert.match(await page.locator('.headline').innerText(), says);
      await close();
    }
  });

  it('keeps the last figures when the service is gone, and says since when', async () => {
    let gone = false;
    const { page, close } = await open({ answer: (route) => (gone ? route.abort() : saying('failing')(route)) });
    assert.equal((await rows(page)).length, 6);
    gone = true;
    await page.getByText('Not connected').waitFor();
    assert.equal((await rows(page)).length, 6);
    assert.match(await page.locator('.verdict').innerText(), /What you see is from \d\d:\d\d:\d\d/);
    await photograph(page, 'unreachable');
    gone = false;
    await page.getByText('Live').waitFor();
    await close();
  });

  it('says that figures are stale when they do not advance', async () => {
    const { page, close } = await open({ answer: (route) => route.fulfill({ json: recorded('normal') }), byHand: true });
    await page.clock.runFor(9_000);
    assert.equal(await page.getByText('its figures do not advance').count(), 0);
    await page.clock.runFor(5_000);
    await page.clock.resume();
    await page.getByText('its figures do not advance').waitFor();
    await close();
  });

  it('draws what can be looked at, and lists everything', async () => {
    const { page, close } = await open({
      answer: (route) => {
        const summary = recorded('normal');
        const [edge] = summary.edges;
        summary.generatedAt = new Date().toISOString();
        summary.edges = Array.from({ length: 200 }, (_, i) => ({ ...edge, destination: `payment-${i % 40}`, source: `shop-${Math.floor(i / 40)}` }));
        return route.fulfill({ json: summary });
      },
    });
    assert.equal(await page.locator('tbody tr').count(), 200);
    assert.equal(await page.locator('.card').count(), 60);
    assert.match(await page.locator('.note').innerText(), /first 60 of 200 edges/);
    await close();
  });

  it('writes figures with their units, and never rounds a failure away', async () => {
    const { page, close } = await open({ answer: saying('normal') });
    const written = await page.evaluate(async () => {
      const { age, latency, rate, share } = await import('/format.js');
      return [
        rate(0), rate(0.04), rate(9.97), rate(1234.5), rate(null), share(1), share(0.99996), share(0.9995), share(0.42),
        share(0), share(null), latency(0.84), latency(9.96), latency(14.2), latency(999.6), latency(2004), latency(null),
        age(12_300), age(600_000),
      ].map((text) => text.replace(/\s/g, ' '));
    });
    assert.deepEqual(written, [
      '0 req/s', '<0.1 req/s', '10.0 req/s', '1,235 req/s', '–', '100 %', '99.99 %', '99.95 %', '42.0 %',
      '0.0 %', '–', '0.8 ms', '10 ms', '14 ms', '1.00 s', '2.00 s', '–',
      '12 s', '10 min',
    ]);
    await close();
  });

  it('does not move while only figures change', async () => {
    let asked = 0;
    const { page, close } = await open({
      answer: (route) => {
        asked++;
        const summary = recorded('normal');
        summary.generatedAt = new Date().toISOString();
        for (const edge of summary.edges) {
          edge.rate *= asked * 7;
          edge.p99Ms *= asked * 3;
          edge.requests *= asked * 11;
        }
        return route.fulfill({ json: summary });
      },
    });
    const places = () => page.locator('.card, .node, tbody tr, .details, footer').evaluateAll((all) =>
      all.map((e) => JSON.stringify(e.getBoundingClientRect())));
    const first = await places();
    await eventually('two more answers', 30_000, () => assert.ok(asked >= 3));
    await page.waitForFunction(() => true);
    assert.deepEqual(await places(), first);
    await close();
  });

  for (const [fixture, theme, size, name] of [
    ['failing', 'light', WIDE, 'wide'],
    ['failing', 'dark', NARROW, 'narrow'],
    ['hostile', 'light', NARROW, 'narrow'],
    ['quiet', 'dark', WIDE, 'wide'],
  ]) {
    it(`is accessible and fits: ${fixture}, ${theme}, ${name}`, async () => {
      const { page, close } = await open({ answer: saying(fixture), theme, size });
      await page.locator('.node').first().waitFor();
      await assertAccessible(page, fixture);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `${fixture} is ${wider} px wider than the window`);
      await photograph(page, `${fixture}-${theme}-${name}`);
      await close();
    });
  }
});

// --- The end ----------------------------------------------------------------------------------------------------

describe('at the end', () => {
  it('tells that the control plane is gone', async () => {
    const { page, close } = await open();
    await page.locator('.card').first().waitFor();
    await stopDemo();
    await page.getByText('cannot be reached').waitFor();
    assert.ok((await rows(page)).length >= 2, 'the last figures stay');
    await close();
  });
});
