/**
 * Reads deploy/domain/compose.yaml as Docker Compose does: with the variables of `.env` put in.
 *
 * @module
 */
import { parse } from 'yaml'
import { z } from 'zod'
import { readPage } from './documentation.ts'

export const DOMAIN_COMPOSE = 'deploy/domain/compose.yaml'

const Domain = z.object({
  services: z.object({
    gatewarden: z.looseObject({
      environment: z.record(z.string(), z.string()),
      networks: z.array(z.string()),
      volumes: z.array(z.string()),
    }),
    'mcp-server': z.looseObject({ networks: z.array(z.string()) }),
    traefik: z.looseObject({
      image: z.string(),
      command: z.array(z.string()),
      configs: z.array(z.object({ source: z.string(), target: z.string() })),
      volumes: z.array(z.string()),
      networks: z.object({ front: z.object({ ipv4_address: z.string() }) }),
    }),
  }),
  networks: z.object({
    front: z.object({ ipam: z.object({ config: z.array(z.object({ subnet: z.string() })) }) }),
    servers: z.object({ internal: z.literal(true) }),
  }),
  volumes: z.record(z.string(), z.unknown()),
  configs: z.object({ routes: z.object({ content: z.string() }) }),
})

/**
 * @param variables those of `.env`
 * @throws Error with the words of the file, if it demands a variable that is not there
 */
export function readDomainCompose(variables: Readonly<Record<string, string>>) {
  const text = readPage(DOMAIN_COMPOSE).replaceAll(
    /\$\{(\w+)(?::\?([^}]*))?\}/g,
    (_all, name: string, words?: string) => {
      const value = variables[name]
      if (value) return value
      throw new Error(`${name} ${words ?? 'is used before it is demanded'}`)
    },
  )
  return Domain.parse(parse(text))
}
