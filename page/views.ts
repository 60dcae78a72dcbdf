// The views of the page. The hash names the one on show, `#name?settings`; its code is loaded when it is first opened.
import { byId, make } from './dom.ts';

export interface View {
  /** Each time that the view comes on show, or its settings in the address change. */
  shown?(settings: URLSearchParams): void;
  /** When another view comes on show. */
  hidden?(): void;
}

/** A view is a line here, and a link and a section of index.html. The first is on show where the hash names none. */
const views: Record<string, () => Promise<{ open(section: HTMLElement): View }>> = {
  live: () => import('./live.ts'),
  train: () => import('./train/view.ts'),
  images: () => import('./images/view.ts'),
  explain: () => import('./explain/view.ts'),
  benchmark: () => import('./bench/view.ts'),
};

const opened = new Map<string, Promise<View>>();
let onShow: string | undefined;

addEventListener('hashchange', show);
// Where a link leads is seen from its beginning; the way back, where it was left.
addEventListener('click', ({ target, ctrlKey, metaKey, shiftKey }) => {
  if (ctrlKey || metaKey || shiftKey) return; // opened elsewhere
  const link = (target as Element).closest<HTMLAnchorElement>('a[href^="#"]');
  if (link && link.hash !== location.hash) addEventListener('hashchange', () => scrollTo(0, 0), { once: true });
});
show();

function show(): void {
  const [hash, settings] = location.hash.slice(1).split(/\?(.*)/s);
  const name = Object.hasOwn(views, hash) ? hash : Object.keys(views)[0];
  const left = document.activeElement?.closest<HTMLElement>('[data-view]');
  for (const section of document.querySelectorAll<HTMLElement>('[data-view]')) {
    section.hidden = section.dataset.view !== name;
    if (!section.hidden) document.title = section.dataset.title ?? '';
  }
  for (const link of byId('views').querySelectorAll('a')) {
    link.toggleAttribute('aria-current', false);
    if (link.hash !== `#${name}`) continue;
    link.setAttribute('aria-current', 'page');
    if (left?.hidden) link.focus({ preventScroll: true }); // what had the focus is on show no more
  }
  if (onShow && onShow !== name) void opened.get(onShow)?.then((view) => view.hidden?.());
  onShow = name;
  if (!opened.has(name)) opened.set(name, open(name));
  void opened.get(name)!.then((view) => view.shown?.(new URLSearchParams(settings)));
}

async function open(name: string): Promise<View> {
  const section = document.querySelector<HTMLElement>(`[data-view=${name}]`)!;
  try {
    return (await views[name]()).open(section);
  } catch (error) {
    opened.delete(name); // to be tried again
    section.prepend(make('p', 'notice problem', `This part of the page could not be loaded: ${error}`));
    return {};
  }
}
