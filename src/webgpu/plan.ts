// Which variant of a kernel runs: a pure function of the rows and of facts about the adapter. No reading back, no measuring.

/** What the choice may depend on. */
export interface Facts {
  /** A software adapter: barriers cost it up to a millisecond each. */
  readonly software: boolean;
  /** The feature `subgroups` and the language feature `subgroup_id`. */
  readonly subgroups: boolean;
  /** The smallest subgroup. */
  readonly minSubgroup?: number;
  /** The largest subgroup; a workgroup with less than one would shuffle with lanes that do not run. */
  readonly maxSubgroup?: number;
  /** maxComputeInvocationsPerWorkgroup. */
  readonly maxInvocations: number;
}

/** The rows that a kernel is to work on. */
export interface PlanRequest {
  /** The kernel, such as `softmax`. */
  readonly kernel: string;
  /** How many rows. */
  readonly rows: number;
  /** How long each is. */
  readonly classes: number;
  /** Elements from one class to the next; 1 where rows are contiguous. */
  readonly inner: number;
  /** Whether the kernel can take rows in strips. */
  readonly splits?: boolean;
  /** Whether it can keep exponentials in its result, which is of float32. */
  readonly keeps?: boolean;
}

/**
 * A variant of a kernel. `lanes` invocations share a strip, which is a row or a piece of one; `rows` strips share a workgroup.
 *
 * - `none`: one invocation a strip, no barrier
 * - `shuffle`: lanes of one subgroup, no barrier
 * - `barrier`: a tree in workgroup memory
 * - `subgroup`: a workgroup a strip; shuffles, then workgroup memory
 */
export interface Plan {
  /** How lanes put together what each found. */
  readonly reduce: 'none' | 'shuffle' | 'barrier' | 'subgroup';
  /** Invocations a strip; a power of two, and 1 for `none`. */
  readonly lanes: number;
  /** Strips a workgroup; 1 for `subgroup`. */
  readonly rows: number;
  /** Fours of classes that a lane keeps in registers; a row that fits is read once. 0 by default. */
  readonly held?: number;
  /** Fours that a loop takes in one step where none are held: 1, the default, or 2, which takes twice as long to compile. */
  readonly pace?: number;
  /** Whether exponentials are kept in the result until they are scaled, not made twice, where the request can be; one lane a strip. */
  readonly keeps?: boolean;
  /** Whether a lane reads classes for their maximum and again for their sum, where it holds none and rows are of `mostTwice` at most. */
  readonly twice?: boolean;
  /** Pieces that the classes of a row are cut into, where the request can be split; 1 by default. */
  readonly strips?: number;
}

/** Classes that are summed without a break, whose rounding errors are few. */
export const mostTwice = 256;

/** Chooses the variant of a kernel. */
export type Planner = (request: PlanRequest, facts: Facts) => Plan;

/** The plan's name, which results carry. */
export const planName = (
  kernel: string,
  { reduce, lanes, rows, held = 0, pace = 1, keeps, twice, strips = 1 }: Plan,
): string =>
  `${kernel}/${reduce}-${lanes}x${rows}${held ? `-held${held}` : ''}${pace > 1 ? `-pace${pace}` : ''}${keeps ? '-keeps' : ''}${twice ? '-twice' : ''}${strips > 1 ? `-strips${strips}` : ''}`;

const powerOf2 = (least: number): number => 2 ** Math.ceil(Math.log2(least));

/**
 * Software adapters run workgroups side by side on the machine's cores, and the invocations of one four at a time: many small workgroups
 * for few rows, and one long row in strips. The loops themselves cost so much that longer steps save a fifth of long rows; of short ones
 * they repeat the last class so often that ten classes took 1.8 times as long. Compiling costs so much that little work is better done by
 * the shorter text. An exponential costs more than a store and a load.
 */
function onSoftware({ rows, classes, splits, keeps = false }: PlanRequest): Plan {
  const strips = splits && rows < 16 && classes >= 4096 ? powerOf2(32 / Math.max(1, rows)) : 1;
  return {
    reduce: 'none',
    lanes: 1,
    rows: Math.min(64, Math.max(4, powerOf2(rows / 16))),
    pace: classes >= 64 && rows * classes > 16_384 ? 2 : 1,
    keeps,
    twice: classes < 64,
    strips,
  };
}

/** Registers for this many fours a lane: 64 numbers, a quarter of what GPUs give an invocation. */
const mostHeld = 16;
/** Fewer workgroups than this leave a large GPU idle. */
const enoughWorkgroups = 256;

/**
 * One invocation a row on software adapters, and along inner axes, where neighbouring rows are neighbours in memory; a group of lanes a
 * row up to about a thousand classes; a workgroup a row beyond, and several where rows are few. Rows stay in registers up to what those
 * hold.
 */
export const defaultPlan: Planner = (request, facts) => {
  const { rows, classes, inner, splits } = request;
  if (facts.software) return onSoftware(request);
  const { minSubgroup = 1, maxSubgroup = 1, subgroups } = facts;
  if (inner >= 32 || (classes <= 32 && minSubgroup < 8)) return { reduce: 'none', lanes: 1, rows: 64 };
  const most = Math.min(256, 2 ** Math.floor(Math.log2(facts.maxInvocations)));
  if (classes <= 1024) {
    const shuffles = subgroups && minSubgroup >= 8 && maxSubgroup <= most / 2;
    const lanes = Math.min(Math.max(1, powerOf2(classes / 4)), shuffles ? minSubgroup : 32, 32);
    const held = Math.ceil(classes / (4 * lanes));
    return {
      reduce: shuffles ? 'shuffle' : 'barrier',
      lanes,
      rows: most / 2 / lanes,
      held: held <= mostHeld ? held : 0,
    };
  }
  const strips =
    splits && classes >= 16_384 ? Math.min(powerOf2(enoughWorkgroups / rows), powerOf2(classes / 8192)) : 1;
  const held = Math.min(mostHeld, Math.ceil(classes / strips / (4 * most)));
  return { reduce: subgroups ? 'subgroup' : 'barrier', lanes: most, rows: 1, held, strips: Math.max(1, strips) };
};

/** A plan from outside, before a pipeline is made of it. */
export function checkPlan(plan: Plan, facts: Facts): Plan {
  const { reduce, lanes, rows, held = 0, pace = 1, keeps = false, strips = 1 } = plan ?? {};
  const whole = [lanes, rows, strips, held + 1, pace].every((n) => Number.isInteger(n) && n >= 1);
  const fits =
    whole &&
    pace <= (held ? 1 : 2) &&
    Number.isInteger(Math.log2(lanes)) &&
    lanes * rows <= facts.maxInvocations &&
    !(keeps && lanes > 1);
  const { subgroups, minSubgroup = 1, maxSubgroup = 1 } = facts;
  const can = {
    none: lanes === 1,
    barrier: true,
    shuffle: subgroups && lanes <= minSubgroup && (lanes * rows) % maxSubgroup === 0,
    subgroup: rows === 1 && subgroups && lanes >= maxSubgroup,
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
