// Softmax and cross-entropy to be played with. The address holds the logits, so that a text can link to a picture.
import './explain.css';
import { byId, say } from '../dom.ts';
import type { View } from '../views.ts';
import { makeCalibration } from './calibration.ts';
import { first, makeLoss, type Question } from './loss.ts';
import html from './view.html?raw';

export function open(section: HTMLElement): View {
  section.innerHTML = html;
  let shown = '';
  const write = ({ logits, truth, temperature, activation }: Question) => {
    const rounded = logits.map((x) => Number(x.toFixed(3)));
    shown = String(
      new URLSearchParams({
        logits: rounded.join(),
        truth: String(truth),
        temperature: String(temperature),
        activation,
      }),
    );
    history.replaceState(null, '', `#explain?${shown}`);
  };
  const show = makeLoss(write);
  makeCalibration().catch((error) => say(byId('explain-problem'), error.message));
  show(first());
  return {
    shown(settings) {
      if (settings.size > 0 && String(settings) !== shown) show(questionOf(settings));
    },
  };
}

/** What an address asks; whatever is no sound part of it stays as at first. */
function questionOf(settings: URLSearchParams): Question {
  const asked = first();
  const logits = (settings.get('logits') ?? '').split(',').map(Number);
  if (logits.length === 3 && logits.every((x) => Number.isFinite(x) && Math.abs(x) <= 8)) asked.logits = logits;
  const truth = Number(settings.get('truth') ?? Number.NaN);
  if ([0, 1, 2].includes(truth)) asked.truth = truth;
  const temperature = Number(settings.get('temperature'));
  if (temperature >= 0.2 && temperature <= 5) asked.temperature = temperature;
  if (settings.get('activation') === 'sigmoid') asked.activation = 'sigmoid';
  return asked;
}
