// The camera: on when it is asked for, off when it is not needed any more, and never on unseen.
import { drawSquare } from './pictures.ts';

export interface Camera {
  readonly on: boolean;
  /** Rejects with an Error that says in words why there is none. */
  start(): Promise<void>;
  stop(): void;
  /** Draws what it sees now. */
  draw(canvas: HTMLCanvasElement): void;
}

/** @param changed is called when it goes on and off, also when it is pulled out */
export function makeCamera(video: HTMLVideoElement, changed: () => void): Camera {
  let stream: MediaStream | undefined;
  let asked = 0;
  const stop = () => {
    asked++;
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = undefined;
    video.srcObject = null;
    changed();
  };
  // Nobody looks at a page in the background.
  document.addEventListener('visibilitychange', () => document.hidden && stop());
  return {
    get on() {
      return stream !== undefined;
    },
    async start() {
      const request = ++asked;
      const given = await ask();
      if (request !== asked) {
        for (const track of given.getTracks()) track.stop(); // nobody waits for it any more
        return;
      }
      stream = given;
      for (const track of given.getTracks()) track.addEventListener('ended', stop);
      video.srcObject = given;
      await video.play().catch(() => {});
      changed();
    },
    stop,
    draw(canvas) {
      if (video.videoWidth) drawSquare(canvas, video, video.videoWidth, video.videoHeight);
    },
  };
}

const reasons: Record<string, string> = {
  NotAllowedError: 'The camera was not allowed.',
  NotFoundError: 'No camera was found.',
  NotReadableError: 'The camera is in use elsewhere.',
};

async function ask(): Promise<MediaStream> {
  const without = 'Files and pasted pictures work without it.';
  if (!navigator.mediaDevices) throw new Error(`Browsers offer the camera on https and localhost only. ${without}`);
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' }, audio: false });
  } catch (error) {
    const { name, message } = error as Error;
    throw new Error(`${reasons[name] ?? `The camera did not start: ${message}.`} ${without}`);
  }
}
