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
/** A program: a window with a prompt. */
export const programIcon: Html = icon(
  20,
  html`<path d="M4 5h16v14H4Z"/><path d="M7.5 9.5 10 12l-2.5 2.5M12.5 14.5H16"/>`,
)
/** A server: two units with their lights. */
export const serverIcon: Html = icon(
  20,
  html`<path d="M4 5h16v6H4ZM4 13h16v6H4Z"/><path d="M7.5 8v.01M7.5 16v.01"/>`,
)
/** Permissions: a key. */
export const keyIcon: Html = icon(
  20,
  html`<circle cx="8" cy="15.5" r="3.5"/><path d="M10.5 13 19 4.5M15.5 8l2.5 2.5"/>`,
)
/** Where something goes: an arrow out of a frame. */
export const destinationIcon: Html = icon(
  20,
  html`<path d="M13 5h6v6M19 5l-8.5 8.5"/><path d="M9 6H5v13h13v-4"/>`,
)
export const personIcon: Html = icon(
  20,
  html`<circle cx="12" cy="8.5" r="3.75"/><path d="M5 20c.6-4 3.4-5.5 7-5.5s6.4 1.5 7 5.5"/>`,
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
