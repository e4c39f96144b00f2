// Charts that grow. plotly.js draws; this gives it the colours of the page, and keeps zoom and switches.
import { element } from '/page.js';

let library;
const load = () => library ??= new Promise((loaded, failed) =>
  document.head.append(element('script', { src: '/plotly.js', onload: loaded, onerror: failed })));

const color = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const faded = (hex, alpha) => {
  const [red, green, blue] = [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
  return `rgba(${red},${green},${blue},${alpha})`;
};

// The exponential moving average of TensorBoard: what it began with has no more weight than its share.
export const averaged = (values, smoothing) => {
  let sum = 0, weight = 0;
  return values.map(value => {
    if (value === null) return null;
    sum = smoothing * sum + (1 - smoothing) * value;
    weight = smoothing * weight + (1 - smoothing);
    return sum / weight;
  });
};

export class Charts {
  constructor(parent) {
    this.parent = parent;
    this.charts = new Map();
    this.waiting = new Set();
    addEventListener('repaint', () => [...this.charts.keys()].forEach(key => this.wait(key)));
  }

  // Shows `traces`, each `{ name, color, x, y, faint, dash }`, in the chart called `key`; `rank` is its place.
  show(key, { title, x, caption = '', log = false, zero = false, legend = true, rank = 0, traces }) {
    const chart = this.charts.get(key) ?? this.add(key, title, log);
    Object.assign(chart, { x, zero, legend, traces });
    chart.figure.style.order = rank;
    chart.caption.textContent = caption;
    this.wait(key);
  }

  remove(key) {
    this.charts.get(key)?.figure.remove();
    this.charts.delete(key);
  }

  add(key, title, log) {
    const box = element('input', { type: 'checkbox', checked: log, onchange: () => this.wait(key) });
    const plot = element('div', { className: 'plot' });
    const caption = element('figcaption');
    const figure = element('figure', {}, element('div', { className: 'head' }, element('h3', {}, title),
      element('label', { className: 'switches' }, box, 'log y')), plot, caption);
    figure.dataset.chart = key;
    this.parent.append(figure);
    const chart = { figure, plot, caption, box };
    this.charts.set(key, chart);
    return chart;
  }

  // News come faster than a screen is drawn.
  wait(key) {
    if (!this.waiting.size) load().then(() => requestAnimationFrame(() => this.drawWaiting()));
    this.waiting.add(key);
  }

  drawWaiting() {
    const keys = [...this.waiting];
    this.waiting.clear();
    keys.filter(key => this.charts.has(key)).forEach(key => this.draw(this.charts.get(key)));
  }

  draw({ plot, box, x, zero, legend, traces }) {
    const narrow = plot.clientWidth < 480;
    const axis = (title, type) => ({ type, title: { text: title, standoff: 8 }, gridcolor: color('grid'),
      linecolor: color('neutral'), zerolinecolor: color('grid'), automargin: true, exponentformat: 'power' });
    const data = traces.map(trace => {
      const ink = faded(color(`s${trace.color % 7}`), trace.faint ? 0.3 : 1);
      const few = trace.x.length < 40 && traces.length < 5 && !trace.faint;
      return { type: 'scatter', mode: few ? 'lines+markers' : 'lines', name: trace.name, x: trace.x, y: trace.y,
        line: { color: ink, width: trace.faint ? 1 : 2, dash: trace.dash }, marker: { color: ink, size: 5 },
        showlegend: !trace.faint, hoverinfo: trace.faint ? 'skip' : undefined };
    });
    Plotly.react(plot, data, {
      xaxis: { ...axis(x, 'linear'), rangemode: 'normal', exponentformat: 'none', separatethousands: true },
      // A constant would stand in the middle of nowhere.
      yaxis: { ...axis('', box.checked ? 'log' : 'linear'), rangemode: zero ? 'tozero' : 'normal', nticks: box.checked ? 4 : 0 },
      height: 300, autosize: true, hovermode: narrow ? 'closest' : 'x',
      paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
      font: { family: getComputedStyle(document.body).fontFamily, size: narrow ? 11 : 12, color: color('ink') },
      margin: { l: 48, r: 12, t: 12, b: 42 },
      legend: { orientation: 'h', yref: 'container', y: 0, yanchor: 'bottom', x: 0 },
      showlegend: legend,
      modebar: { bgcolor: 'rgba(0,0,0,0)', color: color('neutral'), activecolor: color('ink') },
      hoverlabel: { bgcolor: color('figure'), bordercolor: color('neutral'), namelength: -1, font: { color: color('ink') } },
      uirevision: String(box.checked),
    }, { responsive: true, displaylogo: false, modeBarButtonsToRemove: ['select2d', 'lasso2d'], displayModeBar: narrow ? false : 'hover' });
  }
}
