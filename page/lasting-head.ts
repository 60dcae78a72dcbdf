// A head and its file. Where its device is lost, a head made with `recover: true` goes on, in a context of its own, which goes with it.
import type { ClassificationHead, Context } from '../src/index.ts';

export class LastingHead {
  readonly head: ClassificationHead;
  readonly #shared: Context;
  #file: Blob;

  private constructor(head: ClassificationHead, shared: Context, file: Blob) {
    this.head = head;
    this.#shared = shared;
    this.#file = file;
  }

  /**
   * Takes the head over.
   * @param shared the context that it was made in, which stays
   */
  static async of(head: ClassificationHead, shared: Context): Promise<LastingHead> {
    return new LastingHead(head, shared, await head.save());
  }

  /** As it was when it was last kept. */
  get file(): Blob {
    return this.#file;
  }

  /** Writes the file anew, after a change of the head. */
  async keep(): Promise<void> {
    this.#file = await this.head.save();
  }

  dispose(): void {
    const { context } = this.head;
    this.head.dispose();
    if (context !== this.#shared) context.dispose();
  }
}
