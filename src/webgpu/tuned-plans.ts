// Keeps names of plans from visit to visit, in IndexedDB. Best effort: where there is no such store (Node), or it refuses (private
// windows, a full disk), tuning lasts as long as its context.

/** What names the adapter and the browser; null where the adapter does not say which it is. */
export function deviceName(info: GPUAdapterInfo | null): string | null {
  const adapter = [info?.vendor, info?.architecture, info?.device, info?.description];
  if (!adapter.some(Boolean)) return null;
  const { userAgent = '', userAgentData } = (globalThis.navigator ?? {}) as Navigator & {
    userAgentData?: { brands: { brand: string; version: string }[] };
  };
  const brands = userAgentData?.brands.map(({ brand, version }) => `${brand} ${version}`).sort();
  return JSON.stringify([adapter, brands ?? userAgent.replace(/(\d+)[.\d]+/g, '$1')]); // major versions
}

/** Milliseconds after which a request counts as refused: some browsers leave it open for good. */
const patience = 1000;

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    setTimeout(reject, patience);
  });

async function withStore<T>(mode: IDBTransactionMode, use: (plans: IDBObjectStore) => IDBRequest<T>[]): Promise<T[]> {
  try {
    const opening = indexedDB.open('crosshead', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('plans');
    const database = await settled(opening);
    try {
      return await Promise.all(use(database.transaction('plans', mode).objectStore('plans')).map(settled));
    } finally {
      database.close();
    }
  } catch {
    return [];
  }
}

/** What was kept under each key; nothing at all where the store refuses. */
export const load = (keys: readonly string[]): Promise<unknown[]> =>
  withStore('readonly', (plans) => keys.map((key) => plans.get(key)));

export const save = async (key: string, plan: string): Promise<void> => {
  await withStore('readwrite', (plans) => [plans.put(plan, key)]);
};
