/**
 * The one stylesheet, inlined in each page so that a page works on any host, and the headers it is sent with.
 *
 * @module
 */
import { createHash } from 'node:crypto'

/** What the accent stands on, page and card, in each scheme. */
export const BACKGROUNDS = {
  light: ['#eff2f0', '#ffffff'],
  dark: ['#0f1413', '#19201e'],
} as const
const { light, dark } = BACKGROUNDS

/** Five colours a scheme; all others are mixed from them. `scripts/page-pictures.ts` checks the contrast. */
export const STYLESHEET = `
:root {
  color-scheme: light dark;
  --page: ${light[0]}; --card: ${light[1]}; --ink: #18211e; --accent: #14594d; --alert: #a12b1a;
  --quiet: color-mix(in srgb, var(--ink) 72%, var(--card));
  --line: color-mix(in srgb, var(--ink) 14%, var(--card));
  --tint: color-mix(in srgb, var(--page) 70%, var(--card));
}
@media (prefers-color-scheme: dark) {
  :root { --page: ${dark[0]}; --card: ${dark[1]}; --ink: #e8eeeb; --accent: #84d3c1; --alert: #ffa898; }
}
*, ::before, ::after { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; padding: 1rem 1rem 1.25rem;
  display: grid; grid-template-columns: minmax(0, 28rem); justify-content: center; align-content: center; gap: .75rem;
  background: var(--page); color: var(--ink);
  font: 1rem/1.5 -apple-system, 'Segoe UI', Roboto, Cantarell, 'Noto Sans', 'Liberation Sans', Arial, sans-serif;
  overflow-wrap: anywhere; -webkit-text-size-adjust: 100%;
}
header {
  display: flex; align-items: center; justify-content: center; gap: .5rem;
  color: var(--quiet); font-size: .9375rem; font-weight: 600; letter-spacing: .01em;
}
header svg { color: var(--accent); }
header img { display: block; max-width: 10rem; height: 2.25rem; object-fit: contain; }
footer { color: var(--quiet); font-size: .875rem; text-align: center; }
footer a { display: inline-block; min-width: 2.75rem; min-height: 2.75rem; padding: .625rem .25rem; color: inherit; }
svg { flex: none; display: block; fill: none; stroke: currentcolor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
main {
  padding: clamp(1.25rem, 6vw, 2rem); background: var(--card);
  border: 1px solid var(--line); border-radius: 1rem;
  box-shadow: 0 1px 2px rgb(0 0 0 / .04), 0 .75rem 2rem -.75rem rgb(0 0 0 / .14);
}
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; font-weight: 650; letter-spacing: -.015em; text-wrap: balance; }
h2 { margin: 0 0 .25rem; font-size: .875rem; line-height: 1.4; }
p { margin: .625rem 0 0; }
b, strong { font-weight: 650; }
code { font: .9375em/1.5 ui-monospace, 'Cascadia Mono', 'SF Mono', Menlo, 'Liberation Mono', monospace; }
.quiet { color: var(--quiet); font-size: .875rem; }
.kind {
  display: flex; align-items: center; gap: .5rem; margin: 0 0 .75rem;
  color: var(--accent); font-size: .875rem; font-weight: 600;
}
.kind-client, .kind-forbidden, .kind-broken { color: var(--alert); }
dl { margin: 1rem 0 0; border-top: 1px solid var(--line); }
dl > div { position: relative; padding: .5rem 0 .5rem 2rem; border-bottom: 1px solid var(--line); }
dt { color: var(--quiet); font-size: .8125rem; line-height: 1.4; }
dt svg { position: absolute; left: 0; top: .75rem; color: var(--accent); }
.destination { margin: 0 -.75rem; padding-left: 2.75rem; padding-right: .75rem; background: var(--tint); border-radius: .625rem; border-bottom: 0; }
.destination dt svg { left: .75rem; }
.destination b { font-size: 1.0625rem; }
dd { margin: 0; }
dd p { margin: 0; }
.sentence { display: inline-block; }
.sentence::first-letter { text-transform: uppercase; }
ul { margin: 0; padding: 0; list-style: none; }
li { display: flex; gap: .5rem; }
li svg { margin-top: .25rem; color: var(--accent); }
li span { min-width: 0; }
.inner { padding-left: 1.875rem; }
.box-line { display: flex; align-items: start; gap: .625rem; width: 100%; min-height: 2.75rem; margin: 0; padding: .5rem 0; font-size: inherit; font-weight: inherit; cursor: pointer; }
.problem-line { margin: .25rem 0; color: var(--alert); font-weight: 600; }
.note { display: flex; gap: .625rem; margin: .75rem 0 0; font-size: .8125rem; line-height: 1.4; color: var(--quiet); }
.note svg { margin-top: .125rem; }
.note span { min-width: 0; }
.box { margin: 1.25rem 0 0; padding: .75rem 1rem; background: var(--tint); border: 1px solid var(--line); border-radius: .625rem; font-size: .9375rem; }
.box p { margin: 0; }
.problem { border-color: var(--alert); color: var(--alert); font-weight: 600; }
.address { display: block; font-size: .8125rem; user-select: all; -webkit-user-select: all; }
form { margin: 0; }
label { display: block; margin: 1.125rem 0 .375rem; font-size: .9375rem; font-weight: 600; }
input {
  width: 100%; min-height: 2.875rem; padding: .5rem .75rem;
  font: inherit; color: var(--ink); background: var(--card);
  border: 1px solid var(--quiet); border-radius: .625rem;
}
input[type=checkbox], input[type=radio] { flex: none; width: 1.25rem; min-height: 1.25rem; margin: .125rem 0 0; accent-color: var(--accent); }
input[aria-invalid] { border-color: var(--alert); }
.buttons { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(8rem, 100%), 1fr)); gap: .75rem; margin: 1.25rem 0 0; }
.stacked { grid-template-columns: minmax(0, 1fr); }
.button {
  display: flex; align-items: center; justify-content: center; width: 100%; min-height: 2.875rem; padding: .5rem .625rem;
  font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer;
  color: var(--ink); background: var(--card); border: 1px solid var(--quiet); border-radius: .625rem;
}
.button:hover { background: var(--tint); }
.primary { color: var(--card); background: var(--accent); border-color: var(--accent); }
.hold { display: grid; border-radius: .625rem; background: var(--tint); }
.hold > .button { animation: hold 1s; }
@keyframes hold { 0%, 99.9% { visibility: hidden; } }
.plain {
  min-height: 2.75rem; padding: .25rem .125rem; border: 0; background: none; cursor: pointer;
  font: inherit; color: var(--accent); text-decoration: underline; text-underline-offset: .2em;
}
.primary:hover { background: color-mix(in srgb, var(--accent) 88%, var(--ink)); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.code { font: 650 1.5rem/1.4 ui-monospace, 'Cascadia Mono', 'SF Mono', Menlo, 'Liberation Mono', monospace; letter-spacing: .04em; }
.outcome { font-weight: 600; }
.outcome.failed { color: var(--alert); }
.outcome:empty { margin: 0; }
.declined:not(:target), [hidden] { display: none !important; }
.reveal { display: flex; justify-content: end; }
.identity { display: flex; align-items: start; gap: .5rem; margin: .75rem 0 0; color: var(--quiet); font-size: .875rem; }
.identity > span { min-width: 0; }
.together { display: inline-block; }
.identity b { color: var(--ink); }
.choice:has(+ .declined:target) { display: none; }
.declined { margin: 1.25rem 0 0; font-weight: 600; }
details { margin: 1.25rem 0 0; border-top: 1px solid var(--line); }
summary { min-height: 2.875rem; padding: .625rem 0; font-size: .9375rem; cursor: pointer; }
.request { margin: 1.25rem 0 0; color: var(--quiet); font-size: .8125rem; }
`

/** The `style-src` of a page's policy: this stylesheet and no other. */
export const STYLE_SOURCE = `'sha256-${createHash('sha256').update(STYLESHEET).digest('base64')}'`

/**
 * The headers of every page.
 *
 * There is no `form-action`: Chromium applies it to the whole redirect chain of a form POST and would stop people on
 * their way back to the client. There is no `Cross-Origin-Opener-Policy`: it would cut the `window.opener` of a
 * client that opened us in a pop-up.
 *
 * @param options.navigatesAway for a page that leads to another origin, which must not learn its address (decision K11:
 *   on other pages `no-referrer` would make our own forms say `Origin: null`)
 * @param options.scripts the sources of its scripts, which it works without
 * @param options.framed for a page that may stand in a frame of any page: it has links alone, which open at the top
 */
export function pageHeaders(
  options: {
    readonly navigatesAway?: boolean
    readonly framed?: boolean
    readonly scripts?: readonly string[]
  } = {},
): Record<string, string> {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': [
      "default-src 'none'",
      `style-src ${STYLE_SOURCE}`,
      "img-src 'self' data:",
      "base-uri 'none'",
      ...(options.framed ? [] : ["frame-ancestors 'none'"]),
      ...(options.scripts?.length ? [`script-src ${options.scripts.join(' ')}`] : []),
    ].join('; '),
    ...(!options.framed && { 'X-Frame-Options': 'DENY' }),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': options.navigatesAway ? 'no-referrer' : 'same-origin',
    'Cache-Control': 'no-store',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  }
}
