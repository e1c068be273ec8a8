import assert from 'node:assert/strict';
import { test } from 'node:test';

import { measures, median, rows, troubles, wrongAnswers } from './figures.mjs';

const load = (perSecond, p50Ms, p99Ms) => ({
  perSecond,
  p50Ms,
  p99Ms,
  p999Ms: p99Ms,
  requests: 10,
  wrong: 0,
  failed: 0,
});
const KINDS = ['twiml-get', 'twiml-post', 'twiml-forged', 'status', 'token'];
const of = (each) => Object.fromEntries(KINDS.map((kind) => [kind, each]));
const RATES = of(1_500);

/** One round in which everything takes `ms` milliseconds or MiB. */
function side(ms, floodP99Ms = ms) {
  const each = { ...load(1000 / ms, ms, ms), cpuUs: ms, toolBusy: 0.1 };
  return {
    startUpMs: ms,
    atRest: { rss: ms, pss: ms },
    afterLoad: { rss: ms, pss: ms },
    abroad: { startUpMs: ms, atRest: { rss: ms, pss: ms } },
    closed: of(each),
    // Another figure than that of the closed load, so that they cannot be mixed up.
    paced: of({ ...load(1500, ms / 2, ms / 4), lateP99Ms: 0.01 }),
    quiet: { genuine: each },
    flood: { genuine: load(50, ms, floodP99Ms), forged: load(5000, ms, ms) },
  };
}

const row = (rounds, name) => rows(measures(5000, RATES), rounds).find((row) => row.name === name);

test('the median of an even number is between the two in the middle', () => {
  assert.equal(median([4, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

test('a ratio is taken within each round, then the middle one', () => {
  const rounds = [
    { express: side(100), dialerServer: side(1) },
    { express: side(300), dialerServer: side(10) },
    { express: side(100), dialerServer: side(2) },
  ];
  const start = row(rounds, 'start to first good answer');
  assert.deepEqual([start.ratioLeast, start.ratio, start.ratioMost], [30, 50, 100]);
  assert.deepEqual([start.theirs, start.ours], [100, 2]);
});

test('more requests a second are better, more milliseconds worse', () => {
  const rounds = [{ express: side(100), dialerServer: side(10) }];
  assert.equal(row(rounds, 'status callback').ratio, 10);
  assert.equal(row(rounds, 'status callback, p50 at that throughput').ratio, 10);
  assert.equal(row(rounds, 'status callback, processor time').ratio, 10);
});

test('a target is met or missed', () => {
  const start = (ours) =>
    row([{ express: side(100), dialerServer: side(ours) }], 'start to first good answer');
  assert.equal(start(2.5).met, true);
  assert.equal(start(2.6).met, false);
  assert.equal(row([{ express: side(9), dialerServer: side(1) }], 'memory at rest, PSS').met, undefined);
});

test('latency is promised at the rate that is offered to both, not of overloaded servers', () => {
  const rounds = [{ express: side(100), dialerServer: side(10) }];
  const paced = row(rounds, 'status callback at 1,500/s, p50');
  assert.deepEqual([paced.theirs, paced.ours, paced.met], [50, 5, true]);
  assert.equal(row(rounds, 'status callback at 1,500/s, p99').ours, 2.5);
  assert.equal(row(rounds, 'status callback, p50 at that throughput').met, undefined);
});

test('one bad round of the flood is enough to miss its target', () => {
  const name = 'genuine webhook in the flood, p99';
  const round = (p99) => ({ express: side(100), dialerServer: side(1, p99) });
  assert.equal(row([round(1), round(1), round(49)], name).met, true);
  assert.equal(row([round(1), round(1), round(50)], name).met, false);
});

test('wrong and missing answers are told', () => {
  const round = side(1);
  assert.deepEqual(wrongAnswers('express', round), []);
  round.flood.genuine = { ...round.flood.genuine, wrong: 2, failed: 1, trouble: 'status 503: ' };
  assert.deepEqual(wrongAnswers('express', round), [
    'express, genuine, in the flood: 2 wrong and 1 missing of 10 answers, the first: status 503: ',
  ]);
});

test('wrong answers to paced requests are told too', () => {
  const round = side(1);
  round.paced.token = { ...round.paced.token, failed: 3, trouble: 'no answer' };
  assert.deepEqual(wrongAnswers('express', round), [
    'express, token, paced: 0 wrong and 3 missing of 10 answers, the first: no answer',
  ]);
});

test('where the load tool was at its limit or late is told', () => {
  const rounds = [side(1), side(1)];
  assert.deepEqual(troubles('dialer-server', rounds, of(100)), []);
  rounds[1].closed.token = { ...rounds[1].closed.token, toolBusy: 0.9 };
  assert.deepEqual(troubles('dialer-server', rounds, of(100)), [
    'dialer-server, access token: the load tool was at work 90 % of the time; the server may be faster',
  ]);
  for (const round of rounds) round.paced.status = { ...round.paced.status, lateP99Ms: 4 };
  assert.match(
    troubles('express', rounds, of(100))[0],
    /^express, status callback: the load tool sent 1 % of the requests 4\.0 ms late/,
  );
});

test('a rate that is nearly all a side can answer is told', () => {
  // A thousand requests a second.
  const rounds = [side(1)];
  assert.deepEqual(troubles('express', rounds, { ...of(800), token: 950 }), [
    'express, access token: paced at 95 % of what it could answer in that round; its latency is that of overload',
  ]);
});

test('events that the call log had no room for are told, and are a fault at the paced rate', () => {
  const round = side(1);
  round.closed.status = { ...round.closed.status, sent: 1_000, unlogged: 250 };
  assert.deepEqual(wrongAnswers('dialer-server', round), []);
  assert.match(
    troubles('dialer-server', [round], of(100))[0],
    /^dialer-server, status callback: at its full throughput the call log had no room for 25 % /,
  );
  round.paced.status = { ...round.paced.status, unlogged: 1 };
  assert.deepEqual(wrongAnswers('dialer-server', round), [
    'dialer-server, status, paced: the call log had no room for 1 events',
  ]);
});
