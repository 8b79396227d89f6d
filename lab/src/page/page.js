'use strict';

// The report, from top to bottom. All texts are set as text, so that none of them is markup.
{
  const report = JSON.parse(document.getElementById('report').textContent);
  const { element, chart } = lab;

  const numeric = /^(none|∞|[-+±<>≤≥ ]*(\d.*)?)$/;
  const table = ({ columns, rows }) => {
    const kind = columns.map((_, i) => {
      if (rows.every(row => numeric.test(row[i]))) return 'number';
      return rows.some(row => row[i].length > 48) ? 'long' : '';
    });
    const line = (tag, cells) => element('tr', {}, ...cells.map((cell, i) => element(tag, { class: kind[i] }, cell)));
    return element('div', { class: 'scroll', tabindex: 0 }, element('table', {},
      element('thead', {}, line('th', columns)),
      element('tbody', {}, ...rows.map(row => line('td', row)))));
  };
  const picture = ({ title, svg }) => element('figure', { class: 'picture', tabindex: 0 },
    element('img', { alt: title, src: 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(svg) }));
  const show = { table, picture, chart };

  document.title = report.title;
  document.body.append(element('h1', {}, report.title));
  if (report.command) document.body.append(element('div', { class: 'command', tabindex: 0 }, report.command));
  if (report.sections.length > 3) {
    document.body.append(element('nav', {}, ...report.sections.map(({ title }, i) => element('a', { href: `#s${i}` }, title))));
  }
  report.sections.forEach(({ title, text, parts }, i) => {
    document.body.append(element('section', {},
      element('h2', { id: `s${i}` }, title),
      ...(text ? [element('p', {}, text)] : []),
      ...parts.map(part => show[part.kind](part, title))));
  });
  document.body.append(element('footer', {}, 'Made by the lab of burn-descent. The numbers are in results.json beside this file.'));
}
