// SPDX-License-Identifier: Apache-2.0
// Walks through the console by clicking: look.mjs CHROMIUM FOLDER [PAGE…]. Each page is shown light and dark,
// wide and of a phone's width, as a picture in FOLDER, and looked at by axe; scripts are off for the
// pages themselves. Ends with 1 if axe finds anything, a page is wider than its screen, anything but the
// server was asked, or the control passes. Each PAGE that is a path of a file is looked at by itself, and
// no server is asked.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import puppeteer from 'puppeteer-core';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const [chromium, folder, ...names] = process.argv.slice(2);
const files = names.filter((name) => path.isAbsolute(name));
const { CONSOLE_URL: url, CONSOLE_TOKEN: token } = process.env;
const wrong = [];
const say = (text) => console.log(`look: ${text}`);

const all = [
  ['signin', '/signin', false],
  ['overview', '/'],
  ['slow', '/slow'],
  ['clients', '/clients'],
  ['audit', '/audit'],
  ['profile', '/profile'],
  ['score', '/score'],
  ['score-made', '/score', true, async (page) => {
    await page.type('input[name="value.employees"]', '4000');
    await page.type('input[name="value.industry"]', 'Software');
    await Promise.all([page.waitForNavigation(), page.click('form.fields button')]);
  }],
  ['account', '/account', true, async (page) => {
    await page.type('input[name="q"]', 'acme-1');
    await page.keyboard.press('Enter');
    await page.waitForNavigation();
  }],
  ['account-hostile', '/account?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E'],
  ['account-odd', `/account?id=${encodeURIComponent('../<img src=x onerror=y>&"\'?a=b#c\u202e')}`],
  ['account-none', '/account?id=nobody'],
  ['lists', '/lists'],
  ['list', '/lists', true, (page) => click(page, 'tbody a')],
  ['measures', '/measures'],
  ['measure', '/measures/measure?measure=mrr&run=1&with.from=2023-12-01&with.to=2024-03-01'],
];

const pages = files.length > 0
  ? files.map((file) => [path.basename(file, '.html'), pathToFileURL(file).href, false])
  : all.filter(([name]) => names.length === 0 || names.includes(name));

async function click(page, selector) {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
}

async function signIn(page) {
  await page.goto(`${url}/`);
  await page.type('input[name="token"]', token);
  await click(page, 'form.fields button');
  if (!(await page.title()).startsWith('Overview')) throw new Error(`signed in, and got ${await page.title()}`);
}

// What axe finds: it runs beside the page, whose policy forbids it scripts, by the debugger's hand.
async function judge(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  return found.violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.html.slice(0, 160)).slice(0, 3).join(' | ')}`);
}

async function look(browser, name, address, { dark, phone }, signedIn, then) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.on('request', (request) => {
    if (!request.url().startsWith(files.length > 0 ? address : `${url}/`)) wrong.push(`${name}: asked ${request.url()}`);
  });
  page.on('console', (message) => {
    // A page that says "not found" is shown as one; the icon is what browsers ask for by themselves.
    if (message.type() === 'error' && !/40[0-9]|favicon/.test(message.text())) wrong.push(`${name}: ${message.text()}`);
  });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
  await page.setViewport({ width: phone ? 375 : 1280, height: phone ? 740 : 860, isMobile: phone });
  if (signedIn) await signIn(page);
  await page.goto(files.length > 0 ? address : `${url}${address}`);
  if (then) await then(page);
  const kind = `${name}-${phone ? 'phone' : 'desktop'}-${dark ? 'dark' : 'light'}`;
  await page.screenshot({ path: `${folder}/${kind}.png`, fullPage: true });
  const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (width > 0) wrong.push(`${kind}: ${width} pixels wider than its screen`);
  for (const found of await judge(page)) wrong.push(`${kind}: ${found}`);
  await context.close();
}

async function control(browser) {
  const page = await browser.newPage();
  await page.setContent('<p style="color:#ccc">faint</p><input>');
  const found = (await judge(page)).map((line) => line.split(':')[0]);
  for (const rule of ['color-contrast', 'label']) {
    if (!found.includes(rule)) wrong.push(`the control: ${rule} was not found`);
  }
}

const browser = await puppeteer.launch({ executablePath: chromium, headless: true, args: ['--no-sandbox'] });
try {
  await control(browser);
  for (const [name, address, signedIn = true, then] of pages) {
    for (const dark of [false, true]) {
      for (const phone of [false, true]) {
        await look(browser, name, address, { dark, phone }, signedIn, then);
      }
    }
    say(name);
  }
} finally {
  await browser.close();
}
wrong.forEach((line) => say(`WRONG: ${line}`));
say(`${pages.length * 4} pictures in ${folder}, ${wrong.length} things wrong`);
process.exit(wrong.length === 0 ? 0 : 1);
