// Every error class of the library. Wrong kinds of thing are TypeError, numbers out of range RangeError, as the platform has them.

/** What every error of crosshead's own extends; `name` is the class's name. */
export class CrossheadError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    // Not new.target.name: a minifier renames classes, and callers compare the name.
    this.name = 'CrossheadError';
  }
}

/** A shape that does not fit: of another tensor, of the data, or of the operation. */
export class ShapeError extends CrossheadError {
  /** Always 'ShapeError', also where a minifier renames classes. */
  override name = 'ShapeError';
}

/** A tensor or context that was disposed of is used. */
export class DisposedError extends CrossheadError {
  /** Always 'DisposedError', also where a minifier renames classes. */
  override name = 'DisposedError';
}

/** `backend: 'webgpu'` was asked for and there is none; the message says why. */
export class WebGPUUnavailableError extends CrossheadError {
  /** Always 'WebGPUUnavailableError', also where a minifier renames classes. */
  override name = 'WebGPUUnavailableError';
}

/** The GPU device was lost; a new context must be made. */
export class DeviceLostError extends CrossheadError {
  /** Always 'DeviceLostError', also where a minifier renames classes. */
  override name = 'DeviceLostError';
}

/** The device had no memory for a buffer. */
export class OutOfMemoryError extends CrossheadError {
  /** Always 'OutOfMemoryError', also where a minifier renames classes. */
  override name = 'OutOfMemoryError';
}

/** A shader that does not compile, with the compiler's messages and the files and lines they speak of. */
export class ShaderError extends CrossheadError {
  /** Always 'ShaderError', also where a minifier renames classes. */
  override name = 'ShaderError';
}

/** A file of weights that cannot be read. */
export class WeightsFormatError extends CrossheadError {
  /** Always 'WeightsFormatError', also where a minifier renames classes. */
  override name = 'WeightsFormatError';
}
