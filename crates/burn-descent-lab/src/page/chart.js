'use strict';

// Charts that answer to the mouse, to touch and to the arrow keys.
const lab = (() => {
  const COLORS = 10;
  const DASHES = ['', '6 3', '2 3'];
  const HEIGHT = { wide: 340, narrow: 280 };
  const MOST_READ = 12;

  const fill = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const element = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) =>
    fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

  const short = number => {
    if (number === 0) return '0';
    const power = Math.floor(Math.log10(Math.abs(number)));
    return power >= -3 && power < 5 ? String(Number(number.toPrecision(3))) : number.toExponential(2).replace(/\.?0+e/, 'e').replace('+', '');
  };

  // From numbers to places, and round numbers on the way.
  const scale = (numbers, logarithmic, [from, to]) => {
    const to_axis = logarithmic ? Math.log10 : number => number;
    let least = Infinity, greatest = -Infinity;
    for (const number of numbers) {
      if (number === null || (logarithmic && number <= 0)) continue;
      least = Math.min(least, to_axis(number));
      greatest = Math.max(greatest, to_axis(number));
    }
    if (least > greatest) [least, greatest] = [0, 1];
    const room = greatest > least ? 0.04 * (greatest - least) : 0.5;
    least = !logarithmic && least >= 0 && least < 0.3 * greatest ? 0 : least - room;
    greatest += room;
    const place = number => number === null || (logarithmic && number <= 0)
      ? null : from + (to - from) * (to_axis(number) - least) / (greatest - least);
    const ticks = about => {
      const span = greatest - least;
      const found = [];
      if (logarithmic) {
        const every = Math.max(1, Math.ceil(span / about));
        const mantissas = span < 2 ? [1, 2, 5] : [1];
        for (let power = Math.floor(least); power <= greatest; power++) {
          if (power % every === 0) found.push(...mantissas.map(m => m * 10 ** power));
        }
        return found.filter(tick => Math.log10(tick) >= least && Math.log10(tick) <= greatest);
      }
      const power = 10 ** Math.floor(Math.log10(span / about));
      const step = [1, 2, 5, 10].map(m => m * power).find(step => step >= span / about);
      for (let i = Math.ceil(least / step); i * step <= greatest; i++) found.push(i * step);
      return found;
    };
    return { place, ticks };
  };

  // The data of a path, with gaps where a point has no place; a point between gaps is a dot.
  const path = places => {
    let data = '', pen = false;
    for (const [i, place] of places.entries()) {
      if (place === null) { pen = false; continue; }
      data += (pen ? 'L' : 'M') + place.map(at => at.toFixed(1)).join(' ');
      if (!pen && (places[i + 1] ?? null) === null) data += 'h.1';
      pen = true;
    }
    return data;
  };

  // The point of a line that is nearest to a number on the x axis.
  const nearest = (line, x, across) => {
    let best = null, least = Infinity;
    for (const point of line.points) {
      const place = point[1] === null ? null : across.place(point[0]);
      const distance = place === null ? Infinity : Math.abs(place - x);
      if (distance < least) [best, least] = [point, distance];
    }
    return best;
  };

  const stroke = i => `stroke:var(--l${i % COLORS});stroke-dasharray:${DASHES[Math.floor(i / COLORS) % 3] || 'none'}`;
  const swatch = i => svg('svg', { class: 'swatch', viewBox: '0 0 20 10' },
    svg('path', { class: 'line', d: 'M0 5h20', style: stroke(i) + ';stroke-width:3' }));

  // A chart, in a section whose heading need not be said again.
  const chart = ({ title, x, y, lines }, heading) => {
    const hidden = new Set();
    const visible = () => lines.map((line, i) => [line, i]).filter(([, i]) => !hidden.has(i));
    const picture = svg('svg', { class: 'chart', role: 'img', tabindex: 0, 'aria-label': title });
    const readout = element('div', { class: 'readout', role: 'status' });
    readout.hidden = true;
    const legend = element('div', { class: 'legend' });
    const figure = element('figure', {}, ...(title === heading ? [] : [element('figcaption', {}, title)]), legend, picture, readout);
    let drawn = null;

    const draw = () => {
      const width = figure.clientWidth;
      if (width === 0) return;
      const narrow = width < 560;
      const height = narrow ? HEIGHT.narrow : HEIGHT.wide;
      const shown = visible().map(([line]) => line);
      const numbers = axis => shown.flatMap(line =>
        [...line.points.map(point => point[axis]), ...(line.band ?? []).flatMap(around => around.slice(axis, 2 * axis + 1))]);
      const up = scale(numbers(1), y.logarithmic, [height - 44, 22]);
      const rows = up.ticks(6).map(tick => [tick, short(tick)]);
      const left = 14 + 7 * Math.max(...rows.map(([, text]) => text.length), 1);
      const across = scale(numbers(0), x.logarithmic, [left, width - 8]);
      picture.replaceChildren(svg('text', { class: 'name', x: 0, y: 12 }, y.name));
      picture.setAttribute('viewBox', `0 0 ${width} ${height}`);
      picture.setAttribute('height', height);
      for (const [tick, text] of rows) {
        const at = up.place(tick);
        picture.append(svg('line', { class: 'grid', x1: left, x2: width - 8, y1: at, y2: at }),
          svg('text', { x: left - 8, y: at + 4, 'text-anchor': 'end' }, text));
      }
      for (const tick of across.ticks(width / (x.logarithmic ? 60 : 90))) {
        const at = across.place(tick);
        picture.append(svg('line', { class: 'grid', x1: at, x2: at, y1: 22, y2: height - 44 }),
          svg('text', { x: at, y: height - 28, 'text-anchor': 'middle' }, short(tick)));
      }
      picture.append(svg('text', { class: 'name', x: (left + width) / 2, y: height - 8, 'text-anchor': 'middle' }, x.name));
      for (const [line, i] of visible()) {
        const edge = side => line.band.map(around => [across.place(around[0]), up.place(around[side])]);
        const outline = line.band ? [...edge(1), ...edge(2).reverse()] : [];
        if (outline.length > 0 && !outline.flat().includes(null)) {
          picture.append(svg('path', { class: 'band', d: path(outline), style: `fill:var(--l${i % COLORS})` }));
        }
      }
      for (const [line, i] of visible()) {
        const places = line.points.map(([px, py]) => [across.place(px), up.place(py)]).map(place => place.includes(null) ? null : place);
        picture.append(svg('path', { class: 'line', d: path(places), style: stroke(i) + ';stroke-linecap:round' }));
      }
      const marks = svg('g');
      picture.append(marks);
      drawn = { width, height, across, up, marks };
      read(null);
    };

    // Shows the value of each line there; `at` is a place on the picture.
    const read = at => {
      if (!drawn) return;
      const { width, height, across, up, marks } = drawn;
      marks.replaceChildren();
      readout.hidden = true;
      if (at === null) return;
      const points = visible().map(([line, i]) => ({ line, i, point: nearest(line, at[0], across) }))
        .filter(({ point }) => point && up.place(point[1]) !== null);
      if (points.length === 0) return;
      const distance = ({ point }) => Math.abs(across.place(point[0]) - at[0]);
      const x0 = points.reduce((best, one) => distance(one) < distance(best) ? one : best).point[0];
      const there = across.place(x0);
      marks.append(svg('line', { class: 'rule', x1: there, x2: there, y1: 22, y2: height - 44 }));
      const height_of = ({ point }) => up.place(point[1]);
      const read = points.sort((a, b) => Math.abs(height_of(a) - at[1]) - Math.abs(height_of(b) - at[1]))
        .slice(0, MOST_READ).sort((a, b) => height_of(a) - height_of(b));
      for (const { i, point } of read) {
        marks.append(svg('circle', { cx: across.place(point[0]), cy: up.place(point[1]), r: 4, style: `fill:var(--l${i % COLORS})` }));
      }
      const more = points.length - read.length;
      readout.replaceChildren(element('b', {}, `${x.name} ${short(x0)}`),
        ...read.map(({ line, i, point }) => element('div', {}, swatch(i), element('span', {}, line.name), short(point[1]))),
        ...(more > 0 ? [element('small', {}, `and ${more} more`)] : []));
      readout.hidden = false;
      const right = there < width / 2;
      readout.style.left = right ? `${there + 14}px` : 'auto';
      readout.style.right = right ? 'auto' : `${width - there + 14}px`;
      readout.style.top = `${picture.getBoundingClientRect().top - figure.getBoundingClientRect().top + 26}px`;
    };

    const pointer = event => {
      const box = picture.getBoundingClientRect();
      read([event.clientX - box.left, event.clientY - box.top]);
    };
    let key = null;
    picture.addEventListener('pointermove', pointer);
    picture.addEventListener('pointerdown', pointer);
    picture.addEventListener('pointerleave', () => read(null));
    picture.addEventListener('blur', () => { key = null; read(null); });
    picture.addEventListener('keydown', event => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step || !drawn) return;
      event.preventDefault();
      key = Math.min(Math.max((key ?? drawn.width / 2) + step * drawn.width / 60, 0), drawn.width);
      read([key, drawn.height / 2]);
    });

    const buttons = lines.map((line, i) => element('button', { type: 'button', 'aria-pressed': true, title: 'Click: hide or show. Double click: only this one.' }, swatch(i), line.name));
    const toggle = change => {
      change();
      if (hidden.size === lines.length) hidden.clear();
      buttons.forEach((button, i) => button.setAttribute('aria-pressed', !hidden.has(i)));
      draw();
    };
    buttons.forEach((button, i) => {
      button.addEventListener('click', () => toggle(() => hidden.delete(i) || hidden.add(i)));
      button.addEventListener('dblclick', () => toggle(() => {
        lines.forEach((_, other) => other === i ? hidden.delete(other) : hidden.add(other));
      }));
    });
    legend.append(...buttons);
    new ResizeObserver(draw).observe(figure);
    return figure;
  };

  return { element, chart };
})();
