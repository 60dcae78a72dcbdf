/**
 * Runs `work` on the newest input, one at a time: what comes while it runs waits, and only the last of it is worked on.
 * Nothing queues up behind a fast hand and a slow device. It rejects where the newest fails; of what failed before it,
 * nobody waits to hear.
 */
export function latest<Input>(work: (input: Input) => Promise<void>): (input: Input) => Promise<void> {
  let waiting: { input: Input } | undefined;
  let running: Promise<void> | undefined;
  const run = async () => {
    try {
      while (waiting) {
        const { input } = waiting;
        waiting = undefined;
        try {
          await work(input);
        } catch (error) {
          if (!waiting) throw error;
        }
      }
    } finally {
      running = undefined;
    }
  };
  return (input) => {
    waiting = { input };
    running ??= run();
    return running;
  };
}
