/** The proxy families, one line each. */
import type { Contract } from './contract.ts'
import { traefik } from './traefik.ts'

export const CONTRACTS: readonly Contract[] = [traefik]

/** `/auth` without a family is Traefik's, as users of mcpauth have it. */
export const DEFAULT_CONTRACT = traefik
