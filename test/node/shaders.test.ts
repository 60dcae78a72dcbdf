// The shaders in the built library, whose text is minified; and what a shader that does not compile says.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createContext, logSumExp } from '../../src/index.ts';
import { root } from './consumers/install.ts';

it('every variant in dist/index.js compiles', () => {
  const said = execFileSync(process.execPath, ['scripts/check-shaders.mjs', '--dist'], { cwd: root, encoding: 'utf8' });
  expect(said).toMatch(/^\d{3,} variants of \d+ shader files: 0 errors/m);
}, 300_000); // half a minute of compiling on two cores that are free

describe('a shader that does not compile', () => {
  /** A device that gets a line of the linked shader wrong. */
  async function deviceThatMisreads(line: string, wrong: string): Promise<GPUDevice> {
    const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
    const { createShaderModule } = device;
    device.createShaderModule = (descriptor) =>
      createShaderModule.call(device, { ...descriptor, code: descriptor.code.replace(line, wrong) });
    return device;
  }

  it.each([
    ['in the kernel', 'shaders/log_sum_exp.wgsl', 'lane_of(at, params.rows)', 'lane_of(at, 1.5)'],
    ['in a file that it needs', 'shaders/base/row_sum.wgsl', 'struct RowSum {', 'struct RowSum { 1'],
    ['in a file that this one needs', 'shaders/base/exp.wgsl', 'fn exp_negative(d: f32)', 'fn exp_negative(d: f33)'],
  ])('is told by file and line: %s', async (_, file, line, wrong) => {
    const lines = readFileSync(join(root, file), 'utf8').split('\n');
    const at = `${file}:${lines.findIndex((text) => text.includes(line)) + 1}:`;
    const device = await deviceThatMisreads(line, wrong);
    const context = await createContext({ device });
    const logits = context.tensor([[1, 2, 3]]);
    const failure = { name: 'ShaderError', message: expect.stringContaining(`does not compile:\n${at}`) };
    await expect(context.prepare(() => logSumExp(logits))).rejects.toMatchObject(failure);
    await expect(logSumExp(logits).data()).rejects.toMatchObject(failure);
    context.dispose();
    device.destroy();
  });
});
