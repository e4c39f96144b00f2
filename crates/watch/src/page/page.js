// What all pages share: elements, numbers, the stream of news, colours. Text of runs becomes text nodes.

export const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
};

// Text in which what stands between backticks is code.
export const marked = text => (text ?? '').split('`').map((part, at, all) =>
  at % 2 && all.length % 2 ? element('code', {}, part) : part);

export const number = value => {
  if (value === null || value === undefined) return '–';
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(3) : String(Number(value.toPrecision(4)));
};

export const duration = seconds => {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${whole % 60} s` : `${whole % 60} s`;
};

export const when = text => (text ?? '').slice(0, 16).replace('T', ' ');

export const share = value => value < 0.01 ? 'under 1 %' : value > 0.99 ? 'over 99 %' : `${Math.round(100 * value)} %`;

export const runsAddress = names => `/runs?names=${names.map(encodeURIComponent).join('%2F')}`;

export const badge = run => {
  const state = run.state ?? 'unreadable';
  return element('span', { className: `state ${state}` }, state);
};

export const synthetic = run => run.synthetic &&
  element('span', { className: 'synthetic', title: run.synthetic }, 'synthetic data');

export const progress = run => {
  const all = run.epochs;
  const text = element('span', {}, all ? `${run.epochs_done} of ${all}` : `${run.epochs_done}`);
  if (!all) return text;
  return element('span', { className: 'progress' }, text,
    element('progress', { value: run.epochs_done, max: all, title: `${run.epochs_done} of ${all} epochs` }));
};

// The clock of the server may be another.
let ahead = 0;
export const timeLeft = ends => {
  const text = element('span', { className: 'left' });
  text.dataset.ends = ends;
  tell(text);
  return text;
};
const tell = text => {
  const left = (Number(text.dataset.ends) - Date.now() - ahead) / 1000;
  text.textContent = left > 0 ? duration(left) : 'any moment';
};
setInterval(() => document.querySelectorAll('[data-ends]').forEach(tell), 1000);

// Follows the stream at `address`: `take(news, first)` gets every message; `first` are those that tell all
// anew. The browser connects again by itself, unless the server answered with an error.
export const follow = (address, take) => {
  let source, retry, hidden, ended;
  const told = document.getElementById('connection');
  const connected = yes => {
    told.textContent = yes ? 'live' : ended ? 'the training ended, and this page with it: “converge watch” and the folder of the runs bring it back' : 'no connection, trying again…';
    told.className = yes ? 'live' : 'lost';
  };
  const open = () => {
    let first = true;
    source = new EventSource(address);
    source.onopen = () => { first = true; };
    source.onmessage = event => {
      const news = JSON.parse(event.data);
      ended = news.ended;
      connected(true);
      ahead = news.now - Date.now();
      if (news.load) showLoad(news.load);
      take(news, first);
      first = false;
    };
    source.onerror = () => {
      connected(false);
      if (source.readyState === EventSource.CLOSED) retry = setTimeout(open, 2000);
    };
  };
  const close = () => {
    clearTimeout(retry);
    source.close();
    source = undefined;
  };
  // A browser has six connections to a server, and a page that nobody sees needs none.
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hidden);
    if (document.hidden) hidden = setTimeout(close, 30000);
    else if (!source) open();
  });
  addEventListener('pagehide', close);
  addEventListener('pageshow', () => { if (!source) open(); });
  open();
};

const amount = bytes => bytes < 2 ** 30 ? `${Math.round(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
const showLoad = load => {
  const parts = [];
  if (load.cpu !== null) parts.push(`CPU ${load.cpu} %`);
  if (load.memory !== null) parts.push(`memory ${amount(load.memory)} of ${amount(load.total)}`);
  if (load.run) {
    const cpu = load.run.cpu === null ? '' : `CPU ${load.run.cpu} %, `;
    parts.push(`this run ${cpu}${amount(load.run.memory ?? 0)}`);
  }
  document.getElementById('load').textContent = parts.join(' · ');
};

// Colours.
const root = document.documentElement;
const theme = document.getElementById('theme');
const repaint = () => dispatchEvent(new Event('repaint'));
const setTheme = name => {
  if (name) root.dataset.theme = name; else delete root.dataset.theme;
  repaint();
};
theme.value = localStorage.getItem('theme') ?? '';
setTheme(theme.value);
theme.onchange = () => {
  localStorage.setItem('theme', theme.value);
  setTheme(theme.value);
};
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);

const main = document.querySelector('main');
const names = new URLSearchParams(location.search).get('names');
if (location.pathname === '/runs' && names) import('/runs.js').then(page => page.show(main, names.split('/')));
else import('/list.js').then(page => page.show(main));
