// The rows of the benchmark as bars, in SVG; as crates/bench draws those of the others.

const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];
const [WIDTH, LABELS, MARGIN, BAR] = [720, 220, 60, 12];

/** `rows`: {case, variant, ratio}; bars of one case stand together, and a ratio of 1 is marked. */
export function bars(title, rows) {
  const names = [...new Set(rows.map((row) => row.variant))];
  const most = Math.max(1, ...rows.map((row) => row.ratio));
  const long = (ratio) => (ratio / most) * (WIDTH - LABELS - MARGIN);
  const colour = (name) => COLOURS[names.indexOf(name) % COLOURS.length];
  const text = (x, y, what, more = '') => `<text x="${x.toFixed(1)}" y="${y.toFixed(0)}"${more}>${escaped(what)}</text>`;
  const body = [text(20, 30, title, ' font-size="16"')];
  names.forEach((name, index) => body.push(text(20, 50 + 18 * index, name, ` fill="${colour(name)}"`)));
  const top = 50 + 18 * names.length;
  let [y, group] = [top, ''];
  for (const row of rows) {
    if (row.case !== group) {
      y += BAR;
      group = row.case;
      body.push(text(LABELS - 8, y + BAR - 2, group, ' text-anchor="end"'));
    }
    const width = long(row.ratio);
    body.push(
      `<rect x="${LABELS}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 2}" fill="${colour(row.variant)}"/>`,
      text(LABELS + width + 4, y + BAR - 2, row.ratio.toFixed(2)),
    );
    y += BAR;
  }
  const one = (LABELS + long(1)).toFixed(1);
  body.push(`<path d="M${one} ${top}V${y}" stroke="grey" stroke-dasharray="6 4"/>`);
  const size = `viewBox="0 0 ${WIDTH} ${y + 30}" font-family="sans-serif" font-size="11"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>\n<rect width="100%" height="100%" fill="white"/>\n${body.join('\n')}\n</svg>\n`;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
