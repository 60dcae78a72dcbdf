/** What `make` gave the first time for a key. References in float64 take longer than what they are held against, and are each backend's. */
export function once<T>(): (key: string, make: () => T) => T {
  const made = new Map<string, T>();
  return (key, make) => {
    if (!made.has(key)) made.set(key, make());
    return made.get(key)!;
  };
}
