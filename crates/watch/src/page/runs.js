// The page of one run, or of several compared, whose table is the legend: curves that grow.
import { badge, duration, element, follow, marked, number, progress, runsAddress, share, synthetic, timeLeft, when } from '/page.js';
import { averaged, Charts } from '/charts.js';

const STEP_TITLES = { loss: 'Loss by step', learning_rate: 'Learning rate by step', gradient_norm: 'Gradient norm by step', update_ratio: 'Update ratio by step' };
// Loss first, whatever else there is.
const RANKS = { 'epoch loss': 0, 'epoch val_loss': 1, 'step loss': 2, 'step learning_rate': 4, 'epoch learning_rate': 4, 'step gradient_norm': 5, 'step update_ratio': 6 };
const OTHER_METRIC = 3;
const whole = value => value.toLocaleString('en');
const LOGARITHMIC = new Set(['gradient_norm', 'update_ratio']);

export const show = (main, names) => {
  const one = names.length === 1;
  const runs = new Map(names.map(name => [name, { name, epochs: [], steps: {} }]));
  const head = element('div', { className: 'runhead' });
  const charts = element('div', { className: 'charts' });
  const note = element('p', { className: 'muted', role: 'status' });
  main.append(element('h1', {}, one ? names[0] : `${names.length} runs compared`), head, note, charts);
  document.title = one ? names[0] : 'Compare · Converge';
  const drawn = new Charts(charts);
  const smoothing = document.getElementById('smoothing');
  smoothing.closest('label').hidden = false;

  const asked = element('span', { role: 'status' });
  const stop = element('button', { type: 'button', id: 'stop', className: 'stop' }, 'stop this run');
  stop.onclick = async () => {
    if (!confirm('Stop this run after its step? It is saved, and goes on with “converge train --resume”.')) return;
    stop.disabled = true;
    try {
      const answer = await fetch(`/runs/${encodeURIComponent(names[0])}/stop`, { method: 'POST' });
      asked.textContent = await answer.text();
      stop.disabled = answer.ok;
    } catch (error) {
      asked.textContent = `The server does not answer: ${error.message}`;
      stop.disabled = false;
    }
  };

  const facts = run => {
    const list = element('dl', { className: 'facts' });
    const fact = (name, ...value) => list.append(element('div', {}, element('dt', {}, name), element('dd', {}, ...value)));
    fact('state', badge(run));
    fact('epochs', progress(run));
    if (run.state === 'running') fact('time left', run.ends ? timeLeft(run.ends) : 'known after an epoch');
    fact('trained for', duration(run.seconds));
    const last = runs.get(run.name).last;
    if (last) fact('step', run.steps ? `${whole(last)} of ${whole(run.steps)}` : whole(last));
    if (run.monitor) fact(`last ${run.monitor}`, number(run.last));
    if (run.best_epoch) fact(`best ${run.monitor}`, `${number(run.best)} in epoch ${run.best_epoch}`);
    fact('started', when(run.started));
    if (run.device) fact('device', run.device);
    if (run.seed !== null) fact('seed', String(run.seed));
    return list;
  };
  const verdict = (said, running) => element('div', { className: `verdict ${said.label}` },
    element('strong', {}, said.label.replaceAll('_', ' ')), ' ',
    element('span', { className: 'muted' }, `${running ? 'so far, ' : ''}${share(said.confidence)} sure`), element('p', {}, ...marked(said.summary)));
  const headOfOne = ({ summary: run, gone }) => {
    if (gone) return [element('p', { className: 'error' }, 'There is no such run in the folder, or it was removed.')];
    if (!run) return [];
    const said = run.verdict;
    const warning = said?.warning;
    const running = run.state === 'running';
    if (!running) asked.textContent = '';
    return [
      run.synthetic && element('div', { className: 'banner' }, element('strong', {}, 'SYNTHETIC DATA'), run.synthetic),
      run.problem && element('p', { className: 'missing error' }, ...marked(run.problem)),
      facts(run),
      run.state === 'killed' && element('p', { className: 'missing' }, 'The process that trained it is gone. It goes on with ',
        element('code', {}, 'converge train --resume'), ' and the folder of the run, and this page with it.'),
      run.stopped && element('p', {}, 'Ended: ', ...marked(run.stopped), '.'),
      running && !run.unstoppable && element('p', {}, stop, ' ', asked),
      running && run.unstoppable && element('p', { className: 'muted' }, `It cannot be stopped from here: ${run.unstoppable}.`),
      warning && element('p', { className: 'missing' }, element('strong', {}, `${warning.severity}: `), ...marked(warning.message), ' ', ...marked(warning.change)),
      said && verdict(said, running),
    ];
  };
  const headOfMany = () => {
    const header = ['run', 'state', 'epochs', 'last', 'best', 'verdict so far'];
    const rows = [...runs.values()].map(({ name, summary: run, gone }, at) => element('tr', {},
      element('td', {}, swatch(at), element('a', { href: runsAddress([name]) }, name), run && synthetic(run)),
      ...(run && !gone ? [[badge(run)], [progress(run)], [number(run.last)], [run.best_epoch ? `${number(run.best)} in ${run.best_epoch}` : '–'], [run.verdict?.label.replaceAll('_', ' ') ?? '–']] : [['not in the folder'], [], [], [], []])
        .map(cell => element('td', {}, ...cell))));
    return [element('div', { className: 'wide' }, element('table', {},
      element('thead', {}, element('tr', {}, ...header.map(text => element('th', {}, text)))), element('tbody', {}, ...rows)))];
  };
  const swatch = at => {
    const made = element('span', { className: 'swatch' });
    made.style.borderTopColor = `var(--s${at % 7})`;
    made.style.borderTopStyle = dash(at) ? 'dashed' : 'solid';
    return made;
  };
  const dash = at => ['solid', 'dash', 'dot', 'dashdot'][Math.floor(at / 7) % 4].replace('solid', '');

  const metrics = () => {
    const found = new Set([...runs.values()].flatMap(run => Object.keys(run.epochs[0] ?? {})));
    found.delete('epoch');
    return [...found];
  };
  const byEpoch = (run, name) => ({ x: run.epochs.map(row => row.epoch), y: run.epochs.map(row => row[name] ?? null) });
  const title = name => {
    const words = name.replace(/^val_/, 'validation ').replaceAll('_', ' ');
    return `${words[0].toUpperCase()}${words.slice(1)} by epoch`;
  };
  const drawEpochs = () => {
    const known = metrics();
    // Steps tell more of it.
    if ([...runs.values()].some(run => run.steps.learning_rate)) {
      known.splice(known.indexOf('learning_rate') >>> 0, 1);
      drawn.remove('epoch learning_rate');
    }
    for (const name of known.filter(name => one ? !name.startsWith('val_') || !known.includes(name.slice(4)) : true)) {
      const shown = one ? [name, `val_${name}`].filter(name => known.includes(name)) : [name];
      const traces = one
        ? shown.map((metric, at) => ({ name: metric, color: at, ...byEpoch(runs.get(names[0]), metric) }))
        : [...runs.values()].map((run, at) => ({ name: run.name, color: at, dash: dash(at), ...byEpoch(run, name) }));
      const key = `epoch ${name}`;
      drawn.show(key, { title: title(name), x: 'epoch', rank: RANKS[key] ?? OTHER_METRIC, zero: name === 'learning_rate', legend: one, traces });
    }
  };
  const drawSteps = name => {
    const amount = name === 'learning_rate' ? 0 : Number(smoothing.value);
    let size = 1;
    const traces = [...runs.values()].flatMap((run, at) => {
      const curve = run.steps[name];
      if (!curve) return [];
      size = Math.max(size, curve.size);
      const mean = { name: one ? name : run.name, color: at, dash: dash(at), x: curve.buckets.map(one => one[4]), y: averaged(curve.buckets.map(one => one[5]), amount) };
      return one && (curve.size > 1 || amount) && name !== 'learning_rate' ? [{ name, color: at, faint: true, ...envelope(curve.buckets) }, mean] : [mean];
    });
    if (!traces.length) return drawn.remove(`step ${name}`);
    const key = `step ${name}`;
    const caption = size === 1 || name === 'learning_rate' ? '' : one ? `A point stands for ${size} values: the faint line goes from the least to the greatest, the strong one is their mean.` : `A point is the mean of ${size} values.`;
    drawn.show(key, { title: STEP_TITLES[name], x: 'step', caption, rank: RANKS[key], zero: name === 'learning_rate', legend: one, log: LOGARITHMIC.has(name), traces });
  };
  // The least and the greatest of every bucket in their order; a gap where a value was not finite.
  const envelope = buckets => {
    const x = [], y = [];
    for (const [leastX, least, greatestX, greatest, , , gap] of buckets) {
      const ends = [[leastX, least], [greatestX, greatest]].sort((a, b) => a[0] - b[0]);
      for (const [at, value] of leastX === greatestX ? ends.slice(1) : ends) {
        x.push(at);
        y.push(value);
      }
      if (gap) {
        x.push(x.at(-1) ?? null);
        y.push(null);
      }
    }
    return { x, y };
  };
  smoothing.oninput = () => Object.keys(STEP_TITLES).forEach(drawSteps);

  const apply = (run, news) => {
    run.gone = news.gone ?? false;
    if (news.summary) run.summary = news.summary;
    if (news.epochs) run.epochs.splice(news.epochs.kept, Infinity, ...news.epochs.new);
    if (!news.steps) return;
    if (news.steps.restarted) run.steps = {};
    run.problem = news.steps.problem;
    run.last = news.steps.last;
    for (const [name, { size, kept, new: added }] of Object.entries(news.steps.curves)) {
      const curve = run.steps[name] ??= { buckets: [] };
      curve.size = size;
      curve.buckets.splice(kept, Infinity, ...added);
    }
  };
  follow(`/events/runs?names=${names.map(encodeURIComponent).join('%2F')}`, (news, first) => {
    if (first) for (const run of runs.values()) Object.assign(run, { epochs: [], steps: {}, last: null, gone: false });
    for (const one of news.runs ?? []) apply(runs.get(one.name), one);
    if (!first && !news.runs) return;
    head.replaceChildren(...(one ? headOfOne(runs.get(names[0])) : headOfMany()).filter(part => part));
    note.textContent = [...runs.values()].map(run => run.problem).find(text => text) ?? '';
    if (first || news.runs.some(one => one.epochs)) drawEpochs();
    if (first || news.runs.some(one => one.steps)) Object.keys(STEP_TITLES).forEach(drawSteps);
  });
};
