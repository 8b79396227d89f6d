'use strict';

// The report, from top to bottom. All texts are set as text, so that none of them is markup.
{
  const report = JSON.parse(document.getElementById('report').textContent);
  const { element, chart } = lab;

  const numeric = /^(none|∞|[-+±<>≤≥ ]*(\d.*)?)$/;
  // A table whose columns do not fit is shown as lists, a row each.
  const fit = new ResizeObserver(entries => entries.forEach(({ target }) => {
    target.classList.remove('lists');
    target.classList.toggle('lists', target.scrollWidth > target.clientWidth);
  }));
  const table = ({ columns, rows }) => {
    const kind = columns.map((_, i) => {
      if (rows.every(row => numeric.test(row[i]))) return 'number';
      return rows.some(row => row[i].length > 48) ? 'long' : '';
    });
    const line = (tag, role, cells) => element('tr', { role: 'row' }, ...cells.map((cell, i) =>
      element(tag, { class: kind[i], role, 'data-column': columns[i] }, cell)));
    const all = element('div', { class: 'scroll', tabindex: 0 }, element('table', { role: 'table' },
      element('thead', { role: 'rowgroup' }, line('th', 'columnheader', columns)),
      element('tbody', { role: 'rowgroup' }, ...rows.map(row => line('td', 'cell', row)))));
    fit.observe(all);
    return all;
  };
  const picture = ({ title, svg }) => element('figure', { class: 'picture', tabindex: 0 },
    element('img', { alt: title, src: 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(svg) }));
  const show = { table, picture, chart };

  // A text, in which addresses are links.
  const linked = text => text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:)])/).map((part, i) =>
    i % 2 ? element('a', { href: part, rel: 'noreferrer' }, part.replace(/^https?:\/\//, '')) : part);
  // The first words of a title.
  const chip = title => title.split(/[:.;,] /)[0];

  document.title = report.title;
  document.body.append(element('h1', {}, report.title));
  const { command, version, machine } = report.made;
  if (command) document.body.append(element('div', { class: 'command', tabindex: 0 }, command));
  if (report.sections.length > 3) {
    document.body.append(element('nav', {}, ...report.sections.map(({ title }, i) => element('a', { href: `#s${i}`, title }, chip(title)))));
  }
  report.sections.forEach(({ title, text, parts }, i) => {
    document.body.append(element('section', {},
      element('h2', { id: `s${i}` }, title),
      ...(text ? [element('p', {}, ...linked(text))] : []),
      ...parts.map(part => show[part.kind](part, title))));
  });
  document.body.append(element('footer', {}, `Made by the lab of burn-descent ${version} on ${machine}. The numbers are in results.json beside this file.`));
}
