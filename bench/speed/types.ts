// What the command line, the page and the bundle of the speed benchmark share.

export type OperationName =
  | 'softmax'
  | 'logSoftmax'
  | 'crossEntropy'
  | 'crossEntropyGradient' // loss and gradient from one call
  | 'argmax'
  | 'topK' // 5
  | 'predict' // features to the 5 best classes
  | 'linearLoss' // features to the mean cross-entropy
  | 'linearGradients'; // and its derivatives by features and weight, from one call

/** One row of the table of cases. */
export interface Case {
  /** `softmax 1024x1000`, `predict N64 D768 C1000`. */
  readonly id: string;
  readonly operation: OperationName;
  readonly rows: number;
  readonly classes: number;
  /** Of what begins with features: `predict`, `linearLoss`, `linearGradients`. */
  readonly features?: number;
  /** The least that can be read and written, which GB/s are counted by. */
  readonly bytes: number;
}

/** Who computes a case. */
export interface Contender {
  /** `crosshead-webgpu`, `tfjs-wasm`, `copy`. */
  readonly id: string;
  readonly label: string;
  readonly kind: 'crosshead' | 'peer' | 'limit' | 'plain';
  readonly device: 'gpu' | 'cpu';
}

/** Of one run, in milliseconds. */
export interface Times {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  /** Samples that the figures were taken from. */
  readonly samples: number;
}

export interface Measurement {
  readonly case: string;
  readonly contender: string;
  /**
   * `wrong`: its numbers are not float64's, so that it was not timed. `void`: the device refused some of the work. `unsupported`: it has no
   * such operation, or is not installed. `failed`: it threw; `note` says what.
   */
  readonly status: 'measured' | 'wrong' | 'void' | 'unsupported' | 'failed';
  readonly note?: string;
  /** The worst relative error against float64. */
  readonly error?: number;
  /** Inputs on the device, results left there, many calls and one wait. */
  readonly resident?: Times;
  /** From an array of the page to an array of the page. */
  readonly endToEnd?: Times;
  /** Of the resident time. */
  readonly gigabytesPerSecond?: number;
  /** Of a contender on a GPU: part of the case ran on the CPU all the same, so that it counts as one there. */
  readonly onCpu?: boolean;
  /** Of crosshead: the variant that ran. */
  readonly plan?: string;
  /** Of crosshead on a GPU: bytes that one call takes beside its inputs and results. */
  readonly workspaceBytes?: number;
  /** The most bytes that it ever held: inputs, results, workspace and what the pool keeps. */
  readonly peakBytes?: number;
  /** GPU buffers that the contender's device was asked for while resident calls were timed; 0 is a steady loop. */
  readonly buffersCreated?: number;
}

export interface Environment {
  readonly date: string;
  /** The browser, or Node. */
  readonly runtime: string;
  /** The adapter's vendor and architecture; null where there is no WebGPU. */
  readonly adapter: string | null;
  readonly software: boolean;
  readonly cores: number;
  readonly versions: Readonly<Record<string, string>>;
}

export interface Settings {
  /** Ids; all where left out. */
  readonly cases?: readonly string[];
  readonly contenders?: readonly string[];
  /** Milliseconds of timing a case and contender, at most; warm-up and checks are beside it. */
  readonly budget?: number;
  /** Milliseconds that one call may take; a contender that needs longer is cut off. */
  readonly limit?: number;
  /** Pairs `case, contender` that are left out. */
  readonly skip?: readonly string[];
  readonly signal?: AbortSignal;
}

export type BenchEvent =
  | {
      readonly type: 'start';
      readonly cases: readonly Case[];
      readonly contenders: readonly Contender[];
      readonly environment: Environment;
    }
  /** What runs now. `done` of `total` pairs of case and contender are behind. */
  | {
      readonly type: 'running';
      readonly case: string;
      readonly contender: string;
      readonly phase: 'checking' | 'timing';
      readonly done: number;
      readonly total: number;
    }
  | { readonly type: 'measured'; readonly measurement: Measurement }
  | { readonly type: 'end'; readonly cancelled: boolean };

/** All of a run, as it is copied and kept. */
export interface Report {
  readonly environment: Environment;
  readonly cases: readonly Case[];
  readonly contenders: readonly Contender[];
  readonly measurements: readonly Measurement[];
}
