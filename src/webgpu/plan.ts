// Which variant of a kernel runs: a pure function of the rows and of facts about the adapter. No reading back, no measuring.

/** What the choice may depend on. */
export interface Facts {
  /** A software adapter: barriers cost it up to a millisecond each. */
  readonly software: boolean;
  /** The feature `subgroups` and the language feature `subgroup_id`. */
  readonly subgroups: boolean;
  /** The largest subgroup; a workgroup with less than one would shuffle with lanes that do not run. */
  readonly maxSubgroup?: number;
  /** maxComputeInvocationsPerWorkgroup. */
  readonly maxInvocations: number;
}

/** The rows that a kernel is to work on. */
export interface PlanRequest {
  /** The kernel, such as `softmax`. */
  readonly kernel: string;
  readonly rows: number;
  readonly classes: number;
  /** Elements from one class to the next; 1 where rows are contiguous. */
  readonly inner: number;
}

/** A variant of a kernel. `lanes` invocations share a row, `rows` rows share a workgroup. */
export interface Plan {
  readonly reduce: 'none' | 'barrier' | 'subgroup';
  /** Invocations a row; a power of two, and 1 for `none`. */
  readonly lanes: number;
  /** Rows a workgroup; 1 for `subgroup`. */
  readonly rows: number;
}

/** Chooses the variant of a kernel. */
export type Planner = (request: PlanRequest, facts: Facts) => Plan;

/** The plan's name, which results carry. */
export const planName = (kernel: string, plan: Plan): string => `${kernel}/${plan.reduce}-${plan.lanes}x${plan.rows}`;

/** One invocation a row. Few rows get small workgroups: invocations past the last row do its work over again. */
const rowAnInvocation = (rows: number): Plan => ({
  reduce: 'none',
  lanes: 1,
  rows: rows >= 64 ? 64 : rows >= 16 ? 16 : 4,
});

/**
 * One invocation a row on software adapters, for few classes, and along inner axes, where neighbouring rows are neighbours in
 * memory; a group of lanes a row up to about a thousand classes; a workgroup a row beyond.
 */
export const defaultPlan: Planner = ({ rows, classes, inner }, facts) => {
  if (facts.software || classes <= 32 || inner >= 32) return rowAnInvocation(rows);
  const most = Math.min(256, 2 ** Math.floor(Math.log2(facts.maxInvocations)));
  if (classes <= 1024) return { reduce: 'barrier', lanes: 32, rows: most / 64 };
  return { reduce: facts.subgroups ? 'subgroup' : 'barrier', lanes: most, rows: 1 };
};

/** A plan from outside, before a pipeline is made of it. */
export function checkPlan(plan: Plan, facts: Facts): Plan {
  const { reduce, lanes, rows } = plan ?? {};
  const whole = Number.isInteger(rows) && rows >= 1 && Number.isInteger(Math.log2(lanes)) && lanes >= 1;
  const fits = whole && lanes * rows <= facts.maxInvocations;
  const can = {
    none: lanes === 1,
    barrier: true,
    subgroup: rows === 1 && facts.subgroups && lanes >= (facts.maxSubgroup ?? 1),
  };
  if (fits && Object.hasOwn(can, reduce) && can[reduce]) return plan;
  throw new RangeError(`createContext: "plan" gave ${JSON.stringify(plan)}, which this device cannot run`);
}

/** A run of rows that one dispatch works on. */
export interface Chunk {
  /** Slabs: `inner` rows that lie together. */
  readonly first: number;
  readonly count: number;
}

/**
 * Cuts `outer` slabs so that no binding exceeds its limit.
 * @param bytesPerSlab of the largest binding; 0 where nothing grows with the rows
 * @param slack bytes lost because a binding begins at a multiple of 256 bytes
 */
export function chunksOf(outer: number, bytesPerSlab: number, limit: number, slack = 256): Chunk[] {
  const most = bytesPerSlab === 0 ? outer : Math.floor((limit - slack) / bytesPerSlab);
  // A slab that alone fits the limit may still be bound where it begins at an aligned byte.
  const step = Math.max(1, Math.min(outer, most));
  const chunks: Chunk[] = [];
  for (let first = 0; first < outer; first += step) chunks.push({ first, count: Math.min(step, outer - first) });
  return chunks;
}

/** Workgroups in two dimensions, since one holds no more than 65,535. A kernel's group is x + y * 65,535. */
export const gridOf = (workgroups: number, most = 65_535): [x: number, y: number] =>
  workgroups <= most ? [workgroups, 1] : [most, Math.ceil(workgroups / most)];
