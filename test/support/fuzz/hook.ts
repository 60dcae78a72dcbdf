// Public functions that can be told to go astray: what stands in for src/index.ts where a test mocks it so.

type Fn = (...args: never[]) => unknown;

/** Called in place of each public function while it is set, with the function and its arguments. */
export const hook: { astray: ((name: string, real: Fn, args: unknown[]) => unknown) | null } = { astray: null };

export function hooked<T extends object>(module: T): T {
  const wrapped = Object.entries(module).map(([name, value]) => {
    // Functions, and not classes.
    if (typeof value !== 'function' || !/^[a-z]/.test(name)) return [name, value];
    const call = (...args: unknown[]) =>
      hook.astray ? hook.astray(name, value as Fn, args) : (value as (...args: unknown[]) => unknown)(...args);
    return [name, call];
  });
  return Object.fromEntries(wrapped);
}

/** A call of something that is no exported function, led astray like one. */
export const through = (name: string, real: (...args: unknown[]) => unknown, args: unknown[]): unknown =>
  hook.astray ? hook.astray(name, real as Fn, args) : real(...args);
