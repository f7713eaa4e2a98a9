/** The proxy families, one line each. */
import type { Contract } from './contract.ts'
import { nginx } from './nginx.ts'
import { nginxPage } from './nginx-page.ts'
import { traefik } from './traefik.ts'

export const CONTRACTS: readonly Contract[] = [traefik, nginx, nginxPage]

/** `/auth` without a family is Traefik's, as users of mcpauth have it. */
export const DEFAULT_CONTRACT = traefik
