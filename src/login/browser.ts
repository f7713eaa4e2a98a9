/**
 * The cookies that bind every step to the browser (decision K6): a cookie that names the browser, and for each flow a
 * cookie that says this browser approved it. Neither grants anything by itself.
 *
 * @module
 */
import '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { constantTimeEqual, type Keyring, randomToken, sha256 } from '../crypto.ts'
import { surplus } from '../http/bounded-cookies.ts'
import type { Interaction } from './interaction.ts'

export interface Browsers {
  /** SHA-256 of the browser's cookie, or undefined if it has none. */
  find(request: FastifyRequest): string | undefined
  /** The same; sets the cookie if there is none yet. */
  findOrSetCookie(request: FastifyRequest, reply: FastifyReply): string
  /**
   * Remembers for `seconds` that this browser approved the interaction, or began one that needs no approval. If it began
   * many, the oldest are forgotten.
   */
  approve(reply: FastifyReply, interaction: Interaction, seconds: number): void
  /** True if {@link approve} was called for this interaction in this browser. */
  approved(request: FastifyRequest, interaction: Interaction): boolean
  forget(reply: FastifyReply, interaction: Interaction): void
  /** Sealed notes that a browser keeps for `seconds`, under one name. */
  readonly note: {
    read(request: FastifyRequest, name: string): Promise<unknown | undefined>
    write(reply: FastifyReply, name: string, value: unknown, seconds: number): Promise<void>
  }
}

/** Flows that a browser may have begun: as many as the tabs that it restores. */
const MAX_FLOWS = 16

/**
 * @param secure true if the gateway is https: `__Host-` cookies. Over http the same without prefix and `Secure`, since
 *   Safari drops `Secure` cookies on http://localhost (decision K7)
 */
export function createBrowsers(deps: { keyring: Keyring; secure: boolean }): Browsers {
  const { keyring, secure } = deps
  const named = (name: string) => `${secure ? '__Host-' : ''}gw_${name}`
  const options = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const
  const flow = (interaction: Interaction) => named(`flow_${interaction.id}`)
  const flows = {
    name: new RegExp(`^${named('flow_')}`),
    value: /^[A-Za-z0-9_-]{43}$/,
    keep: MAX_FLOWS - 1,
  }
  const proof = (interaction: Interaction) => {
    const browser = interaction.purpose === 'session' ? 'session' : interaction.browser
    return keyring.mac('cookie', `flow|${interaction.id}|${browser}`)
  }

  function find(request: FastifyRequest): string | undefined {
    const value = request.cookies[named('browser')]
    return value && /^[A-Za-z0-9_-]{22}$/.test(value) ? sha256(value) : undefined
  }

  return {
    find,
    findOrSetCookie(request, reply) {
      const known = find(request)
      if (known !== undefined) return known
      const value = randomToken(16)
      reply.setCookie(named('browser'), value, options)
      return sha256(value)
    },
    approve(reply, interaction, seconds) {
      for (const name of surplus(reply.request.cookies, flows)) reply.clearCookie(name, options)
      reply.setCookie(flow(interaction), proof(interaction), { ...options, maxAge: seconds })
    },
    approved(request, interaction) {
      const value = request.cookies[flow(interaction)]
      return value !== undefined && constantTimeEqual(value, proof(interaction))
    },
    forget(reply, interaction) {
      reply.clearCookie(flow(interaction), options)
    },
    note: {
      async read(request, name) {
        const sealed = request.cookies[named(name)]
        return sealed === undefined ? undefined : keyring.open('cookie', sealed)
      },
      async write(reply, name, value, seconds) {
        const sealed = keyring.seal('cookie', value)
        reply.setCookie(named(name), sealed, { ...options, maxAge: seconds })
      },
    },
  }
}
