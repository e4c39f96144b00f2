// The start page: all runs of the folder, newest first; some can be picked and compared.
import { badge, duration, element, follow, marked, number, progress, runsAddress, synthetic, timeLeft, when } from '/page.js';

// As many as the server follows in one stream.
const MOST = 24;

export const show = main => {
  const runs = new Map(), rows = new Map(), picked = new Set();
  const count = element('span', { className: 'muted' });
  const filter = element('input', { type: 'search', placeholder: 'filter by name, state or verdict', ariaLabel: 'filter' });
  const compare = element('button', { type: 'button', id: 'compare', disabled: true }, 'compare');
  const body = element('tbody');
  const heads = ['', 'run', 'state', 'epochs', 'last', 'best', 'verdict so far', 'time', 'started'];
  const table = element('table', { className: 'runs' },
    element('thead', {}, element('tr', {}, ...heads.map(head => element('th', {}, head)))), body);
  const empty = element('p', { className: 'muted', hidden: true },
    'There is no run in this folder yet. One shows up here as soon as it begins: ',
    element('code', {}, 'converge train mnist'));
  main.append(element('h1', {}, 'Runs'), element('div', { className: 'tools' }, filter, compare, count), empty, table);

  const showPicked = () => {
    compare.disabled = picked.size < 2 || picked.size > MOST;
    compare.textContent = picked.size < 2 ? 'compare: pick two or more'
      : picked.size > MOST ? `compare: pick ${MOST} at most` : `compare ${picked.size}`;
  };
  compare.onclick = () => { location.href = runsAddress([...picked]); };
  showPicked();

  const pick = run => {
    const box = element('input', { type: 'checkbox', checked: picked.has(run.name), ariaLabel: `pick ${run.name}` });
    box.onchange = () => {
      if (box.checked) picked.add(run.name); else picked.delete(run.name);
      showPicked();
    };
    return box;
  };
  const verdict = run => {
    const said = run.verdict;
    if (run.problem) return [element('span', { className: 'error' }, ...marked(run.problem))];
    if (!said) return ['–'];
    const label = element('span', { className: `label ${said.label}`, title: said.summary }, said.label.replaceAll('_', ' '));
    const warning = said.warning && element('div', { className: 'warning' }, ...marked(said.warning.message));
    return [label, warning];
  };
  const value = (run, which) => which === null || which === undefined ? '–' :
    element('span', { title: run.monitor ?? '' }, number(which));
  const time = run => {
    if (run.state === 'running') {
      return run.ends ? element('span', {}, timeLeft(run.ends), ' left') : 'in its first epoch';
    }
    return duration(run.seconds);
  };
  const row = run => {
    const best = run.best_epoch ? element('span', {}, value(run, run.best), element('span', { className: 'muted' }, ` in ${run.best_epoch}`)) : '–';
    const cells = [
      [pick(run)],
      [element('a', { href: runsAddress([run.name]) }, run.name), synthetic(run)],
      [badge(run)], [progress(run)], [value(run, run.last), run.monitor && element('div', { className: 'muted' }, run.monitor)], [best],
      verdict(run), [time(run)], when(run.started).split(' ').flatMap(part => [element('span', { className: 'together' }, part), ' ']),
    ];
    const made = element('tr', {}, ...cells.map((cell, at) => {
      const one = element('td', {}, ...cell.filter(part => part));
      one.dataset.head = heads[at];
      return one;
    }));
    made.dataset.run = run.name;
    return made;
  };

  const instant = run => Date.parse(run.started) || 0;
  const order = () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    const matches = run => {
      const text = [run.name, run.state, run.experiment, run.verdict?.label].join(' ').toLowerCase();
      return words.every(word => text.includes(word));
    };
    const sorted = [...runs.values()].sort((a, b) => instant(b) - instant(a) || b.name.localeCompare(a.name));
    const shown = sorted.filter(matches);
    body.replaceChildren(...shown.map(run => rows.get(run.name)));
    const running = sorted.filter(run => run.state === 'running').length;
    count.textContent = `${shown.length === sorted.length ? '' : `${shown.length} of `}${sorted.length} ${sorted.length === 1 ? 'run' : 'runs'}, ${running} running`;
    document.title = running ? `${running} running · Converge` : 'Converge';
    empty.hidden = sorted.length > 0;
    table.hidden = sorted.length === 0;
  };
  filter.oninput = order;

  follow('/events', (news, first) => {
    if (first) {
      runs.clear();
      rows.clear();
    }
    for (const name of news.removed ?? []) {
      runs.delete(name);
      rows.delete(name);
      picked.delete(name);
    }
    for (const run of news.runs ?? []) {
      const old = runs.get(run.name), made = row(run);
      // Only a new run, or one that changes what it is found by, moves.
      if (old && old.state === run.state && old.verdict?.label === run.verdict?.label) rows.get(run.name).replaceWith(made);
      runs.set(run.name, run);
      rows.set(run.name, made);
    }
    if (first || news.runs || news.removed) order();
    showPicked();
  });
};
