// From the measurements of some rounds to the rows of a table, and the judgement on them.

/** Middle value; of an even number the mean of the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 0 ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[Math.floor(middle)];
}

const KINDS = [
  ['twiml-get', 'TwiML, signed GET'],
  ['twiml-post', 'TwiML, signed POST'],
  ['twiml-forged', 'TwiML, forged POST'],
  ['status', 'status callback'],
  ['token', 'access token'],
];

const timesBetter = (least) => ({ text: `≥ ${least}×`, met: (row) => row.ratio >= least });
// Every round must keep it, not only the middle one.
const below = (limit) => ({ text: `< ${limit} ms`, met: (row) => row.oursMost < limit });
const reached = (rate) => ({ text: `≥ ${rate}/s`, met: (row) => row.oursLeast >= rate });

/** Rates as one reads them, with a comma between the thousands. */
const rate = (perSecond) => `${perSecond.toLocaleString('en-US')}/s`;

/**
 * What is compared, with a flood of `flood` forged requests a second, and each kind paced at the rate
 * that `rates` names. `of` takes it out of the measurements of one side in one round; `more` says that
 * more of it is better; `target` is what dialer-server must keep, where something is promised.
 */
export function measures(flood, rates) {
  return [
    { name: 'start to first good answer', unit: 'ms', of: (side) => side.startUpMs, target: timesBetter(40) },
    { name: 'memory at rest, RSS', unit: 'MiB', of: (side) => side.atRest.rss, target: timesBetter(15) },
    { name: 'memory at rest, PSS', unit: 'MiB', of: (side) => side.atRest.pss },
    {
      name: 'memory after load, RSS',
      unit: 'MiB',
      of: (side) => side.afterLoad.rss,
      target: timesBetter(15),
    },
    { name: 'memory after load, PSS', unit: 'MiB', of: (side) => side.afterLoad.pss },
    { name: 'with a British number: start', unit: 'ms', of: (side) => side.abroad.startUpMs },
    { name: 'with a British number: memory at rest, RSS', unit: 'MiB', of: (side) => side.abroad.atRest.rss },
    ...KINDS.flatMap(([kind, name]) => [
      { name, unit: 'requests/s', of: (side) => side.closed[kind].perSecond, more: true },
      { name: `${name}, processor time`, unit: 'µs', of: (side) => side.closed[kind].cpuUs },
      { name: `${name}, p50 at that throughput`, unit: 'ms', of: (side) => side.closed[kind].p50Ms },
      { name: `${name}, p99 at that throughput`, unit: 'ms', of: (side) => side.closed[kind].p99Ms },
    ]),
    ...KINDS.flatMap(([kind, what]) => {
      const name = `${what} at ${rate(rates[kind])}`;
      const of = (percentile) => (side) => side.paced[kind][percentile];
      return [
        { name: `${name}, p50`, unit: 'ms', of: of('p50Ms'), target: timesBetter(10) },
        { name: `${name}, p99`, unit: 'ms', of: of('p99Ms'), target: timesBetter(3) },
        { name: `${name}, p99.9`, unit: 'ms', of: of('p999Ms') },
      ];
    }),
    { name: 'genuine webhook, quiet, p50', unit: 'ms', of: (side) => side.quiet.genuine.p50Ms },
    { name: 'genuine webhook, quiet, p99', unit: 'ms', of: (side) => side.quiet.genuine.p99Ms },
    {
      name: `flood of ${flood} forged requests a second, answered`,
      unit: 'requests/s',
      of: (side) => side.flood.forged.perSecond,
      more: true,
      // A little is still under way at the end.
      target: reached(Math.floor(flood * 0.99)),
    },
    { name: 'genuine webhook in the flood, p50', unit: 'ms', of: (side) => side.flood.genuine.p50Ms },
    {
      name: 'genuine webhook in the flood, p99',
      unit: 'ms',
      of: (side) => side.flood.genuine.p99Ms,
      target: below(50),
    },
  ];
}

/** One row for each measure: medians of both sides, the ratio over the rounds, and whether it is met. */
export function rows(measures, rounds) {
  return measures.map((measure) => {
    const theirs = rounds.map(({ express }) => measure.of(express));
    const ours = rounds.map(({ dialerServer }) => measure.of(dialerServer));
    // How many times better ours was in the same round: what disturbs a round disturbs both.
    const ratios = rounds.map((_, round) =>
      measure.more ? ours[round] / theirs[round] : theirs[round] / ours[round],
    );
    const row = {
      ...measure,
      theirs: median(theirs),
      ours: median(ours),
      oursLeast: Math.min(...ours),
      oursMost: Math.max(...ours),
      ratio: median(ratios),
      ratioLeast: Math.min(...ratios),
      ratioMost: Math.max(...ratios),
    };
    return { ...row, met: measure.target?.met(row) };
  });
}

/** Every load of one round, with its name. A calibration has only closed ones. */
const loads = ({ closed, paced = {}, quiet, flood }) => [
  ...Object.entries(closed),
  ...Object.entries(paced).map(([kind, load]) => [`${kind}, paced`, load]),
  ...(quiet ? [['genuine, quiet', quiet.genuine]] : []),
  ...(flood ? Object.entries(flood).map(([kind, load]) => [`${kind}, in the flood`, load]) : []),
];

/** What the answers of a side were other than they should be, and what it did not keep, as sentences. */
export function wrongAnswers(side, round) {
  const answers = loads(round)
    .filter(([, load]) => load.wrong > 0 || load.failed > 0)
    .map(
      ([name, { wrong, failed, requests, trouble }]) =>
        `${side}, ${name}: ${wrong} wrong and ${failed} missing of ${requests} answers, the first: ${trouble}`,
    );
  const logs = Object.entries(round.paced ?? {})
    .filter(([, { unlogged }]) => unlogged > 0)
    .map(([kind, { unlogged }]) => `${side}, ${kind}, paced: the call log had no room for ${unlogged} events`);
  return [...answers, ...logs];
}

/** From this share of its time on the load tool, not the server, may be what limits a throughput. */
const TOOL_AT_ITS_LIMIT = 0.8;
/** A tool with a processor to itself sends what is due within microseconds. */
const TOOL_LATE_MS = 0.1;
/** From this share of its throughput on a server's latency tells mostly how near its limit is. */
const SIDE_AT_ITS_LIMIT = 0.9;

/**
 * What blurs the figures of a side, as sentences: where the load tool was at its limit or held up, and
 * where the rate of `rates` was too near to what the side could answer in the same round.
 */
export function troubles(side, rounds, rates) {
  return KINDS.flatMap(([kind, name]) => {
    const troubles = [];
    const shares = rounds.map((round) => rates[kind] / round.closed[kind].perSecond);
    if (median(shares) >= SIDE_AT_ITS_LIMIT) {
      const share = Math.round(median(shares) * 100);
      troubles.push(
        `paced at ${share} % of what it could answer in that round; its latency is that of overload`,
      );
    }
    const most = Math.max(...rounds.map((round) => round.closed[kind].toolBusy));
    if (most >= TOOL_AT_ITS_LIMIT) {
      const share = Math.round(most * 100);
      troubles.push(`the load tool was at work ${share} % of the time; the server may be faster`);
    }
    const unlogged = median(rounds.map((round) => round.closed[kind].unlogged / round.closed[kind].sent));
    if (unlogged > 0) {
      const share = Math.ceil(unlogged * 100);
      troubles.push(
        `at its full throughput the call log had no room for ${share} % of the events, which Twilio would be ` +
          'asked for later; at the paced rate it kept every one',
      );
    }
    const late = median(rounds.map((round) => round.paced[kind].lateP99Ms));
    if (late >= TOOL_LATE_MS) {
      troubles.push(
        `the load tool sent 1 % of the requests ${late.toFixed(1)} ms late or later, which is part of their ` +
          'latency; something else used its processor',
      );
    }
    return troubles.map((trouble) => `${side}, ${name}: ${trouble}`);
  });
}
