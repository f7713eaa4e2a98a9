/**
 * The few drawings of the pages, inline, hidden from screen readers: each stands beside words that say the same.
 *
 * @module
 */
import { type Html, html } from './html.ts'

function icon(size: number, shape: Html): Html {
  return html`<svg width="${size}" height="${size}" viewBox="0 0 24 24" aria-hidden="true">${shape}</svg>`
}

/** Our mark: a gate with a keyhole. */
export const gateIcon: Html = icon(
  22,
  html`<path d="M5 21V10a7 7 0 0 1 14 0v11M3 21h18"/><path d="M12 12v4"/><circle cx="12" cy="11" r="1"/>`,
)
export const tickIcon: Html = icon(16, html`<path d="M5 12.5l4.5 4.5L19 7.5"/>`)
export const infoIcon: Html = icon(
  18,
  html`<circle cx="12" cy="12" r="9"/><path d="M12 11v5M12 7.75v.01"/>`,
)
export const againIcon: Html = icon(
  18,
  html`<path d="M20 12a8 8 0 1 1-2.4-5.7L20 8.6M20 4v4.6h-4.6"/>`,
)
export const alertIcon: Html = icon(
  18,
  html`<path d="M12 4 2.75 20h18.5Z"/><path d="M12 10v4.5M12 17.25v.01"/>`,
)
export const stopIcon: Html = icon(18, html`<circle cx="12" cy="12" r="9"/><path d="M8 12h8"/>`)

/** The mark as an address, so that no browser asks the host for a `/favicon.ico` that may not exist. */
export const GATE_ICON_ADDRESS =
  'data:image/svg+xml,' +
  encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#2a8a79" stroke-width="2.5" stroke-linecap="round"><path d="M5 21V10a7 7 0 0 1 14 0v11M3 21h18M12 11v5"/></svg>`,
  )
