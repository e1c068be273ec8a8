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

/**
 * What is compared. `of` takes it out of the measurements of one side in one round; `more` says that
 * more of it is better; `target` is what dialer-server must keep, where something is promised.
 */
export function measures(flood) {
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
    ...KINDS.flatMap(([kind, name]) => [
      { name, unit: 'requests/s', of: (side) => side.closed[kind].perSecond, more: true },
      { name: `${name}, processor time`, unit: 'µs', of: (side) => side.closed[kind].cpuUs },
      { name: `${name}, p50`, unit: 'ms', of: (side) => side.closed[kind].p50Ms, target: timesBetter(10) },
      { name: `${name}, p99`, unit: 'ms', of: (side) => side.closed[kind].p99Ms, target: timesBetter(3) },
    ]),
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

/** What the answers of a side were other than they should be, as sentences. */
export function wrongAnswers(side, round) {
  const loads = [
    ...Object.entries(round.closed),
    ['genuine, quiet', round.quiet.genuine],
    ['genuine, in the flood', round.flood.genuine],
    ['forged, in the flood', round.flood.forged],
  ];
  return loads
    .filter(([, load]) => load.wrong > 0 || load.failed > 0)
    .map(
      ([name, { wrong, failed, requests, trouble }]) =>
        `${side}, ${name}: ${wrong} wrong and ${failed} missing of ${requests} answers, the first: ${trouble}`,
    );
}
