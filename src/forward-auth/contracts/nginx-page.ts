/**
 * The second question of the shipped nginx files. nginx reads no body of a check, so people would see its own white page.
 * After a refusal it asks here in the same words, in a request whose answer it passes on whole: the page of
 * `check/pages-for-people.ts`, with the number of the request. A check always comes before, and this answer opens nothing.
 *
 * @module
 */
import type { Answer } from '../../check/answer.ts'
import type { Contract } from './contract.ts'
import { nginx } from './nginx.ts'

/**
 * The check refused, and a moment later the same question is allowed: the store is back, or the person was just let in.
 * The headers of an allowed check are for the server, never for the client.
 */
const TRY_AGAIN: Answer = {
  status: 503,
  headers: ['Cache-Control', 'no-store', 'Retry-After', '1', 'Content-Length', '0'],
}

export const nginxPage: Contract = {
  family: 'nginx/page',
  locate: nginx.locate,
  adapt: (answer) => (answer.status === 200 ? TRY_AGAIN : answer),
}
