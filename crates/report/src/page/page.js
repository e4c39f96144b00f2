'use strict';
// Draws the charts in the colours of the page, smooths them, and sorts tables. What a chart shows
// comes from the page; plotly.js does the rest.
(() => {
  const root = document.documentElement;
  const charts = JSON.parse(document.getElementById('charts').textContent);
  const color = name => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  let smoothing = Number(document.getElementById('smoothing').value);
  let paper = 0;

  const faded = (hex, alpha) => {
    const [red, green, blue] = [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
    return `rgba(${red},${green},${blue},${alpha})`;
  };

  // The exponential moving average of TensorBoard: what it began with has no more weight than its share.
  const averaged = values => {
    let sum = 0, weight = 0;
    return values.map(value => {
      if (value === null) return null;
      sum = smoothing * sum + (1 - smoothing) * value;
      weight = smoothing * weight + (1 - smoothing);
      return sum / weight;
    });
  };

  const themed = trace => {
    const meta = trace.meta || {};
    if (trace.type === 'heatmap') {
      const bar = { ...trace.colorbar, tickfont: { color: color('ink') }, outlinewidth: 0 };
      bar.title = { ...bar.title, font: { color: color('ink') } };
      return { ...trace, colorbar: bar };
    }
    const base = meta.color === undefined ? color('neutral') : color(`s${meta.color % 7}`);
    const alpha = meta.raw && smoothing > 0 ? 0.25 : meta.alpha ?? 1;
    const ink = faded(base, alpha);
    const own = { ...trace, line: { width: 1.8, ...trace.line, color: ink },
      marker: { ...trace.marker, color: ink }, fillcolor: faded(base, 0.18) };
    if (meta.smooth || meta.mean) own.y = averaged(trace.y);
    if (meta.smooth) {
      own.mode = 'lines';
      own.name += ' (smoothed)';
      own.line.width = 2.4;
    }
    return own;
  };

  const axis = (given, log, exponents) => ({
    gridcolor: color('grid'), linecolor: color('neutral'), zerolinecolor: color('grid'), automargin: true,
    exponentformat: exponents, separatethousands: true, ...given, title: { standoff: 8, ...given.title },
    ...(log === undefined ? {} : { type: log ? 'log' : 'linear' }),
  });

  const draw = figure => {
    const chart = charts[figure.dataset.chart];
    const element = figure.querySelector('.plot');
    const log = name => figure.querySelector(`[data-log=${name}]`)?.checked;
    const narrow = element.clientWidth < 480;
    const layout = { ...chart.layout };
    layout.xaxis = axis(layout.xaxis, log('x'), 'none');
    layout.yaxis = axis(layout.yaxis, log('y'), 'power');
    // Long names of layers would take half of a phone; their ends tell more than their beginnings.
    const map = chart.data.find(trace => trace.type === 'heatmap');
    if (map && narrow) {
      const short = name => name.length > 20 ? `…${name.slice(-19)}` : name;
      layout.yaxis = { ...layout.yaxis, tickvals: map.y, ticktext: map.y.map(short) };
    }
    const shapes = (layout.shapes || []).map(shape =>
      ({ ...shape, line: { ...shape.line, color: color('neutral') } }));
    Object.assign(layout, {
      shapes, height: chart.height, width: paper || undefined, autosize: !paper,
      paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
      font: { family: getComputedStyle(document.body).fontFamily, size: narrow ? 11 : 12, color: color('ink') },
      margin: { l: 48, r: 12, t: 30, b: 42 },
      legend: { orientation: 'h', yref: 'container', y: 0, yanchor: 'bottom', x: 0 },
      modebar: { bgcolor: 'rgba(0,0,0,0)', color: color('neutral'), activecolor: color('ink') },
      hoverlabel: { bgcolor: color('figure'), bordercolor: color('neutral'), namelength: -1, font: { color: color('ink') } },
      // Of few points, the nearest is meant.
      hoverdistance: layout.hovermode === 'x unified' ? -1 : 20,
      // A finger scrolls the page; the buttons zoom and pan.
      dragmode: innerWidth < 600 ? false : 'zoom',
      // Zoom and what was hidden stay when the rest is drawn anew.
      uirevision: `${log('x')} ${log('y')}`,
    });
    const shown = chart.data.filter(trace => smoothing > 0 || !trace.meta?.smooth);
    return Plotly.react(element, shown.map(themed), layout,
      { responsive: true, displaylogo: false, modeBarButtonsToRemove: ['select2d', 'lasso2d'],
        displayModeBar: 'hover' });
  };

  const figures = [...document.querySelectorAll('[data-chart]')];
  const drawAll = () => figures.forEach(draw);

  document.getElementById('smoothing').oninput = event => {
    smoothing = Number(event.target.value);
    document.getElementById('smoothed').textContent = event.target.value;
    drawAll();
  };
  const theme = document.getElementById('theme');
  const setTheme = name => {
    if (name) root.dataset.theme = name; else delete root.dataset.theme;
    drawAll();
  };
  theme.onchange = () => setTheme(theme.value);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  for (const figure of figures) {
    for (const box of figure.querySelectorAll('[data-log]')) box.onchange = () => draw(figure);
  }
  // Paper is light, and as wide as it is.
  addEventListener('beforeprint', () => { paper = 680; setTheme('light'); });
  addEventListener('afterprint', () => { paper = 0; setTheme(theme.value); });

  const number = text => {
    const value = parseFloat(text.replace(/,/g, '').replace('−', '-'));
    return Number.isNaN(value) ? null : value;
  };
  const compare = (a, b) => {
    const [left, right] = [number(a), number(b)];
    if (left !== null && right !== null) return left - right;
    if (left !== null || right !== null) return left === null ? 1 : -1;
    return a.localeCompare(b);
  };
  for (const table of document.querySelectorAll('table.sortable')) {
    const headers = [...table.querySelectorAll('th')];
    headers.forEach((header, column) => header.querySelector('button').onclick = () => {
      const up = header.getAttribute('aria-sort') !== 'ascending';
      headers.forEach(other => other.setAttribute('aria-sort', 'none'));
      header.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      const cell = row => row.cells[column].textContent;
      const body = table.tBodies[0];
      const rows = [...body.rows].sort((a, b) => (up ? 1 : -1) * compare(cell(a), cell(b)));
      body.append(...rows);
    });
  }
  drawAll();
})();
