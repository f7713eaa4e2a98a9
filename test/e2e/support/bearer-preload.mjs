/**
 * Preloaded into a program that has no option for an access token: every request that it sends carries the one in
 * `BEARER_TOKEN`, and differs in nothing else. Both Node's `fetch` and the undici package announce their requests.
 *
 * @module
 */
import { subscribe } from 'node:diagnostics_channel'
import process from 'node:process'

subscribe('undici:request:create', ({ request }) => {
  request.addHeader('authorization', `Bearer ${process.env.BEARER_TOKEN}`)
})
