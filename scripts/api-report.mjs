// The public surface, every declaration of it in one file, so that a change shows in review. It is written from the declarations in dist:
//   npm run api-report      renews docs/api-report.md
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const root = resolve(import.meta.dirname, '..');
export const reportFile = join(root, 'docs/api-report.md');

const silent = { default: { logLevel: 'none' } };

/** The declarations that `exports` of package.json names. */
function entries() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.values(exports).flatMap(({ types }) => (types ? [types] : []));
}

/** @returns {string} the report of dist as it is */
export const apiReport = () => entries().map(reportOf).join('\n');

function reportOf(entry) {
  const folder = mkdtempSync(join(tmpdir(), 'crosshead-api-'));
  try {
    const config = ExtractorConfig.prepare({
      configObjectFullPath: undefined,
      packageJsonFullPath: join(root, 'package.json'),
      configObject: {
        projectFolder: root,
        mainEntryPointFilePath: join(root, entry),
        compiler: { tsconfigFilePath: join(root, 'tsconfig.build.json') },
        apiReport: { enabled: true, reportFileName: 'report', reportFolder: folder, reportTempFolder: folder },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        newlineKind: 'lf',
        messages: {
          compilerMessageReporting: { default: { logLevel: 'error' } },
          extractorMessageReporting: silent,
          tsdocMessageReporting: silent,
        },
      },
    });
    const messageCallback = (message) => {
      message.handled = message.logLevel !== 'error';
    };
    const { succeeded } = Extractor.invoke(config, { localBuild: true, messageCallback });
    if (!succeeded) throw new Error(`api-extractor could not read ${entry}: run npm run build first`);
    return readFileSync(join(folder, 'report.api.md'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(reportFile, apiReport());
  console.log(`written: ${reportFile}`);
}
