// A real Chromium for the tests of the operator's page, and an ear for everything that a page should not do.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

export type Visit = {
  page: Page
  /** What the page did that it should not: errors, refused or foreign requests, dialogs. */
  complaints: string[]
}

/** The path of a Chromium on this machine, and the reason to skip a test where there is none. */
export const executable = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, name)))
  .find((path) => existsSync(path))
export const skip = executable === undefined ? 'there is no Chromium; bin/setup chromium installs it' : false

/** In ms; for a machine that is very busy. */
export const browserPatience = 90_000

export async function openBrowser(): Promise<Browser> {
  return await chromium.launch({ ...(executable !== undefined && { executablePath: executable }), timeout: browserPatience })
}

/** A new visitor with a page of their own, of the site at `base`. */
export async function visit(browser: Browser, base: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ baseURL: base, ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  page.setDefaultTimeout(browserPatience)
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(base)) complaints.push(`a request to ${request.url()}`)
  })
  return { page, complaints }
}

/** Logs in by the form. */
export async function logIn(page: Page, name: string, token: string): Promise<void> {
  await page.goto('/')
  await page.getByLabel('Your name').fill(name)
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Log in' }).click()
}
