// The shaders in the built library, whose text is minified; and what a shader that does not compile says.
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import logSumExp from '../../shaders/log_sum_exp.wgsl';
import { type Part, seams } from '../../src/webgpu/link.ts';
import { PipelineCache } from '../../src/webgpu/pipelines.ts';
import { root } from './consumers/install.ts';

it('every variant in dist/index.js compiles', () => {
  const said = execFileSync(process.execPath, ['scripts/check-shaders.mjs', '--dist'], { cwd: root, encoding: 'utf8' });
  expect(said).toMatch(/^\d{3,} variants of \d+ shader files: 0 errors/m);
});

describe('a shader that does not compile', () => {
  let device: GPUDevice;
  beforeAll(async () => {
    device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  });
  afterAll(() => device.destroy());

  /** A kernel with one line of one of its files changed, and the number of that line. */
  function withLine(part: Part, file: string, line: string, wrong: string): { part: Part; at: number } {
    const lines = part.text.split('\n');
    const own = part.file.endsWith(file) ? lines.indexOf(line) : -1;
    if (own >= 0) return { part: { ...part, text: lines.with(own, wrong).join('\n') }, at: own + 1 };
    let at = 0;
    const needs = part.needs.map((need) => {
      const changed = withLine(need, file, line, wrong);
      at ||= changed.at;
      return changed.part;
    });
    return { part: { ...part, needs }, at };
  }

  const choices = { io: seams.io.separate, element: seams.element.word, reduce: seams.reduce.barrier };
  const constants = { WORKGROUP: 64, LANES: 64 };

  it.each([
    ['in the kernel', 'log_sum_exp.wgsl', '      return INFINITY_BITS;', '      return 1.5;'],
    ['in a file that it needs', 'lib/row_sum.wgsl', 'struct RowSum {', 'struct RowSum { 1'],
    ['in a file that this one needs', 'lib/exp.wgsl', '}', '} }'],
  ])('is told by file and line: %s', async (_, file, line, wrong) => {
    const { part: kernel, at } = withLine(logSumExp, file, line, wrong);
    expect(at, 'the line that was changed').toBeGreaterThan(0);
    const variant = { kernel, choices, given: new Set(['input', 'sums']), constants };
    const message = new RegExp(`^broken does not compile:\\n(shaders/)?${file.replaceAll('.', '\\.')}:${at}:\\d+: \\S`);
    const ahead = new PipelineCache(device).prepare('broken', variant);
    await expect(ahead).rejects.toMatchObject({ name: 'ShaderError', message: expect.stringMatching(message) });
    const failure = await new PipelineCache(device).get('broken', variant).failure;
    expect(failure).toMatchObject({ name: 'ShaderError', message: expect.stringMatching(message) });
  });
});
