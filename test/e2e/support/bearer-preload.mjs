/**
 * Preloaded into a program that has no option for an access token: it adds the token in `BEARER_TOKEN` to every
 * request, and changes nothing else. Both Node's `fetch` and the undici package announce their requests.
 *
 * @module
 */
import { subscribe } from 'node:diagnostics_channel'
import process from 'node:process'

subscribe('undici:request:create', ({ request }) => {
  request.addHeader('authorization', `Bearer ${process.env.BEARER_TOKEN}`)
})
