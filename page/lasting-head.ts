// A head that outlives its device: where that is lost, it goes on from its own file, in the page's own context on the CPU. (`recover: true`
// would make a context of its own.)
import { ClassificationHead, DeviceLostError } from '../src/index.ts';
import { contextOf } from './contexts.ts';

export class LastingHead {
  #head: ClassificationHead;
  #file: Blob;
  #reloading: Promise<void> | null = null;

  private constructor(head: ClassificationHead, file: Blob) {
    this.#head = head;
    this.#file = file;
  }

  /** Takes the head over. */
  static async of(head: ClassificationHead): Promise<LastingHead> {
    return new LastingHead(head, await head.save());
  }

  get head(): ClassificationHead {
    return this.#head;
  }

  /** As it was when it was last kept. */
  get file(): Blob {
    return this.#file;
  }

  /** Writes the file anew, after a change of the head. */
  async keep(): Promise<void> {
    this.#file = await this.#head.save();
  }

  /** What `work` makes of the head; on the CPU, where the device is lost meanwhile. */
  async use<T>(work: (head: ClassificationHead) => Promise<T>): Promise<T> {
    const head = this.#head;
    try {
      return await work(head);
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error;
      if (head === this.#head) await this.#reload();
      return work(this.#head);
    }
  }

  /** Once for all that lost the device together. */
  #reload(): Promise<void> {
    this.#reloading ??= (async () => {
      const lost = this.#head;
      this.#head = await ClassificationHead.load(await contextOf('cpu'), this.#file);
      lost.dispose();
    })().finally(() => {
      this.#reloading = null;
    });
    return this.#reloading;
  }

  dispose(): void {
    this.#head.dispose();
  }
}
