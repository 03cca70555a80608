// The little that is needed to make elements.

type Child = Node | string | undefined;
type Attributes = Record<string, string | number | boolean | undefined | ((event: never) => void)>;

/** An element: attributes by name, listeners as `onclick`, children after. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

let ids = 0;

/** An id that no other element has. */
export function freshId(what: string): string {
  ids += 1;
  return `${what}-${ids}`;
}

/** A control with its label. */
export function field(label: string, control: HTMLElement, hint?: string): HTMLElement {
  control.id ||= freshId('field');
  const description = hint === undefined ? undefined : el('small', { id: `${control.id}-hint` }, hint);
  if (description) control.setAttribute('aria-describedby', description.id);
  return el('div', { class: 'field' }, el('label', { for: control.id }, label), control, description);
}

/** A choice of one. */
export function choice(options: readonly (readonly [string, string])[], value: string, change: (value: string) => void): HTMLSelectElement {
  const select = el(
    'select',
    { onchange: () => change(select.value) },
    ...options.map(([name, label]) => el('option', { value: name, selected: name === value }, label)),
  );
  return select;
}

/** A section that can be folded. */
export function section(title: string, open: boolean, ...children: Child[]): HTMLDetailsElement {
  return el('details', { class: 'panel', open }, el('summary', {}, el('h3', {}, title)), el('div', { class: 'body' }, ...children));
}

/** Offers bytes as a file. */
export function save(name: string, type: string, data: BlobPart): void {
  const url = URL.createObjectURL(new Blob([data], { type }));
  el('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
