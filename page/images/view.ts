// The visitor's own images: collected, trained on, and told apart.
import './images.css';
import { byId, say, sentence, tell } from '../dom.ts';
import type { LastingHead } from '../lasting-head.ts';
import { saveFile } from '../save-file.ts';
import type { View } from '../views.ts';
import { makeCamera } from './camera.ts';
import { makeFileButton } from './class-card.ts';
import { makeClasses } from './classes.ts';
import { describeHead, loadHead } from './head-file.ts';
import { bitmapOf, drawSquare } from './pictures.ts';
import { drawShape, drawStranger, shapeNames } from './samples.ts';
import { makeTrainStep } from './train-step.ts';
import type { Strictness, Trained } from './training.ts';
import { makeTrial } from './trial.ts';
import html from './view.html?raw';

/** Milliseconds between two looks of the camera. */
const look = 120;
/** Drawn shapes from this number on are in no class. */
const unseen = 1000;

export function open(section: HTMLElement): View {
  section.innerHTML = html;
  const problem = (message: string) => say(byId('images-problem'), message);
  const headProblem = (message: string) => say(byId('images-head-problem'), message);
  const unknown = byId<HTMLFieldSetElement>('images-unknown');
  const trial = makeTrial(headProblem);
  let head: LastingHead | undefined;
  let rejections: Trained['rejections'] = null;
  let from = '';
  let live = false;
  let drawn = unseen;

  const camera = makeCamera(byId<HTMLVideoElement>('images-video'), () => showCamera());
  const classes = makeClasses({
    camera: () => camera,
    changed: () => step?.plan(),
    say: (words) => {
      byId('images-said').textContent = words;
    },
    told: (words) => tell(byId('images-said'), byId('images-told'), words),
    failed: problem,
  });
  const step = makeTrainStep(classes.cards, (outcome) => {
    const strict = unknown.querySelector<HTMLInputElement>(':checked')!.value as Strictness;
    take(outcome.head, 'Trained here.', outcome.rejections);
    if (outcome.rejections) void beStrict(strict);
  });

  const showHead = () => {
    byId('images-head').textContent = describeHead(head!, from);
    byId<HTMLButtonElement>('images-download').disabled = false;
    unknown.disabled = rejections === null;
  };
  const take = (next: LastingHead, whence: string, fitted: Trained['rejections']) => {
    const before = head;
    head = next;
    from = whence;
    rejections = fitted;
    headProblem('');
    showHead();
    trial.head(next);
    before?.dispose();
  };
  const beStrict = async (strict: Strictness) => {
    const now = head!;
    try {
      now.head.rejection = rejections![strict];
      await now.keep();
      if (now !== head) return; // another took its place meanwhile
      showHead();
      await trial.again();
    } catch (error) {
      if (now === head) headProblem(sentence(error));
    }
  };
  unknown.addEventListener('change', ({ target }) => beStrict((target as HTMLInputElement).value as Strictness));

  const tryFile = async (files: readonly File[]) => {
    const file = files[0];
    if (!file) return;
    setLive(false);
    try {
      const bitmap = await bitmapOf(file);
      headProblem('');
      await trial.picture((canvas) => drawSquare(canvas, bitmap, bitmap.width, bitmap.height));
      bitmap.close();
    } catch (error) {
      headProblem(sentence(error));
    }
  };
  const tryHead = async ([file]: readonly File[]) => {
    if (!file) return;
    try {
      take(await loadHead(file), `Loaded from ${file.name}.`, null);
    } catch (error) {
      headProblem(sentence(error));
    }
  };
  byId('images-choose-place').replaceWith(makeFileButton('Choose a picture', 'image/*', false, tryFile));
  byId('images-load-place').replaceWith(makeFileButton('Load a head', '.safetensors', false, tryHead));
  byId('images-download').addEventListener('click', () => saveFile(head!.file, 'images-head.safetensors'));
  byId('images-samples').addEventListener('click', () => classes.addSamples());
  byId('images-shape').addEventListener('click', () => {
    setLive(false);
    const shape = shapeNames[drawn++ % shapeNames.length];
    void trial.picture((canvas) => drawShape(canvas, shape, drawn));
  });
  byId('images-stranger').addEventListener('click', () => {
    setLive(false);
    drawn++;
    void trial.picture((canvas) => drawStranger(canvas, drawn));
  });

  const startCamera = (failed: (message: string) => void) => camera.start().catch((error) => failed(sentence(error)));
  const showCamera = () => {
    const { on } = camera;
    byId('images-viewfinder').hidden = !on;
    byId('images-camera').setAttribute('aria-pressed', String(on));
    byId('images-camera').textContent = on ? 'Stop the camera' : 'Camera';
    classes.camera(on);
    if (!on) setLive(false);
  };
  const setLive = (next: boolean) => {
    live = next;
    byId('images-live').setAttribute('aria-pressed', String(live));
    byId('images-live').textContent = live ? 'Stop' : 'Live camera';
  };
  const watch = async () => {
    while (live) {
      await trial.picture((canvas) => camera.draw(canvas));
      await new Promise((resolve) => setTimeout(resolve, look));
    }
  };
  byId('images-camera').addEventListener('click', () => {
    problem('');
    if (camera.on) camera.stop();
    else void startCamera(problem);
  });
  byId('images-live').addEventListener('click', async () => {
    if (live) return setLive(false);
    headProblem('');
    if (!camera.on) await startCamera(headProblem);
    if (!camera.on) return;
    setLive(true);
    void watch();
  });

  listenForFiles(section, (target, files) => {
    if (classes.addTo(target, files)) return;
    if (target?.closest('#images-try')) void tryFile(files);
    else problem('Drop or paste pictures on a class, or on the picture of step 3.');
  });
  return { hidden: () => camera.stop() };
}

/** Files that are dropped or pasted anywhere in the view; elsewhere a browser would leave the page for them. */
function listenForFiles(section: HTMLElement, given: (target: Element | null, files: File[]) => void): void {
  let over: Element | null = null;
  const mark = (next: Element | null) => {
    over?.classList.remove('drop');
    next?.classList.add('drop');
    over = next;
  };
  section.addEventListener('dragover', (event) => {
    event.preventDefault();
    mark((event.target as Element).closest('.class-card, .look'));
  });
  section.addEventListener('dragleave', () => mark(null));
  section.addEventListener('drop', (event) => {
    event.preventDefault();
    mark(null);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length) given(event.target as Element, files);
  });
  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (section.hidden || files.length === 0) return;
    event.preventDefault();
    given(event.target as Element, files);
  });
}
