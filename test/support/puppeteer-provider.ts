// Runs vitest's browser mode in the Chrome that Puppeteer finds. vitest calls this interface experimental: its version is pinned.
import { defineBrowserProvider } from '@vitest/browser';
import puppeteer, { type Browser, type BrowserContext, type LaunchOptions, type Page } from 'puppeteer';
import type { BrowserProvider, BrowserProviderOption, TestProject } from 'vitest/node';

class PuppeteerProvider implements BrowserProvider {
  readonly name = 'puppeteer';
  readonly supportsParallelism = true;
  private browser?: Promise<Browser>;
  private readonly sessions = new Map<string, { page: Page; context: BrowserContext }>();

  constructor(
    private readonly project: TestProject,
    private readonly options: LaunchOptions,
  ) {}

  private session(id: string) {
    const session = this.sessions.get(id);
    if (!session) throw new Error(`no page for session ${id}`);
    return session;
  }

  getCommandsContext(id: string) {
    return { ...this.session(id) };
  }

  async openPage(id: string, url: string) {
    await this.sessions.get(id)?.context.close();
    this.browser ??= puppeteer.launch({ headless: this.project.config.browser.headless, ...this.options });
    const context = await (await this.browser).createBrowserContext();
    const page = await context.newPage();
    this.sessions.set(id, { page, context });
    await page.goto(url, { timeout: 0 });
  }

  async getCDPSession(id: string) {
    const session = await this.session(id).page.createCDPSession();
    const { send, on, off, once } = session;
    return Object.fromEntries(
      Object.entries({ send, on, off, once }).map(([name, f]) => [name, f.bind(session)]),
    ) as never;
  }

  async close() {
    this.sessions.clear();
    await (await this.browser)?.close();
  }
}

export const puppeteerProvider = (options: LaunchOptions): BrowserProviderOption =>
  defineBrowserProvider({
    name: 'puppeteer',
    supportedBrowser: ['chrome'],
    options,
    providerFactory: (project: TestProject) => new PuppeteerProvider(project, options),
  } as never);
